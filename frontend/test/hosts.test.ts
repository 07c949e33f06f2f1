import { describe, expect, it } from 'vitest';
import { mergeHash, parametersOfHash } from '../src/hosts/hash';

describe("TensorBoard's address", () => {
  it('contains our parameters next to those of other plugins', () => {
    const hash = '#cnndiag&p.scalars.x=1';
    const merged = mergeHash(hash, 'cnndiag', { run: 'a/b', layer: 'x&y=z#2' });
    expect(merged.startsWith('#cnndiag&p.scalars.x=1&')).toBe(true);
    expect(parametersOfHash(merged, 'cnndiag')).toEqual({ run: 'a/b', layer: 'x&y=z#2' });
    expect(mergeHash(merged, 'cnndiag', {})).toBe(hash);
  });
  it('may contain invalid escapes', () => {
    expect(parametersOfHash('#cnndiag&p.cnndiag.run=%E0%A4%A', 'cnndiag')).toEqual({});
  });
});
