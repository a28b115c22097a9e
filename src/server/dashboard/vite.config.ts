// How the dashboard becomes files that need nothing from elsewhere. `npm run build` calls it.
import { resolve } from "node:path";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: resolve(import.meta.dirname, "../../../dist/dashboard"),
    emptyOutDir: true,
    // Licences of what is bundled, as they ask for.
    license: { fileName: "licenses.md" },
    // The content-security policy allows no inline data as scripts or fonts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
  },
});
