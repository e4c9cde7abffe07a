/** What the pages have alike, so that each file says only what is its own: vite puts it in. */
import type { Plugin } from "vite";

const HEAD = `
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
    <meta name="color-scheme" content="light dark" />
    <meta name="theme-color" content="#0b4f4c" />
    <link rel="icon" type="image/svg+xml" href="/static/ui/sigap.svg" />`;
const body = (page: string) => `
  <body>
    <div id="app"></div>
    <noscript>Layar ini membutuhkan JavaScript. / This screen needs JavaScript.</noscript>
    <script type="module" src="/src/${page}/main.ts"></script>
  </body>
</html>`;

export function wholePage(): Plugin {
  return {
    name: "whole-page",
    transformIndexHtml: {
      order: "pre",
      handler: (html, { path }) =>
        html
          .replace("<head>", `<head>${HEAD}`)
          .replace("</html>", body(path.replace(/^\/|\.html$/g, "")).trimStart()),
    },
  };
}
