import { useId } from 'preact/hooks';
import './toggle.css';

interface ToggleProps<V extends string> {
  label: string;
  value: V;
  options: [V, string][];
  disabled?: boolean;
  onChange(value: V): void;
}

/** A choice between a few options, all visible. */
export function Toggle<V extends string>({ label, value, options, disabled, onChange }: ToggleProps<V>) {
  const name = useId();
  return (
    <span class="toggle" role="radiogroup" aria-label={label}>
      {options.map(([option, text]) => (
        <label key={option}>
          <input
            type="radio"
            name={name}
            checked={option === value}
            disabled={disabled}
            onChange={() => onChange(option)}
          />
          <span>{text}</span>
        </label>
      ))}
    </span>
  );
}
