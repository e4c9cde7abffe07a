/** Short words for the map style's expressions, so that a layer reads like a sentence. */
import type { ExpressionSpecification } from "maplibre-gl";

/** The one vector source all basemap layers draw from. */
export const SOURCE = "base";

/** Fonts are drawn by the browser from families declared in map.css; no glyph server exists. */
export const MEDIUM = ["Inter Medium"];
export const SEMIBOLD = ["Inter SemiBold"];

export const kind = (...kinds: string[]): ExpressionSpecification => [
  "in",
  ["get", "kind"],
  ["literal", kinds],
];
export const detail = (...details: string[]): ExpressionSpecification => [
  "in",
  ["get", "kind_detail"],
  ["literal", details],
];
export const all = (...parts: ExpressionSpecification[]): ExpressionSpecification => [
  "all",
  ...parts,
];
export const not = (part: ExpressionSpecification): ExpressionSpecification => ["!", part];

/** A width that grows with the zoom: pairs of zoom and pixels. */
export function width(...stops: number[]): ExpressionSpecification {
  return ["interpolate", ["exponential", 1.6], ["zoom"], ...stops] as ExpressionSpecification;
}

export function linear(...stops: (number | ExpressionSpecification)[]): ExpressionSpecification {
  return ["interpolate", ["linear"], ["zoom"], ...stops] as ExpressionSpecification;
}

/** The same widths with a rim of `rim` pixels: what shows of a road's casing. */
export function cased(widths: ExpressionSpecification, rim: number): ExpressionSpecification {
  return (widths as unknown[]).map((part, i) =>
    i >= 4 && i % 2 === 0 ? (part as number) + rim : part,
  ) as unknown as ExpressionSpecification;
}
