/** A chart's numbers as a table: its accessible alternative and what is copied or downloaded. */
export interface Table {
  columns: string[];
  /** The unit of each column's numbers, if it has one: on screen numbers are written in it, downloads name it. */
  units?: (string | undefined)[];
  rows: (string | number)[][];
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function headings({ columns, units = [] }: Table): string[] {
  return columns.map((column, i) => (units[i] ? `${column} (${units[i]})` : column));
}

export function toCsv(table: Table): string {
  return [headings(table), ...table.rows].map((row) => row.map(cell).join(',')).join('\n') + '\n';
}

export function toJson(table: Table): string {
  const names = headings(table);
  const records = table.rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])));
  return JSON.stringify(records, null, 1);
}

export function save(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveText(name: string, text: string, type: string): void {
  save(name, new Blob([text], { type }));
}

const PAINT = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'opacity',
  'font',
  'text-anchor',
  'display',
];

function svgWithStyles(source: SVGSVGElement): SVGSVGElement {
  const copy = source.cloneNode(true) as SVGSVGElement;
  const originals = source.querySelectorAll<SVGElement>('*');
  copy.querySelectorAll<SVGElement>('*').forEach((element, i) => {
    const original = originals[i];
    if (!original) return;
    const style = getComputedStyle(original);
    for (const property of PAINT) element.style.setProperty(property, style.getPropertyValue(property));
  });
  return copy;
}

/** Everything drawn within `root` as one SVG; canvases become embedded pictures. */
export function toSvg(root: HTMLElement): string {
  const frame = root.getBoundingClientRect();
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('viewBox', `0 0 ${frame.width} ${frame.height}`);
  svg.setAttribute('width', String(frame.width));
  svg.setAttribute('height', String(frame.height));
  const background = document.createElementNS(svg.namespaceURI, 'rect') as SVGRectElement;
  background.setAttribute('width', '100%');
  background.setAttribute('height', '100%');
  background.setAttribute('fill', getComputedStyle(document.body).backgroundColor);
  svg.append(background);
  for (const mark of root.querySelectorAll<HTMLCanvasElement | SVGSVGElement>('canvas, svg.chart')) {
    const { left, top, width, height } = mark.getBoundingClientRect();
    const place = { x: left - frame.left, y: top - frame.top, width, height };
    let part: SVGElement;
    if (mark instanceof HTMLCanvasElement) {
      part = document.createElementNS(svg.namespaceURI, 'image') as SVGImageElement;
      part.setAttribute('href', mark.toDataURL());
    } else {
      part = svgWithStyles(mark);
    }
    for (const [key, value] of Object.entries(place)) part.setAttribute(key, String(value));
    svg.append(part);
  }
  for (const label of root.querySelectorAll<HTMLElement>('[data-export]')) {
    const { left, top, height } = label.getBoundingClientRect();
    const text = document.createElementNS(svg.namespaceURI, 'text');
    text.textContent = label.textContent;
    const { color, font } = getComputedStyle(label);
    text.setAttribute('x', String(left - frame.left));
    text.setAttribute('y', String(top - frame.top + height / 2 + 4));
    text.setAttribute('style', `fill:${color};font:${font}`);
    svg.append(text);
  }
  return new XMLSerializer().serializeToString(svg);
}

/** The same as a PNG of twice the size. */
export async function toPng(root: HTMLElement): Promise<Blob> {
  const { width, height } = root.getBoundingClientRect();
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(toSvg(root))}`;
  await picture.decode();
  const canvas = document.createElement('canvas');
  canvas.width = 2 * width;
  canvas.height = 2 * height;
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture could not be created.')))),
  );
}
