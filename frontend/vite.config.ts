import { defineConfig, type Plugin } from 'vite';

/** Puts the style sheets into the script, which sets them when it runs: each host loads one file. */
function stylesInScript(): Plugin {
  return {
    name: 'styles-in-script',
    enforce: 'post',
    generateBundle(_, bundle) {
      const entry = Object.values(bundle).find((file) => file.type === 'chunk' && file.isEntry);
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type !== 'asset' || !name.endsWith('.css') || entry?.type !== 'chunk') continue;
        const text = JSON.stringify(String(file.source).trim());
        entry.code = `document.head.append(Object.assign(document.createElement('style'), { textContent: ${text} }));\n${entry.code}`;
        Reflect.deleteProperty(bundle, name);
      }
    },
  };
}

/** One source makes two entries: the module TensorBoard imports, and the report's single script. */
export default defineConfig(({ mode }) => ({
  base: './',
  publicDir: false,
  plugins: [stylesInScript()],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    outDir: 'dist',
    emptyOutDir: mode !== 'report',
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    rollupOptions: {
      input: mode === 'report' ? 'src/hosts/report.ts' : 'src/hosts/tensorboard.ts',
      preserveEntrySignatures: 'allow-extension' as const,
      output:
        mode === 'report'
          ? { entryFileNames: 'report.js', format: 'iife' as const, inlineDynamicImports: true }
          : { entryFileNames: 'index.js', chunkFileNames: '[name]-[hash].js' },
    },
  },
}));
