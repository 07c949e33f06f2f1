import { fromBinary } from '@bufbuild/protobuf';
import { MeasurementListSchema, MeasurementSchema, type Measurement } from '../summaries/cnndiag_pb';

export interface TagEntry {
  tag: string;
  diagnostic: string;
  /** Path of the layer that the tag is about; empty for all layers or the whole model. */
  layer: string;
  max_step: number;
}

export interface RunEntry {
  /** Directory that contains `cnndiag/`, relative to the logdir; `.` for the logdir itself. */
  run: string;
  /** TensorBoard's name of the run. */
  id: string;
  tags: TagEntry[];
}

/** Messages of one tag in step order. */
export interface Series {
  items: Measurement[];
  /** Number of messages in the log; larger than that of `items` if the reply was thinned. */
  total: number;
  /** Number of messages that could not be read. */
  damaged: number;
}

export interface Query {
  id: string;
  tag: string;
  /** Thins to at most this many messages; the first and the last are kept. */
  max?: number;
  /** Keeps only this column of LayerColumns. */
  column?: string;
}

/** Where measurements come from: the only part of the frontend that requests data. */
export interface Source {
  runs(): Promise<RunEntry[]>;
  measurements(query: Query): Promise<Series>;
}

/** Decodes a binary MeasurementList; a damaged message is skipped and counted. */
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

/** Drops the columns that were not requested, as the server does. */
export function keepColumn(series: Series, column: string | undefined): Series {
  if (!column) return series;
  for (const { payload } of series.items) {
    if (payload.case === 'layerColumns') {
      payload.value.columns = payload.value.columns.filter(({ name }) => name === column);
    }
  }
  return series;
}
