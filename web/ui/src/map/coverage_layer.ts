/** Where help can be in time: zones tinted and hatched by their chance, denser where it is worse. */
import type { FeatureCollection } from "geojson";
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import type { Theme } from "../base/theme.svelte.js";
import { canvasImage, type MapImage } from "./canvas_image.js";

export const LEVELS = ["high", "good", "weak", "poor"] as const;
export type Level = (typeof LEVELS)[number];

export interface CoverageArea {
  id: number;
  ring: readonly (readonly [lon: number, lat: number])[];
  p: number;
  selected: boolean;
}

export const COVERAGE_LAYER = "coverage-tint";
const SOURCE = "coverage";
const TILE = 16;

const INK: Record<Theme, Record<Level, string>> = {
  light: { high: "#0b5a56", good: "#3f7d2c", weak: "#a96500", poor: "#ad1f18" },
  dark: { high: "#4cc3b8", good: "#93d07a", weak: "#f0ad3c", poor: "#ff8f80" },
};
const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };

export function levelOf(p: number): Level {
  if (p >= 0.9) return "high";
  if (p >= 0.7) return "good";
  return p >= 0.4 ? "weak" : "poor";
}

/** Adds the source and layers, hidden while there is nothing to show; call it before the closures. */
export function addCoverage(map: MapLibre, theme: Theme): void {
  const ink = INK[theme];
  const colour = [
    "match",
    ["get", "level"],
    ...LEVELS.flatMap((level) => [level, ink[level]]),
    ink.poor,
  ] as unknown as string;
  map.addSource(SOURCE, { type: "geojson", data: EMPTY });
  map.addLayer({
    id: COVERAGE_LAYER,
    type: "fill",
    source: SOURCE,
    paint: {
      "fill-color": colour,
      "fill-opacity": ["match", ["get", "level"], "high", 0.16, "good", 0.2, 0.26],
    },
  });
  map.addLayer({
    id: "coverage-hatch",
    type: "fill",
    source: SOURCE,
    filter: ["!=", ["get", "level"], "high"],
    paint: { "fill-pattern": ["concat", "coverage|", ["get", "level"]], "fill-opacity": 0.5 },
  });
  map.addLayer({
    id: "coverage-edge",
    type: "line",
    source: SOURCE,
    paint: {
      "line-color": colour,
      "line-width": ["case", ["get", "selected"], 3, 0.6],
      "line-opacity": ["case", ["get", "selected"], 1, 0.5],
    },
  });
}

export function setCoverage(map: MapLibre, areas: readonly CoverageArea[]): void {
  map.getSource<GeoJSONSource>(SOURCE)?.setData({
    type: "FeatureCollection",
    features: areas.map(({ id, ring, p, selected }) => ({
      type: "Feature",
      geometry: { type: "Polygon", coordinates: [ring.map(([lon, lat]) => [lon, lat])] },
      properties: { id, level: levelOf(p), selected },
    })),
  });
}

/** The hatch of a level, `coverage|weak`; also drawn in the legend. */
export function coverageImage(id: string, theme: Theme): MapImage | null {
  const [kind, level] = id.split("|");
  if (kind !== "coverage" || !LEVELS.includes(level as Level)) return null;
  return canvasImage(TILE, TILE, (g) => drawHatch(g, level as Level, theme));
}

/** A swatch of the legend: tint and hatch as on the map. */
export function drawSwatch(g: CanvasRenderingContext2D, level: Level, theme: Theme): void {
  g.globalAlpha = 0.3;
  g.fillStyle = INK[theme][level];
  g.fillRect(0, 0, g.canvas.width, g.canvas.height);
  g.globalAlpha = 1;
  for (let x = 0; x < g.canvas.width; x += TILE) {
    g.save();
    g.translate(x, 0);
    drawHatch(g, level, theme);
    g.restore();
  }
}

/** Lines from corner to corner, so that tiles join: none, one way, twice as dense, both ways. */
function drawHatch(g: CanvasRenderingContext2D, level: Level, theme: Theme): void {
  if (level === "high") return;
  g.strokeStyle = INK[theme][level];
  g.lineWidth = level === "poor" ? 1.6 : 1.2;
  const step = level === "good" ? TILE : TILE / 2;
  for (let at = -TILE; at <= TILE * 2; at += step) {
    line(g, at, 0, at + TILE, TILE);
    if (level === "poor") line(g, at, TILE, at + TILE, 0);
  }
}

function line(g: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  g.beginPath();
  g.moveTo(x1, y1);
  g.lineTo(x2, y2);
  g.stroke();
}
