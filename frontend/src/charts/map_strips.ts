import type { NodeFace, Picture } from './map_style';
import { painter } from './palette';

/** The measure of all nodes over the snapshots, one row of pixels each: drawn once, and scaled into the nodes. */
export interface StripSheet {
  picture: HTMLCanvasElement;
  /** Row of each node, and whether it has snapshots without a value. */
  rows: Map<string, { row: number; gaps: boolean }>;
}

const sheets = new WeakMap<Map<string, NodeFace>, { key: string; sheet: StripSheet }>();

function drawSheet({ faces, scale, dark }: Picture): StripSheet {
  const paint = scale && painter(scale, dark);
  const list = [...faces.values()];
  const picture = document.createElement('canvas');
  picture.width = Math.max(1, list[0]?.history.length ?? 1);
  picture.height = Math.max(1, list.length);
  const pen = picture.getContext('2d');
  const rows: StripSheet['rows'] = new Map();
  list.forEach(({ id, history }, row) => {
    let gaps = false;
    history.forEach((value, i) => {
      const color = paint?.(value);
      gaps ||= color === undefined;
      if (!pen || color === undefined) return;
      pen.fillStyle = color;
      pen.fillRect(i, row, 1, 1);
    });
    rows.set(id, { row, gaps });
  });
  return { picture, rows };
}

export function stripSheet(picture: Picture): StripSheet {
  const key = JSON.stringify([picture.scale, picture.dark]);
  const known = sheets.get(picture.faces);
  if (known?.key === key) return known.sheet;
  const sheet = drawSheet(picture);
  sheets.set(picture.faces, { key, sheet });
  return sheet;
}
