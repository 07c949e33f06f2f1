const MINUS = '−';

function trim(text: string): string {
  return text.replace(/^-/, MINUS);
}

function isPlain(value: number): boolean {
  return value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6);
}

/** A number as a power of ten. */
function formatPower(value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(1).split('e');
  const power = exponent
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (d) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(d)] ?? d);
  const factor = mantissa.replace('.0', '');
  return trim(factor === '1' ? `10${power}` : `${factor}·10${power}`);
}

/** Three significant digits; very small and very large numbers as powers of ten. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'not measured';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${MINUS}∞`;
  if (!isPlain(value)) return formatPower(value);
  if (Number.isInteger(value)) return trim(value.toLocaleString('en-US'));
  return trim(String(Number(value.toPrecision(3))));
}

/** A number with its unit as people write it: shares in per cent, counts whole. */
export function formatValue(value: number, unit: string): string {
  if (!Number.isFinite(value)) return formatNumber(value);
  if (unit === 'share') {
    const percent = value * 100;
    const digits = percent !== 0 && Math.abs(percent) < 10 ? 1 : 0;
    return `${trim(String(Number(percent.toFixed(digits))))}\u00a0%`;
  }
  return formatNumber(value);
}

/** How the ticks of one axis are written: all as powers of ten where one of them has to be, but for 0 and 1. */
export function tickFormat(ticks: readonly number[], unit: string): (tick: number) => string {
  const plain = unit === 'share' || ticks.every(isPlain);
  return (tick) => (plain || tick === 0 || tick === 1 ? formatValue(tick, unit) : formatPower(tick));
}

/** A unit worth writing behind a number; shares are written in per cent, and plain numbers have none. */
export function unitLabel(unit: string): string {
  return ['share', 'ratio', 'count', 'norm'].includes(unit) ? '' : unit;
}

export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? noun : nouns}`;
}

/** A name of code read as words: "dead_ratio" → "dead ratio". */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}

/** Lists indices briefly: "0–3, 7, 9–12". */
export function formatIndices(indices: readonly number[], most = 8): string {
  const ranges: string[] = [];
  for (let i = 0; i < indices.length;) {
    let j = i;
    while (j + 1 < indices.length && indices[j + 1] === (indices[j] ?? 0) + 1) j += 1;
    ranges.push(j > i ? `${indices[i]}–${indices[j]}` : `${indices[i]}`);
    i = j + 1;
  }
  const shown = ranges.slice(0, most);
  return shown.join(', ') + (ranges.length > most ? ', …' : '');
}
