/**
 * Numbers as people read them, the same as in messages and text reports (`tb_cnndiag/wording.py`). The cases that
 * both are tested with are in `summaries/golden/numbers.json`.
 */

const MINUS = '−';
/** Keeps a number and its sign on one line. */
const SPACE = '\u00a0';
/** Beyond this, a ratio or a percentage only says that it is huge. */
const HUGE = 1_000;
/** Numbers of this size are written in digits, others as powers of ten. */
const [SMALLEST, LARGEST] = [1e-3, 1e5];
/** Whole numbers below this are written in full. */
const WHOLE = 1e9;
/** Units that need no word: a share has its percent sign, the others follow from what is measured. */
const UNNAMED = ['', 'share', 'ratio', 'count', 'norm'];

/** `value` with two or three significant digits; ties go to the even digit, as Python rounds them. */
function round(value: number, digits: 2 | 3): number {
  const tie = new RegExp(`^(-?\\d\\.\\d{${digits - 2}}[02468])50*e(.*)$`).exec(value.toExponential(80));
  return Number(tie ? `${tie[1]}e${tie[2]}` : value.toPrecision(digits));
}

function isWhole(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < WHOLE;
}

function isPlain(value: number): boolean {
  const size = Math.abs(round(value, 3));
  return isWhole(value) || (size >= SMALLEST && size < LARGEST);
}

function formatPlain(value: number): string {
  if (value === 0) return '0';
  const shown = isWhole(value) ? value : round(value, 3);
  return shown.toLocaleString('en-US', { maximumFractionDigits: 6 }).replace('-', MINUS);
}

/** A number as a power of ten: "2.1·10⁻⁴". */
function formatPower(value: number): string {
  const [mantissa = '', exponent = ''] = round(Math.abs(value), 2).toExponential().split('e');
  const power = exponent
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? digit);
  return `${value < 0 ? MINUS : ''}${mantissa === '1' ? '' : `${mantissa}·`}10${power}`;
}

/** Three significant digits; whole numbers in full. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'not measured';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${MINUS}∞`;
  return isPlain(value) ? formatPlain(value) : formatPower(value);
}

/** The bound that stands for a number that is too large to be written. */
function formatHuge(value: number, sign: string): string {
  return `${value > 0 ? '> ' : `< ${MINUS}`}${formatPlain(HUGE)}${SPACE}${sign}`;
}

function formatPercent(percent: number): string {
  if (Math.abs(percent) > HUGE) return formatHuge(percent, '%');
  const tiny = percent !== 0 && Math.abs(percent) < SMALLEST;
  if (tiny) return `${percent > 0 ? '< ' : `> ${MINUS}`}${SMALLEST}${SPACE}%`;
  return `${formatPlain(percent)}${SPACE}%`;
}

/** A number with its unit's own way of writing: a share in percent, a ratio up to 1,000. */
export function formatValue(value: number, unit: string): string {
  if (!Number.isFinite(value)) return formatNumber(value);
  if (unit === 'share') return formatPercent(100 * value);
  if (unit === 'ratio' && Math.abs(value) > HUGE) return formatHuge(value, '×');
  return formatNumber(value);
}

/** The number, and the unit's name where it says something: "12 MB", "512", "50 %". */
export function formatLabeled(value: number, unit: string): string {
  return UNNAMED.includes(unit) ? formatValue(value, unit) : `${formatValue(value, unit)}${SPACE}${unit}`;
}

/** The heading of a column of numbers, whose unit is named once. */
export function formatHeading(title: string, unit: string): string {
  return UNNAMED.includes(unit) ? title : `${title} (${unit})`;
}

/** A ratio as a factor: "12.3 ×". */
export function formatFactor(ratio: number): string {
  const text = formatValue(ratio, 'ratio');
  return text.endsWith('×') ? text : `${text}${SPACE}×`;
}

/** How the ticks of one axis are written: if one of them needs a power of ten, all have one, except 0 and 1. */
export function tickFormat(ticks: readonly number[], unit: string): (tick: number) => string {
  const factor = unit === 'share' ? 100 : 1;
  const sign = unit === 'share' ? `${SPACE}%` : '';
  const plain = ticks.every((tick) => isPlain(factor * tick));
  return (tick) => {
    const value = factor * tick;
    return `${plain || value === 0 || value === 1 ? formatPlain(value) : formatPower(value)}${sign}`;
  };
}

export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatNumber(count)} ${count === 1 ? noun : nouns}`;
}

/** Short remarks in one line; empty ones are left out. */
export function joined(...notes: string[]): string {
  return notes.filter(Boolean).join(' · ');
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
