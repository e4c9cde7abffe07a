/** Incidents, reports and the lines between a crew and its work, on top of the basemap. */
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import type { Theme } from "../base/theme.svelte.js";
import { SEMIBOLD } from "./expressions.js";

type Point = { lon: number; lat: number };

export interface Marker extends Point {
  id: string;
  kind: "incident" | "report";
  image: string;
  /** A few characters under the marker: minutes left. */
  label: string;
  /** Higher is drawn on top. */
  rank: number;
  selected: boolean;
}

export interface Tie {
  from: Point;
  to: Point;
  /** `driving` is drawn solid, `proposed` dashed. */
  kind: "driving" | "proposed";
}

export const MARKER_LAYERS = ["markers-incident", "markers-report"];

const EMPTY = { type: "FeatureCollection" as const, features: [] };

/** Adds the sources and layers; crews are drawn above them by their own layer. */
export function addOverlay(map: MapLibre, theme: Theme): void {
  const ink = theme === "dark" ? "#e8f0f0" : "#12201f";
  const paper = theme === "dark" ? "#10161a" : "#ffffff";
  const driving = theme === "dark" ? "#5b9be6" : "#1b5596";
  for (const id of ["ties", "incidents", "reports"]) {
    map.addSource(id, { type: "geojson", data: EMPTY });
  }
  map.addLayer({
    id: "ties-proposed",
    type: "line",
    source: "ties",
    filter: ["==", ["get", "kind"], "proposed"],
    layout: { "line-cap": "round" },
    paint: { "line-color": driving, "line-width": 2.5, "line-dasharray": [0.5, 2] },
  });
  map.addLayer({
    id: "ties-driving",
    type: "line",
    source: "ties",
    filter: ["==", ["get", "kind"], "driving"],
    layout: { "line-cap": "round" },
    paint: { "line-color": driving, "line-width": 2.5, "line-opacity": 0.75 },
  });
  for (const [source, offset] of [
    ["reports", 0.1],
    ["incidents", 0.1],
  ] as const) {
    map.addLayer({
      id: source === "incidents" ? "markers-incident" : "markers-report",
      type: "symbol",
      source,
      layout: {
        "icon-image": ["get", "image"],
        "icon-size": ["case", ["get", "selected"], 1.25, 1],
        "icon-anchor": "bottom",
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "rank"],
        "text-field": ["step", ["zoom"], "", 12.5, ["get", "label"]],
        "text-font": SEMIBOLD,
        "text-size": 12,
        "text-anchor": "top",
        "text-offset": [0, offset],
        "text-optional": true,
        "text-allow-overlap": false,
      },
      paint: { "text-color": ink, "text-halo-color": paper, "text-halo-width": 1.8 },
    });
  }
}

export function setMarkers(map: MapLibre, markers: readonly Marker[]): void {
  for (const kind of ["incident", "report"] as const) {
    const source = map.getSource<GeoJSONSource>(`${kind}s`);
    source?.setData({
      type: "FeatureCollection",
      features: markers
        .filter((marker) => marker.kind === kind)
        .map(({ lon, lat, ...properties }) => ({
          type: "Feature",
          geometry: { type: "Point", coordinates: [lon, lat] },
          properties,
        })),
    });
  }
}

export function setTies(map: MapLibre, ties: readonly Tie[]): void {
  map.getSource<GeoJSONSource>("ties")?.setData({
    type: "FeatureCollection",
    features: ties.map(({ from, to, kind }) => ({
      type: "Feature",
      geometry: {
        type: "LineString",
        coordinates: [
          [from.lon, from.lat],
          [to.lon, to.lat],
        ],
      },
      properties: { kind },
    })),
  });
}
