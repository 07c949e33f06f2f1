import { drawCauses, drawFlow } from './map_flow';
import type { Place } from './map_layout';
import { drawNode } from './map_node';
import { JUNCTION } from './map_segments';
import { stripSheet } from './map_strips';
import { FONT, shortened, THEME, type Picture } from './map_style';
import { hatch, painter } from './palette';
import type { Frame } from './pan_zoom';

const hatches = new Map<boolean, CanvasPattern | string>();

function hatchOf(context: CanvasRenderingContext2D, dark: boolean): CanvasPattern | string {
  const known = hatches.get(dark) ?? hatch(context, dark);
  hatches.set(dark, known);
  return known;
}

/** Draws the part of the map that the frame shows; nodes have less text the smaller they are on the screen. */
export function paintMap(
  context: CanvasRenderingContext2D,
  picture: Picture,
  frame: Frame,
  window: { width: number; height: number },
) {
  const { layout, faces, brackets, scale: colorScale, dark } = picture;
  const colors = THEME[dark ? 'dark' : 'light'];
  const { scale } = frame;
  context.save();
  context.fillStyle = colors.bg;
  context.fillRect(0, 0, window.width, window.height);
  context.scale(scale, scale);
  context.translate(-frame.x, -frame.y);
  const [right, bottom] = [frame.x + window.width / scale, frame.y + window.height / scale];
  const seen = ({ x, y, width, height }: Place) =>
    x + width > frame.x && x - width < right && y + height > frame.y && y - height < bottom;
  drawFlow(context, picture, frame, right, bottom);
  drawCauses(context, picture, scale, 'lines');
  const paint = colorScale && painter(colorScale, dark);
  const missing = hatchOf(context, dark);
  const strips = stripSheet(picture);
  for (const place of layout.places.values()) {
    if (!seen(place)) continue;
    const face = faces.get(place.id);
    if (face) drawNode(context, picture, place, face, scale, paint, missing, strips);
    else {
      context.beginPath();
      context.arc(place.x, place.y, JUNCTION / 2 - 2, 0, 2 * Math.PI);
      context.fillStyle = colors.raised;
      context.strokeStyle = colors.flow;
      context.lineWidth = 1.3;
      context.fill();
      context.stroke();
      context.beginPath();
      for (const [dx, dy] of [
        [3, 0],
        [0, 3],
      ] as const) {
        context.moveTo(place.x - dx, place.y - dy);
        context.lineTo(place.x + dx, place.y + dy);
      }
      context.stroke();
    }
  }
  if (scale >= 0.4) {
    const size = Math.min(16, 10.5 / Math.min(1, scale));
    context.font = `${size}px ${FONT}`;
    for (const { name, left, right: end, y } of brackets) {
      context.strokeStyle = colors.line;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(left, y + 5);
      context.lineTo(left, y);
      context.lineTo(end, y);
      context.lineTo(end, y + 5);
      context.stroke();
      const text = shortened(context, `− ${name}`, end - left - 8, true);
      const length = context.measureText(text).width;
      context.fillStyle = colors.bg;
      context.fillRect(left + 6, y - size / 2, length + 6, size);
      context.fillStyle = colors.muted;
      context.fillText(text, left + 9, y + size / 3);
    }
  }
  drawCauses(context, picture, scale, 'heads');
  context.restore();
}
