import type { ReadonlySignal } from '@preact/signals';

/** What the state needs from its surroundings: TensorBoard's page, or a report opened on its own. */
export interface Host {
  readonly dark: ReadonlySignal<boolean>;
  readParameters(): Record<string, string>;
  writeParameters(parameters: Record<string, string>): void;
  /** Calls back when something else changes the address. */
  onNavigate(callback: () => void): void;
  /** Calls back when the data should be read again. */
  onReload(callback: () => void): void;
}
