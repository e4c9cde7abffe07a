/** How the screen texts in messages/ become typed functions: read by Vite and by scripts/messages.mjs. */
/** @type {import("@inlang/paraglide-js").CompilerOptions} */
export const messageOptions = {
  project: "./project.inlang",
  outdir: "./src/paraglide",
  strategy: ["cookie", "preferredLanguage", "baseLocale"],
  cookieName: "sigap_lang",
  emitGitIgnore: false,
  emitReadme: false,
  emitPrettierIgnore: false,
  isServer: "false",
  outputStructure: "message-modules",
};
