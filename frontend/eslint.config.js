import js from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import a11y from 'eslint-plugin-jsx-a11y';
import hooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Parts of src in the order in which they may import each other: each only those before it. */
const LAYERS = ['summaries', 'data', 'model', 'ui', 'charts', 'state', 'views', 'screens', 'app', 'hosts'];

const layering = LAYERS.slice(0, -1).map((layer, index) => ({
  files: [`src/${layer}/**`, `src/${layer}.tsx`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^\\.{1,2}/(${LAYERS.slice(index + 1).join('|')})(/|$)`,
            message: `${layer} must only import what stands before it: ${LAYERS.join(' ▷ ')}.`,
          },
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/summaries/cnndiag_pb.ts'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  a11y.flatConfigs.recommended,
  // Maps are role="application" and menus listen for Escape: both are checked in the browser by axe.
  { rules: { 'jsx-a11y/no-noninteractive-element-interactions': 'off' } },
  { plugins: { 'react-hooks': hooks }, rules: { 'react-hooks/rules-of-hooks': 'error' } },
  {
    plugins: { 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts', '.tsx'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.tsx', '.js'] })],
    },
    rules: { 'import-x/no-cycle': 'error' },
  },
  { files: ['scripts/**', '*.js'], languageOptions: { globals: globals.node } },
  {
    files: ['src/**'],
    ignores: ['src/data/**'],
    rules: {
      'no-restricted-globals': ['error', { name: 'fetch', message: 'Only src/data requests data.' }],
    },
  },
  { files: ['src/**'], rules: { 'no-eval': 'error' } },
  ...layering,
);
