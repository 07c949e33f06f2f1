/** Parameters of one plugin in TensorBoard's address: `#cnndiag&p.cnndiag.run=…`. */
export function parametersOfHash(hash: string, plugin: string): Record<string, string> {
  const prefix = `p.${plugin}.`;
  const parameters: Record<string, string> = {};
  for (const part of hash.replace(/^#/, '').split('&')) {
    const [key = '', value = ''] = part.split('=');
    if (!key.startsWith(prefix)) continue;
    try {
      parameters[key.slice(prefix.length)] = decodeURIComponent(value);
    } catch {
      continue;
    }
  }
  return parameters;
}

/** Replaces the parameters of one plugin and keeps the rest of the address. */
export function mergeHash(hash: string, plugin: string, parameters: Record<string, string>): string {
  const others = hash
    .replace(/^#/, '')
    .split('&')
    .filter((part) => part && !part.startsWith(`p.${plugin}.`));
  const own = Object.entries(parameters).map(
    ([key, value]) => `p.${plugin}.${key}=${encodeURIComponent(value)}`,
  );
  return `#${[...others, ...own].join('&')}`;
}
