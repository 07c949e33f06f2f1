import { decodeSeries, keepColumn, type Query, type RunEntry, type Series, type Source } from './source';

/** The data in a report page: `runs` as the server lists them, `measurements` by `"<id>\n<tag>"` in base64. */
export interface InlineData {
  runs: RunEntry[];
  measurements: Record<string, string>;
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Reads the data in the page itself. */
export class InlineSource implements Source {
  constructor(private readonly data: InlineData) {}

  async runs(): Promise<RunEntry[]> {
    return this.data.runs;
  }

  async measurements({ id, tag, column }: Query): Promise<Series> {
    const text = this.data.measurements[`${id}\n${tag}`];
    if (text === undefined) return { items: [], total: 0, damaged: 0 };
    return keepColumn(decodeSeries(fromBase64(text)), column);
  }
}
