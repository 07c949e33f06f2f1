import type { Place } from './map_layout';
import type { StripSheet } from './map_strips';
import {
  arrowHead,
  FAULTY,
  FONT,
  LINES,
  mark,
  shortened,
  THEME,
  type NodeFace,
  type Picture,
} from './map_style';
import { CATEGORIES } from './palette';

/** The measure over the snapshots, with a line at the chosen step. */
function drawStrip(
  context: CanvasRenderingContext2D,
  { at, dark }: Picture,
  face: NodeFace,
  strips: StripSheet,
  missing: CanvasPattern | string,
  box: { left: number; top: number; width: number; height: number; tick: number },
) {
  const colors = THEME[dark ? 'dark' : 'light'];
  const found = strips.rows.get(face.id);
  const count = face.history.length;
  if (!found) return;
  context.fillStyle = colors.raised;
  context.fillRect(box.left, box.top, box.width, box.height);
  if (found.gaps) {
    context.fillStyle = missing;
    context.fillRect(box.left, box.top, box.width, box.height);
  }
  context.imageSmoothingEnabled = false;
  context.drawImage(strips.picture, 0, found.row, count, 1, box.left, box.top, box.width, box.height);
  if (at < 0 || count < 2) return;
  context.fillStyle = colors.text;
  const middle = box.left + ((at + 0.5) * box.width) / count;
  context.fillRect(middle - box.tick / 2, box.top - 2, box.tick, box.height + 2);
}

/** A node with as many lines of text as its size on the screen allows; far away, it is only its color. */
export function drawNode(
  context: CanvasRenderingContext2D,
  picture: Picture,
  { x, y, width, height }: Place,
  face: NodeFace,
  scale: number,
  paint: ((value: number) => string | undefined) | undefined,
  missing: CanvasPattern | string,
  strips: StripSheet,
) {
  const { dark, at, current } = picture;
  const colors = THEME[dark ? 'dark' : 'light'];
  const fault = FAULTY[face.severity]?.[dark ? 'dark' : 'light'];
  const [left, top] = [x - width / 2, y - height / 2];
  context.globalAlpha = face.found ? 1 : 0.22;
  const box = (shift: number) => {
    context.beginPath();
    context.roundRect(left + shift, top + shift, width, height, 5);
  };
  if (face.block) {
    context.fillStyle = colors.raised;
    context.strokeStyle = fault ? fault[0] : colors.line;
    context.lineWidth = 1;
    for (const shift of [5, 2.5]) {
      box(shift);
      context.fill();
      context.stroke();
    }
  }
  const lines = LINES.findIndex((least) => height * scale >= least);
  const color = paint?.(face.history[at] ?? NaN) ?? missing;
  box(0);
  context.fillStyle = lines < 0 ? color : fault ? fault[1] : colors.raised;
  context.fill();
  const band = 9;
  if (lines >= 0) {
    context.save();
    context.clip();
    context.fillStyle = color;
    context.fillRect(left, top, band, height);
    if (face.history.length && paint) {
      const strip = lines < 2 ? 9 : 13;
      drawStrip(context, picture, face, strips, missing, {
        left: left + band,
        top: top + height - strip,
        width: width - band,
        height: strip,
        tick: Math.max(1.5, 1 / scale),
      });
    }
    context.restore();
  }
  box(0);
  const chosen = current === face.id;
  context.strokeStyle = chosen ? CATEGORIES[dark ? 'dark' : 'light'][0] : fault ? fault[0] : colors.line;
  context.lineWidth = (chosen ? 2.5 : fault ? 2 : 1) / Math.min(1, Math.max(0.4, scale));
  context.stroke();
  if (face.skip) {
    context.strokeStyle = colors.flow;
    context.lineWidth = 1.3 / Math.max(0.6, scale);
    context.beginPath();
    const over = top - 6;
    context.moveTo(left - 12, y);
    context.arcTo(left - 8, y, left - 8, over, 4);
    context.arcTo(left - 8, over, left + width, over, 6);
    context.arcTo(left + width + 8, over, left + width + 8, y, 6);
    context.lineTo(left + width + 8, y);
    context.stroke();
    context.fillStyle = colors.flow;
    context.beginPath();
    context.arc(left + width + 8, y, 2.6, 0, 2 * Math.PI);
    context.fill();
  }
  if (fault && lines < 0) {
    context.fillStyle = fault[0];
    mark(context, face.severity, left + width / 2, y, Math.min(height * 0.36, 7 / scale));
  }
  if (lines >= 0) {
    const size = Math.max(11.5, 11.5 / Math.max(scale, 0.001) > 18 ? 18 : 11.5 / Math.min(1, scale));
    const step = size * 1.26;
    const inner = left + band + 5;
    const room = width - band - 10;
    let line = top + 4 + size * 0.85;
    const titleRoom = room - (fault ? size * 1.2 : 0);
    context.textBaseline = 'alphabetic';
    context.fillStyle = colors.text;
    context.font = `600 ${size}px ${FONT}`;
    context.fillText(shortened(context, face.title, titleRoom, true), inner, line);
    if (fault) {
      context.fillStyle = fault[0];
      const [markX, markY] = [left + width - size * 0.8, top + 4 + size * 0.5];
      mark(context, face.severity, markX, markY, size * 0.54);
      context.fillStyle = fault[1];
      context.fillRect(markX - size * 0.07, markY - size * 0.28, size * 0.14, size * 0.32);
      context.fillRect(markX - size * 0.07, markY + size * 0.13, size * 0.14, size * 0.14);
    }
    const small = size * 0.91;
    const texts = (face.fault ? [face.fault, face.since] : [face.kind, face.shape]).slice(0, 2 - lines);
    context.font = `${small}px ${FONT}`;
    for (const text of texts) {
      line += step;
      context.fillStyle = fault && face.fault ? fault[0] : colors.muted;
      context.fillText(shortened(context, text, room), inner, line);
    }
  }
  if (scale >= 0.35) {
    context.fillStyle = context.strokeStyle = colors.muted;
    context.lineWidth = 1.3;
    const stub = (from: number, to: number) => {
      context.beginPath();
      context.moveTo(from, y);
      context.lineTo(to, y);
      context.stroke();
      arrowHead(context, { x: from, y }, { x: to, y }, 5);
    };
    if (face.input) stub(left - 11, left - 1);
    if (face.output) stub(left + width + 1, left + width + 11);
  }
  context.globalAlpha = 1;
}
