import { Severity } from '../model/findings';
import { arrowHead, curve, FAULTY, THEME, type Picture } from './map_style';
import type { Frame } from './pan_zoom';
import { CATEGORIES } from './palette';

/** The edges, those of the current node in front, and the lines that lead from one row to the next. */
export function drawFlow(
  context: CanvasRenderingContext2D,
  picture: Picture,
  frame: Frame,
  right: number,
  bottom: number,
) {
  const { layout, dark, current } = picture;
  const colors = THEME[dark ? 'dark' : 'light'];
  const strong = CATEGORIES[dark ? 'dark' : 'light'][0];
  const seen = layout.routes.filter(
    ({ low, high }) => high.x > frame.x && low.x < right && high.y > frame.y && low.y < bottom,
  );
  const pass = (chosen: boolean) => {
    context.strokeStyle = context.fillStyle = chosen ? strong : colors.flow;
    context.lineWidth = (chosen ? 2 : 1.3) / Math.max(0.6, frame.scale);
    context.beginPath();
    const routes = seen.filter(
      ({ from, to }) => (current !== undefined && (from === current || to === current)) === chosen,
    );
    for (const { points } of routes) curve(context, points);
    context.stroke();
    if (frame.scale < 0.35) return;
    for (const { points, to } of routes) {
      const [before, end] = points.slice(-2);
      if (before && end && !to.startsWith('j')) arrowHead(context, before, end, 6);
    }
  };
  pass(false);
  if (current !== undefined) pass(true);
  context.strokeStyle = colors.flow;
  context.lineWidth = 1.3 / Math.max(0.6, frame.scale);
  for (const { top, from, entry } of layout.rows) {
    const start = from === undefined ? undefined : layout.places.get(from);
    if (!start) continue;
    const right = start.x + start.width / 2;
    const turn = right + 10;
    const between = top - 25;
    context.beginPath();
    context.moveTo(right, start.y);
    context.arcTo(turn, start.y, turn, between, 6);
    context.arcTo(turn, between, entry.x, between, 6);
    context.arcTo(entry.x - 6, between, entry.x - 6, entry.y, 6);
    context.arcTo(entry.x - 6, entry.y, entry.x + 10, entry.y, 6);
    context.lineTo(entry.x + 10, entry.y);
    context.stroke();
  }
}
/** Dashed lines from causes to effects, behind the nodes; their heads are drawn in front of them. */
export function drawCauses(
  context: CanvasRenderingContext2D,
  { layout, causes, dark, current }: Picture,
  scale: number,
  part: 'lines' | 'heads',
) {
  const [color] = FAULTY[Severity.ERROR]?.[dark ? 'dark' : 'light'] ?? ['#b3261e'];
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = 1.7 / Math.max(0.5, scale);
  for (const { from, to } of causes) {
    const [start, end] = [layout.places.get(from), layout.places.get(to)];
    if (!start || !end) continue;
    const aside = current !== undefined && current !== from && current !== to;
    context.globalAlpha = aside ? 0.15 : 0.9;
    const below = end.y > start.y + end.height;
    const above = end.y < start.y - end.height;
    const a = { x: start.x, y: start.y + ((above ? -1 : 1) * start.height) / 2 };
    const b = { x: end.x, y: end.y + (below ? -1 : 1) * (end.height / 2 + 2) };
    const bow = below || above ? 18 : Math.min(22, 8 + Math.abs(b.x - a.x) / 20);
    const leave = { x: a.x, y: a.y + (above ? -bow : bow) };
    const arrive = { x: b.x, y: b.y + (below ? -bow : bow) };
    if (part === 'lines') {
      context.setLineDash([5, 3]);
      context.beginPath();
      context.moveTo(a.x, a.y);
      context.bezierCurveTo(leave.x, leave.y, arrive.x, arrive.y, b.x, b.y);
      context.stroke();
      context.setLineDash([]);
    } else arrowHead(context, arrive, b, 9);
  }
  context.globalAlpha = 1;
}
