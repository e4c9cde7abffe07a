/** How far a crew comes by road: an area for each limit, told apart by its dashes and its number. */
import type { FeatureCollection } from "geojson";
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import type { Theme } from "../base/theme.svelte.js";
import { SEMIBOLD } from "./expressions.js";

export interface ReachArea {
  minutes: number;
  /** Polygons of rings of lon, lat: the outline first, then what is not reached within it. */
  polygons: readonly (readonly (readonly (readonly number[])[])[])[];
}

/** Line patterns from the nearest area outwards, in line widths. */
export const DASHES: readonly (readonly number[])[] = [[1], [4, 1.5], [1, 2]];
const SOURCE = "reach";
const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };
const INK: Record<Theme, { line: string; paper: string }> = {
  light: { line: "#1b5596", paper: "#ffffff" },
  dark: { line: "#8fc0ff", paper: "#10161a" },
};

/** Adds the source and layers, empty; call it before the closures. */
export function addReach(map: MapLibre, theme: Theme): void {
  const ink = INK[theme];
  map.addSource(SOURCE, { type: "geojson", data: EMPTY });
  map.addLayer({
    id: "reach-tint",
    type: "fill",
    source: SOURCE,
    paint: { "fill-color": ink.line, "fill-opacity": 0.1 },
  });
  DASHES.forEach((dashes, rank) => {
    map.addLayer({
      id: `reach-edge-${rank}`,
      type: "line",
      source: SOURCE,
      filter: ["==", ["get", "rank"], rank],
      layout: { "line-join": "round", "line-cap": "butt" },
      paint: {
        "line-color": ink.line,
        "line-width": 2.5,
        ...(dashes.length > 1 ? { "line-dasharray": [...dashes] } : {}),
      },
    });
  });
  map.addLayer({
    id: "reach-number",
    type: "symbol",
    source: SOURCE,
    layout: {
      "symbol-placement": "line",
      "symbol-spacing": 260,
      "text-field": ["get", "label"],
      "text-font": SEMIBOLD,
      "text-size": 13,
      "text-keep-upright": true,
    },
    paint: { "text-color": ink.line, "text-halo-color": ink.paper, "text-halo-width": 2.5 },
  });
}

export function setReach(map: MapLibre, areas: readonly ReachArea[]): void {
  map.getSource<GeoJSONSource>(SOURCE)?.setData(reachFeatures(areas));
}

export function reachFeatures(areas: readonly ReachArea[]): FeatureCollection {
  return {
    type: "FeatureCollection",
    // The largest first, so that the nearer ones lie on it.
    features: areas
      .map(({ minutes, polygons }, rank) => ({
        type: "Feature" as const,
        geometry: {
          type: "MultiPolygon" as const,
          coordinates: polygons.map((rings) =>
            rings.map((ring) => ring.map((place) => [...place])),
          ),
        },
        properties: { rank: Math.min(rank, DASHES.length - 1), label: `${minutes}′` },
      }))
      .reverse(),
  };
}
