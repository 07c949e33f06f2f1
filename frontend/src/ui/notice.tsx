import type { ComponentChildren } from 'preact';
import './notice.css';

/** A placeholder while data is loading. */
export function Skeleton({ height, label }: { height: number; label: string }) {
  return <div class="skeleton" style={{ height }} role="status" aria-label={label} />;
}

/** Says what is missing and what to do about it. */
export function Notice({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="notice">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Says what could not be loaded and why, with a button to try again. */
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
