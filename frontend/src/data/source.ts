import { fromBinary } from '@bufbuild/protobuf';
import { MeasurementListSchema, MeasurementSchema, type Measurement } from '../summaries/cnndiag_pb';

export interface TagEntry {
  tag: string;
  diagnostic: string;
  /** Path of the layer the tag speaks of; empty for all layers or the whole model. */
  layer: string;
  max_step: number;
}

export interface RunEntry {
  /** Directory that holds `cnndiag/`, relative to the logdir; `.` for the logdir itself. */
  run: string;
  /** The name under which TensorBoard knows the run. */
  id: string;
  tags: TagEntry[];
}

/** Messages of one tag in step order. */
export interface Series {
  items: Measurement[];
  /** How many the log holds; more than `items` when the reply was thinned. */
  total: number;
  /** Messages that could not be read. */
  damaged: number;
}

export interface Query {
  id: string;
  tag: string;
  /** Thin to at most so many messages, first and last kept. */
  max?: number;
  /** Keep only this column of LayerColumns. */
  column?: string;
}

/** Where measurements come from. The only thing in the frontend that may be asked for data. */
export interface Source {
  runs(): Promise<RunEntry[]>;
  measurements(query: Query): Promise<Series>;
}

/** Decodes a binary MeasurementList; one damaged message costs only itself. */
export function decodeSeries(bytes: Uint8Array): Series {
  const list = fromBinary(MeasurementListSchema, bytes);
  const items: Measurement[] = [];
  let damaged = 0;
  for (const item of list.items) {
    try {
      items.push(fromBinary(MeasurementSchema, item));
    } catch {
      damaged += 1;
    }
  }
  items.sort((a, b) => Number(a.step - b.step));
  return { items, total: Math.max(list.total, list.items.length), damaged };
}

/** Drops columns that were not asked for, as the server does. */
export function keepColumn(series: Series, column: string | undefined): Series {
  if (!column) return series;
  for (const { payload } of series.items) {
    if (payload.case === 'layerColumns') {
      payload.value.columns = payload.value.columns.filter(({ name }) => name === column);
    }
  }
  return series;
}
