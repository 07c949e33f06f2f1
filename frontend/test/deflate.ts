/** zlib without compression: enough for synthetic data, and the same in browsers and Node. */
export function deflateSync(bytes: Uint8Array): Uint8Array {
  const blocks: number[] = [0x78, 0x01];
  for (let start = 0; start < bytes.length || start === 0; start += 65_535) {
    const part = bytes.subarray(start, start + 65_535);
    const last = start + 65_535 >= bytes.length ? 1 : 0;
    blocks.push(
      last,
      part.length & 255,
      part.length >> 8,
      ~part.length & 255,
      (~part.length >> 8) & 255,
      ...part,
    );
  }
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  blocks.push(b >> 8, b & 255, a >> 8, a & 255);
  return Uint8Array.from(blocks);
}
