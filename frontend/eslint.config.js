import js from '@eslint/js';
import a11y from 'eslint-plugin-jsx-a11y';
import hooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Folders of src in the order in which they may know each other: each only those before it. */
const LAYERS = ['summaries', 'data', 'model', 'ui', 'charts', 'views', 'screens', 'hosts'];

const layering = LAYERS.slice(0, -1).map((layer, index) => ({
  files: [`src/${layer}/**`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...LAYERS.slice(index + 1).map((later) => ({
            regex: `^\\.\\./${later}/(?!host$)`,
            message: `${layer} must not know ${later}.`,
          })),
          ...(index < LAYERS.indexOf('views')
            ? [{ regex: '^\\.\\./state$', message: `${layer} gets data, it does not look for it.` }]
            : []),
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
  { files: ['scripts/**', '*.js'], languageOptions: { globals: globals.node } },
  {
    files: ['src/**'],
    rules: {
      'no-restricted-globals': ['error', { name: 'fetch', message: 'Only src/data asks for data.' }],
      'no-eval': 'error',
    },
  },
  { files: ['src/data/**'], rules: { 'no-restricted-globals': 'off' } },
  ...layering,
);
