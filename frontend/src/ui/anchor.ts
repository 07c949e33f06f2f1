import { createContext } from 'preact';

/** Prefix of the anchors of figures: told apart where one page shows the same chart of two runs. */
export const AnchorPrefix = createContext('chart-');
