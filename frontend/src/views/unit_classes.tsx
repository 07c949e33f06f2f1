import { formatNumber, formatValue, plural } from '../model/format';
import type { Answers } from '../model/units';
import './unit_classes.css';

/** Most classes drawn. */
const MOST = 12;

/** Mean response of a unit to each class, the strongest first. */
export function ClassBars({ answers, classes }: { answers: Answers; classes: number }) {
  const shown = answers.classes.slice(0, MOST);
  const means = shown.map(({ mean }) => mean);
  const [low, high] = [Math.min(0, ...means), Math.max(0, ...means)];
  const share = (value: number) => (high > low ? (100 * (value - low)) / (high - low) : 0);
  const zero = share(0);
  return (
    <section aria-labelledby="unit-classes">
      <h2 id="unit-classes">
        Classes <span class="note">mean response</span>
      </h2>
      <p class="note">
        {Number.isFinite(answers.explained)
          ? `The class explains ${formatValue(answers.explained, 'share')} of the variance of the response (η²).`
          : 'The response does not vary.'}
      </p>
      <div class="unit-classes">
        {shown.map(({ id, mean }) => (
          <>
            <span>class {id}</span>
            <span class="bar" aria-hidden="true">
              <span
                style={{ left: `${Math.min(zero, share(mean))}%`, width: `${Math.abs(share(mean) - zero)}%` }}
              />
              {low < 0 && <i style={{ left: `${zero}%` }} />}
            </span>
            <span class="value">{formatNumber(mean)}</span>
          </>
        ))}
      </div>
      {classes > shown.length && (
        <p class="note">
          {plural(classes - shown.length, 'more class', 'more classes')}
          {Number.isFinite(answers.rest)
            ? `, about ${formatNumber(answers.rest)} beyond the ${answers.classes.length} strongest`
            : ', weaker'}
        </p>
      )}
    </section>
  );
}
