/** A chosen round on the map: the way through its stops, each stop with its number. */
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import type { Theme } from "../base/theme.svelte.js";
import { SEMIBOLD, width } from "./expressions.js";

export interface RoundStopMark {
  lon: number;
  lat: number;
  /** The stop's number, or a tick once it is done. */
  label: string;
  state: "done" | "now" | "waiting";
}

export interface RoundMark {
  /** The drive through what is left, degrees. */
  points: readonly (readonly number[])[];
  stops: readonly RoundStopMark[];
}

/** How far the middle of a pin's head is above the place it points at, in pixels. */
const HEAD_PX = 26;
const EMPTY = { type: "FeatureCollection" as const, features: [] };
const COLOURS: Record<Theme, { way: string; rim: string; ink: string; done: string; now: string }> =
  {
    light: { way: "#6a3fb5", rim: "#ffffff", ink: "#ffffff", done: "#4b5b5a", now: "#0a6b4f" },
    dark: { way: "#b79bff", rim: "#10161a", ink: "#120b22", done: "#93a5a4", now: "#58d3a6" },
  };

/** Adds the sources and layers, empty; call it after the incidents' markers. */
export function addRound(map: MapLibre, theme: Theme): void {
  const colours = COLOURS[theme];
  for (const id of ["round-way", "round-stops"])
    map.addSource(id, { type: "geojson", data: EMPTY });
  const round = { "line-cap": "round", "line-join": "round" } as const;
  map.addLayer({
    id: "round-rim",
    type: "line",
    source: "round-way",
    layout: round,
    paint: { "line-color": colours.rim, "line-width": width(11, 5, 15, 8, 18, 12) },
  });
  map.addLayer({
    id: "round-way",
    type: "line",
    source: "round-way",
    layout: round,
    paint: { "line-color": colours.way, "line-width": width(11, 3, 15, 5, 18, 8) },
  });
  const colour = ["match", ["get", "state"], "done", colours.done, "now", colours.now, colours.way];
  // What is still open has a pin of its own: its number stands in the pin's head.
  for (const [id, done, lift] of [
    ["done", true, 0],
    ["open", false, HEAD_PX],
  ] as const) {
    const filter = [done ? "==" : "!=", ["get", "state"], "done"] as never;
    map.addLayer({
      id: `round-stops-${id}`,
      type: "circle",
      source: "round-stops",
      filter,
      paint: {
        "circle-radius": 12,
        "circle-color": colour as never,
        "circle-stroke-color": colours.rim,
        "circle-stroke-width": 2.5,
        "circle-translate": [0, -lift],
      },
    });
    map.addLayer({
      id: `round-numbers-${id}`,
      type: "symbol",
      source: "round-stops",
      filter,
      layout: {
        "text-field": ["get", "label"],
        "text-font": SEMIBOLD,
        "text-size": 13,
        "text-allow-overlap": true,
        "text-ignore-placement": true,
      },
      paint: { "text-color": colours.ink, "text-translate": [0, -lift] },
    });
  }
}

export function setRound(map: MapLibre, mark: RoundMark | null): void {
  map.getSource<GeoJSONSource>("round-way")?.setData({
    type: "FeatureCollection",
    features:
      mark && mark.points.length > 1
        ? [
            {
              type: "Feature",
              geometry: { type: "LineString", coordinates: mark.points.map((point) => [...point]) },
              properties: {},
            },
          ]
        : [],
  });
  map.getSource<GeoJSONSource>("round-stops")?.setData({
    type: "FeatureCollection",
    features: (mark?.stops ?? []).map(({ lon, lat, ...properties }) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [lon, lat] },
      properties,
    })),
  });
}

/** The box around everything the mark draws: west, south, east, north; null when it draws nothing. */
export function boxOf(mark: RoundMark): [number, number, number, number] | null {
  const all = [...mark.points, ...mark.stops.map(({ lon, lat }) => [lon, lat])];
  if (!all.length) return null;
  const lons = all.map(([lon]) => lon as number);
  const lats = all.map(([, lat]) => lat as number);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}
