import './fact_list.css';

/** Names and values in one line; a fact without a value is left out. */
export function FactList({ facts }: { facts: [name: string, value: string][] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
