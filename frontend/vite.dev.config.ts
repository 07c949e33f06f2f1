import { defineConfig } from 'vite';

/** The development page: the frontend on synthetic runs, without TensorBoard. */
export default defineConfig({
  root: 'dev',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  server: { host: '127.0.0.1' },
});
