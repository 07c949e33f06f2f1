import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../ui/icons';
import './help.css';

export const helpOpen = signal(false);

const KEYS: [string, string][] = [
  ['← →', 'previous, next snapshot'],
  ['Home End', 'first, last snapshot'],
  ['space', 'play or pause'],
  ['j k', 'next, previous layer'],
  ['n p', 'next, previous unit of a layer'],
  ['Enter', 'open the layer in focus'],
  ['o', 'overview'],
  ['/', 'filter layers'],
  ['m', 'choose the measure'],
  ['+ −', 'zoom in a map'],
  ['arrows', 'read a cell of a map'],
  ['?', 'this help'],
];

/** The keys, and how to read the page. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = helpOpen.value;
  useEffect(() => {
    const element = dialog.current;
    if (open && !element?.open) element?.showModal();
    if (!open && element?.open) element.close();
  }, [open]);
  return (
    <dialog class="help" ref={dialog} aria-labelledby="help-title" onClose={() => (helpOpen.value = false)}>
      <header>
        <h2 id="help-title">Keyboard and help</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => (helpOpen.value = false)}>
          <Icon name="close" />
        </button>
      </header>
      <dl class="help-keys">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p>
        A <em>snapshot</em> is the state of the model measured at one step. Charts show the chosen snapshot,
        or the latest one before it, and say so if the two differ. Each chart can be shown as a table and
        downloaded.
      </p>
    </dialog>
  );
}
