import { decodeSeries, type Query, type RunEntry, type Series, type Source } from './source';

async function get(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw new Error(
      'TensorBoard does not answer. Is the process still running? Start it again, then reload.',
    );
  }
  if (!response.ok) {
    const reason = (await response.text()).slice(0, 300);
    throw new Error(`TensorBoard answered ${response.status}: ${reason || response.statusText}`);
  }
  return response;
}

/** Requests data from the plugin; paths are relative to the iframe's base, so they work under --path_prefix. */
export class HttpSource implements Source {
  async runs(): Promise<RunEntry[]> {
    const body = (await (await get('./runs')).json()) as { runs: RunEntry[] };
    return body.runs;
  }

  async measurements({ id, tag, max, column }: Query): Promise<Series> {
    const parameters = new URLSearchParams({ run: id, tag });
    if (max !== undefined) parameters.set('max', String(max));
    if (column !== undefined) parameters.set('column', column);
    const response = await get(`./measurements?${parameters}`);
    return decodeSeries(new Uint8Array(await response.arrayBuffer()));
  }
}
