import { defineConfig } from 'vite';

/** One source makes two entries: the module TensorBoard imports, and the report's single script. */
export default defineConfig(({ mode }) => ({
  base: './',
  publicDir: false,
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    outDir: 'dist',
    emptyOutDir: mode !== 'report',
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      input: mode === 'report' ? 'src/hosts/report.ts' : 'src/hosts/tensorboard.ts',
      preserveEntrySignatures: 'strict' as const,
      output:
        mode === 'report'
          ? { entryFileNames: 'report.js', format: 'iife' as const, inlineDynamicImports: true }
          : { entryFileNames: 'index.js' },
    },
  },
}));
