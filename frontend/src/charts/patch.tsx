import { useCallback } from 'preact/hooks';
import type { Box, Peak } from '../model/units';
import type { Atlas } from '../summaries/cnndiag_pb';
import { Canvas } from '../ui/canvas';

/** The images of the probe, ready to be drawn. */
export interface Sheet {
  atlas: Atlas;
  bitmap: ImageBitmap;
}

const sheets = new WeakMap<Atlas, Promise<Sheet>>();

/** Decodes an atlas once. */
export function sheetOf(atlas: Atlas): Promise<Sheet> {
  const blob = new Blob([atlas.picture as BlobPart], { type: 'image/webp' });
  const found = sheets.get(atlas) ?? createImageBitmap(blob).then((bitmap) => ({ atlas, bitmap }));
  sheets.set(atlas, found);
  return found;
}

/** The whole image as a box. */
export function wholeOf({ height, width }: Atlas): Box {
  return { top: 0, left: 0, height, width };
}

/** Boxes of up to this many pixels are drawn as sharp squares. */
const SHARP = 64;

/** Draws part of an image into a rectangle; what lies beyond the image stays as it is. */
export function drawPatch(
  context: CanvasRenderingContext2D,
  { atlas, bitmap }: Sheet,
  image: number,
  box: Box,
  [x, y, width, height]: [number, number, number, number],
): void {
  const top = Math.max(0, box.top);
  const left = Math.max(0, box.left);
  const bottom = Math.min(atlas.height, box.top + box.height);
  const right = Math.min(atlas.width, box.left + box.width);
  if (bottom <= top || right <= left || image >= atlas.samples) return;
  const [down, across] = [atlas.tileHeight / atlas.height, atlas.tileWidth / atlas.width];
  context.imageSmoothingEnabled = Math.max(box.height * down, box.width * across) > SHARP;
  context.drawImage(
    bitmap,
    (image % atlas.columns) * atlas.tileWidth + left * across,
    Math.floor(image / atlas.columns) * atlas.tileHeight + top * down,
    (right - left) * across,
    (bottom - top) * down,
    x + ((left - box.left) / box.width) * width,
    y + ((top - box.top) / box.height) * height,
    ((right - left) / box.width) * width,
    ((bottom - top) / box.height) * height,
  );
}

/** Width and height that fit into a square of this side. */
function fit(box: Box, side: number): [number, number] {
  const scale = side / Math.max(box.height, box.width);
  return [Math.max(1, Math.round(box.width * scale)), Math.max(1, Math.round(box.height * scale))];
}

const outside = (dark: boolean) => (dark ? '#3a404a' : '#dfe3e8');

interface PatchProps {
  sheet: Sheet;
  image: number;
  box: Box;
  side: number;
  dark: boolean;
  label: string;
}

/** The part of an image that a unit sees, enlarged. */
export function Patch({ sheet, image, box, side, dark, label }: PatchProps) {
  const [width, height] = fit(box, side);
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      context.fillStyle = outside(dark);
      context.fillRect(0, 0, width, height);
      drawPatch(context, sheet, image, box, [0, 0, width, height]);
    },
    [sheet, image, box.top, box.left, box.height, box.width, width, height, dark],
  );
  return <Canvas width={width} height={height} draw={draw} label={label} />;
}

/** The whole image, with a frame around the part that a unit sees. */
export function WholeImage({ sheet, image, box, side, label }: PatchProps) {
  const { atlas } = sheet;
  const [width, height] = fit(wholeOf(atlas), side);
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      drawPatch(context, sheet, image, wholeOf(atlas), [0, 0, width, height]);
      const scale = width / atlas.width;
      const frame = [box.left * scale, box.top * scale, box.width * scale, box.height * scale] as const;
      for (const [color, line] of [
        ['#000', 3],
        ['#fff', 1.5],
      ] as const) {
        context.strokeStyle = color;
        context.lineWidth = line;
        context.strokeRect(...frame);
      }
    },
    [sheet, image, box.top, box.left, box.height, box.width, width, height],
  );
  return <Canvas width={width} height={height} draw={draw} label={label} />;
}

interface MosaicProps {
  sheet: Sheet;
  peaks: readonly Peak[];
  boxOf(peak: Peak): Box;
  columns: number;
  rows: number;
  side: number;
  dark: boolean;
  label: string;
}

/** The strongest patches of a unit in one small picture. */
export function Mosaic({ sheet, peaks, boxOf, columns, rows, side, dark, label }: MosaicProps) {
  const [width, height] = [columns * (side + 1) - 1, rows * (side + 1) - 1];
  const draw = useCallback(
    (context: CanvasRenderingContext2D) => {
      context.clearRect(0, 0, width, height);
      for (let rank = 0; rank < columns * rows; rank += 1) {
        const [x, y] = [(rank % columns) * (side + 1), Math.floor(rank / columns) * (side + 1)];
        context.fillStyle = outside(dark);
        context.fillRect(x, y, side, side);
        const peak = peaks[rank];
        if (!peak) continue;
        const box = boxOf(peak);
        const [w, h] = fit(box, side);
        drawPatch(context, sheet, peak.image, box, [x + (side - w) / 2, y + (side - h) / 2, w, h]);
      }
    },
    [sheet, peaks, boxOf, columns, rows, side, width, height, dark],
  );
  return <Canvas width={width} height={height} draw={draw} label={label} />;
}
