/** Builds the screens into web/static/ui, every asset local, nothing inline (strict CSP). */
import { paraglideVitePlugin } from "@inlang/paraglide-js";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { messageOptions } from "./messages.config.mjs";
import { wholePage } from "./vite.page.js";

const pages = ["console", "crew", "evaluation", "agency", "devices", "replay", "signin"];

/** The citizen pages are server-rendered; the server finds these files by the manifest. */
const citizen = ["report.ts", "small.ts", "track.ts", "city_map.ts", "fonts.css"];

export default defineConfig({
  base: "/static/ui/",
  plugins: [wholePage(), svelte(), paraglideVitePlugin(messageOptions)],
  worker: { format: "es" },
  build: {
    outDir: process.env.SIGAP_UI_OUT ?? "../static/ui",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    // The crew phone's service worker reads it to know every file of the build.
    manifest: "manifest.json",
    rolldownOptions: {
      input: {
        ...Object.fromEntries(pages.map((page) => [page, `${page}.html`])),
        "crew-sw": "src/crew/sw.ts",
        ...Object.fromEntries(citizen.map((file) => [`citizen-${file}`, `src/citizen/${file}`])),
      },
      output: {
        // A service worker must keep its address from build to build.
        entryFileNames: ({ name }) =>
          name === "crew-sw" ? "crew-sw.js" : "assets/[name]-[hash].js",
      },
    },
  },
});
