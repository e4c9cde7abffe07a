/** Bundles the fold rule alone, so that plain Node can run it (scripts/fold.mjs). */
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    ssr: "src/live/fold_lines.ts",
    outDir: `${process.env.SIGAP_UI_OUT ?? "../static/ui"}/node`,
    emptyOutDir: true,
    target: "node20",
    minify: false,
    rolldownOptions: { output: { entryFileNames: "fold.mjs" } },
  },
});
