/** Pixels left and right of the plot in charts that share the step axis. */
export function gutters(width: number): { left: number; right: number } {
  if (width < 520) return { left: 104, right: 8 };
  if (width < 900) return { left: 168, right: 64 };
  return { left: 232, right: 72 };
}

/** The same on a layer's page, where only ticks are at the left. */
export const LAYER_GUTTERS = { left: 60, right: 16 };
