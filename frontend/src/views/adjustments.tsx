import type { Adjustment } from '../summaries/cnndiag_pb';
import './adjustments.css';

/** A call may break before its arguments. */
function breakable(text: string) {
  const [name, ...rest] = text.split('(');
  return rest.length ? [name, <wbr />, `(${rest.join('(')}`] : text;
}

/** What to change, and why. */
export function Adjustments({ adjustments }: { adjustments: Adjustment[] }) {
  if (!adjustments.length) return null;
  return (
    <div class="adjustments">
      <h3>What to change</h3>
      <ul>
        {adjustments.map(({ layer, parameter, current, proposed, reason }, i) => (
          <li key={i}>
            <div class="adjustment">
              <span class="path clamped">{layer ? `${layer} · ${parameter}` : parameter}</span>
              <span>
                {current && <del>{current}</del>}
                {current && <span aria-label="becomes"> → </span>}
                <ins>{breakable(proposed)}</ins>
              </span>
            </div>
            {reason && <p class="clamped">{reason}</p>}
          </li>
        ))}
      </ul>
    </div>
  );
}
