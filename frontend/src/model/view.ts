export type Screen = 'overview' | 'layer' | 'unit' | 'relations' | 'samples' | 'compare';
/** The diagnostic that the screen of samples shows. */
export const SAMPLE_MAPS = 'sample_maps';
export type LayerOrder = 'depth' | 'worst';

/** What the screen shows, as stored in the address. */
export interface View {
  screen: Screen;
  /** Run id; empty for the first. */
  run: string;
  /** Ids of the runs that are compared with this one, one per line; empty for the first few. */
  against: string;
  layer: string;
  /** Unit of the layer, on the page of a unit. */
  unit: number | null;
  /** null: the latest snapshot. */
  step: number | null;
  /** `diagnostic.column`; empty for the one that shows the first finding. */
  measure: string;
  /** The diagnostic whose chart is scrolled into view. */
  chart: string;
  sort: LayerOrder;
  /** Regular expression that layer paths must match. */
  filter: string;
  /** Keys of the blocks of the map that are unfolded, one per line; `*`: all; `-`: none; empty: as many as fit. */
  unfolded: string;
}

export const DEFAULT_VIEW: View = {
  screen: 'overview',
  run: '',
  against: '',
  layer: '',
  unit: null,
  step: null,
  measure: '',
  chart: '',
  sort: 'depth',
  filter: '',
  unfolded: '',
};

const SCREENS: readonly string[] = ['overview', 'layer', 'unit', 'relations', 'samples', 'compare'];

/** Reads a view from address parameters; missing and invalid ones take their defaults. */
export function parseView(parameters: Record<string, string>): View {
  const text = (key: string) => parameters[key] ?? '';
  const whole = (key: string) => (/^\d{1,15}$/.test(text(key)) ? Number(text(key)) : null);
  const screen = SCREENS.includes(text('screen')) ? (text('screen') as Screen) : 'overview';
  return {
    screen: (screen === 'layer' || screen === 'unit') && !text('layer') ? 'overview' : screen,
    run: text('run'),
    against: text('against'),
    layer: text('layer'),
    unit: screen === 'unit' ? (whole('unit') ?? 0) : null,
    step: whole('step'),
    measure: text('measure'),
    chart: text('chart'),
    sort: text('sort') === 'worst' ? 'worst' : 'depth',
    filter: text('filter'),
    unfolded: text('unfolded'),
  };
}

/** Only what differs from the default, so that addresses stay short. */
export function serializeView(view: View): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [key, value] of Object.entries(view)) {
    if (value !== DEFAULT_VIEW[key as keyof View]) parameters[key] = String(value);
  }
  return parameters;
}

/** The regular expression of a filter; undefined if it is empty or invalid. */
export function filterPattern(filter: string): RegExp | undefined {
  if (!filter) return undefined;
  try {
    return new RegExp(filter, 'i');
  } catch {
    return undefined;
  }
}
