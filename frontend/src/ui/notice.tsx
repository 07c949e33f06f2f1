import type { ComponentChildren } from 'preact';
import './notice.css';

/** Holds the place of what is on its way. */
export function Skeleton({ height, label }: { height: number; label: string }) {
  return <div class="skeleton" style={{ height }} role="status" aria-label={label} />;
}

/** Says what is not there and what to do about it. */
export function Notice({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="notice">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Something could not be loaded: what, why, and a button to try again. */
export function Failure({ what, error, retry }: { what: string; error: string; retry?: () => void }) {
  return (
    <div class="failure" role="alert">
      <strong>{what} could not be loaded.</strong> <span>{error}</span>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}
