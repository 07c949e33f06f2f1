import { createContext } from 'preact';

/** Tells figures apart where one page shows the same chart of two runs: in anchors, and in names read out. */
export const Side = createContext({ prefix: 'chart-', suffix: '' });
