import type { ComponentType } from 'preact';
import type { RunState } from '../state/store';
import type { DiagnosticInfo } from '../summaries/cnndiag_pb';
import { DiagnosticView } from './diagnostic';
import { FilterSimilarity, SIMILARITY_DIAGNOSTICS } from './filter_similarity';
import { GradientFlow, GRADIENT_DIAGNOSTICS } from './gradient_flow';
import type { LayerViewProps } from './layer_view';
import { ModelOutput } from './model_output';
import { WeightSpectrum } from './weight_spectrum';

/** Views that show several diagnostics together; the others are drawn by the kind of their payload. */
const VIEWS: { diagnostics: string[]; View: ComponentType<LayerViewProps> }[] = [
  { diagnostics: SIMILARITY_DIAGNOSTICS, View: FilterSimilarity },
  { diagnostics: GRADIENT_DIAGNOSTICS, View: GradientFlow },
  { diagnostics: ['model_output'], View: ModelOutput },
  { diagnostics: ['weight_spectrum'], View: WeightSpectrum },
];

export interface PlacedView {
  diagnostic: DiagnosticInfo;
  /** All diagnostics that the view shows: deep links to any of them lead to it. */
  shows: string[];
  View: ComponentType<LayerViewProps>;
}

/** What a layer's page shows, in the order in which the log lists the diagnostics. */
export function viewsOf({ info }: RunState): PlacedView[] {
  const shown = new Set<string>();
  const placed: PlacedView[] = [];
  const known = info?.diagnostics ?? [];
  for (const diagnostic of known) {
    if (shown.has(diagnostic.name) || (!diagnostic.layerKind && !diagnostic.columns.length)) continue;
    const own = VIEWS.find(({ diagnostics }) => diagnostics.includes(diagnostic.name));
    const lead = known.find(({ name }) => name === own?.diagnostics[0]);
    const shows = own && lead ? own.diagnostics : [diagnostic.name];
    shows.forEach((name) => shown.add(name));
    placed.push({ diagnostic: lead ?? diagnostic, shows, View: own && lead ? own.View : DiagnosticView });
  }
  return placed;
}
