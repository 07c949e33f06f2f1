import { useRef } from 'preact/hooks';
import { Icon } from './icons';
import './menu.css';

/** A small menu of actions behind one button. */
export function Menu({ label, actions }: { label: string; actions: [string, () => unknown][] }) {
  const ref = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (ref.current) ref.current.open = false;
  };
  return (
    <details
      class="menu"
      ref={ref}
      onFocusOut={(event) => {
        if (!ref.current?.contains(event.relatedTarget as Node)) close();
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        close();
        ref.current?.querySelector('summary')?.focus();
      }}
    >
      <summary aria-label={label} title="Copy or download">
        <Icon name="more" />
      </summary>
      <div class="menu-items">
        {actions.map(([name, act]) => (
          <button
            type="button"
            key={name}
            onClick={() => {
              void act();
              close();
            }}
          >
            {name}
          </button>
        ))}
      </div>
    </details>
  );
}
