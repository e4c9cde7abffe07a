/** The basemap: streets first, quiet ground, names in the reader's language, no server but our own. */
import type { ExpressionSpecification, StyleSpecification } from "maplibre-gl";
import type { Language } from "../base/language.svelte.js";
import type { Theme } from "../base/theme.svelte.js";
import { SOURCE } from "./expressions.js";
import { palettes } from "./palette.js";
import { borders, ground } from "./style_ground.js";
import { names } from "./style_names.js";
import { roadNetwork } from "./style_roads.js";

export const OSM_ATTRIBUTION = "© OpenStreetMap contributors";

/** A style over tiles in the Protomaps v4 shape; `url` is a `pmtiles://` address, null for plain ground. */
export function basemapStyle(
  theme: Theme,
  { url, language }: { url: string | null; language: Language },
): StyleSpecification {
  const colors = palettes[theme];
  if (url === null) {
    const background = { "background-color": colors.earth };
    return {
      version: 8,
      sources: {},
      layers: [{ id: "background", type: "background", paint: background }],
    };
  }
  return {
    version: 8,
    name: `sigap-${theme}`,
    sources: { [SOURCE]: { type: "vector", url, attribution: OSM_ATTRIBUTION } },
    layers: [
      ...ground(colors),
      ...roadNetwork(colors),
      ...borders(colors),
      ...names(colors, nameIn(language)),
    ],
  };
}

function nameIn(language: Language): ExpressionSpecification {
  return ["coalesce", ["get", `name:${language}`], ["get", "name"], ["get", "name:en"]];
}
