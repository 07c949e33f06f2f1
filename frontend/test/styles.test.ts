import { readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' });
const sheets = files.filter((name) => name.endsWith('.css') && !name.startsWith('styles/'));
const sources = files
  .filter((name) => name.endsWith('.tsx'))
  .map((name) => ({ folder: dirname(name), text: readFileSync(`${SRC}/${name}`, 'utf8') }));

/** The first class of each selector of a sheet. */
function leadingClasses(sheet: string): Set<string> {
  const text = readFileSync(`${SRC}/${sheet}`, 'utf8').replace(/\/\*.*?\*\//gs, '');
  const selectors = [...text.matchAll(/([^{}]+)\{/g)].flatMap(([, list = '']) => list.split(','));
  const classes = selectors.map((selector) => /^\s*\.([\w-]+)/.exec(selector)?.[1]);
  return new Set(classes.filter((name) => name !== undefined));
}

describe('a style sheet', () => {
  it.each(sheets)('%s is imported next to it and styles what its importers render', (sheet) => {
    const [folder, name] = [dirname(sheet), sheet.slice(sheet.lastIndexOf('/') + 1)];
    const importers = sources.filter(
      (source) => source.folder === folder && source.text.includes(`import './${name}';`),
    );
    expect(importers).not.toHaveLength(0);
    const rendered = importers.map(({ text }) => text.replace(/^import.*$/gm, '')).join('\n');
    for (const leading of leadingClasses(sheet))
      expect(rendered).toMatch(new RegExp(`(?<![\\w-])${leading}(?![\\w-])`));
  });

  it('holds no color of its own outside of the tokens', () => {
    for (const sheet of [...sheets, 'styles/base.css'])
      expect(readFileSync(`${SRC}/${sheet}`, 'utf8')).not.toMatch(/#[0-9a-f]{3,8}\b|rgb\(/);
  });
});
