import { createContext } from 'preact';

/** Distinguishes the figures of a page that shows the same chart of several runs: in anchors and accessible names. */
export const Side = createContext({ prefix: 'chart-', suffix: '' });
