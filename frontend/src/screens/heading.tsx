import type { ComponentChildren } from 'preact';
import { useStore } from '../state/store';
import { Icon } from '../ui/icons';
import './heading.css';

interface HeadingProps {
  /** The screens between the overview and this one. */
  above?: ComponentChildren;
  title: ComponentChildren;
  note: string;
  /** What the buttons go to, with the keys that do the same. */
  noun: string;
  keys: readonly [previous: string, next: string];
  at: number;
  count: number;
  go(by: number): void;
}

/** Where a page is, what it is about, and the way to its neighbors. */
export function Heading({ above, title, note, noun, keys, at, count, go }: HeadingProps) {
  const store = useStore();
  return (
    <div class="layer-heading">
      <div class="crumbs">
        <button type="button" class="quiet" onClick={() => store.home()}>
          Overview
        </button>
        <span aria-hidden="true">/</span>
        {above && (
          <>
            {above}
            <span aria-hidden="true">/</span>
          </>
        )}
      </div>
      <h2>{title}</h2>
      <span class="note">{note}</span>
      <span class="neighbors">
        <button
          type="button"
          disabled={at === 0}
          onClick={() => go(-1)}
          title={`Previous ${noun} (${keys[0]})`}
        >
          <Icon name="previous" /> previous
        </button>
        <button
          type="button"
          disabled={at >= count - 1}
          onClick={() => go(1)}
          title={`Next ${noun} (${keys[1]})`}
        >
          next <Icon name="next" />
        </button>
      </span>
    </div>
  );
}
