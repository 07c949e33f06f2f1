import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Failure, Skeleton } from './notice';

/** A component whose code is loaded when it is first shown. */
export function lazy<P extends object>(
  what: string,
  height: number,
  load: () => Promise<ComponentType<P>>,
): ComponentType<P> {
  let Loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [attempt, setAttempt] = useState(0);
    const [error, setError] = useState('');
    useEffect(() => {
      if (Loaded) return;
      load().then(
        (component) => {
          Loaded = component;
          setError('');
          setAttempt((count) => count + 1);
        },
        (reason: unknown) => setError(reason instanceof Error ? reason.message : String(reason)),
      );
    }, [attempt]);
    if (Loaded) return <Loaded {...props} />;
    if (error) return <Failure what={what} error={error} retry={() => setAttempt(attempt + 1)} />;
    return <Skeleton height={height} label={`Loading ${what}`} />;
  };
}
