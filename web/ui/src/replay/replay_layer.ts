/** Tracks on a map: solid where a crew was seen, broken across gaps, dotted as the device sent it. */
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import type { Theme } from "../base/theme.svelte.js";
import { SEMIBOLD, width } from "../map/expressions.js";
import type { TrackFix } from "./track.js";

export interface Drawn {
  /** Degrees, one list per piece. */
  pieces: readonly (readonly (readonly number[])[])[];
  colour: string;
}

export interface Dot {
  lon: number;
  lat: number;
  label: string;
  colour: string;
  /** Hollow: where it was last, not where it was. */
  known: boolean;
}

const EMPTY = { type: "FeatureCollection" as const, features: [] };
const COLOURS: Record<Theme, readonly string[]> = {
  light: ["#1b5596", "#8a3fb5", "#0b6b66", "#9a5b00"],
  dark: ["#5b9be6", "#c79bff", "#3fc4ba", "#f0b04a"],
};

export function colourOf(n: number, theme: Theme): string {
  const all = COLOURS[theme];
  return all[n % all.length] as string;
}

export function addReplay(map: MapLibre, theme: Theme): void {
  const paper = theme === "dark" ? "#10161a" : "#ffffff";
  const ink = theme === "dark" ? "#e8f0f0" : "#12201f";
  const scene = theme === "dark" ? "#ff8a80" : "#b3211a";
  for (const id of ["replay-tracks", "replay-gaps", "replay-raw", "replay-dots", "replay-scene"])
    map.addSource(id, { type: "geojson", data: EMPTY });
  const round = { "line-cap": "round", "line-join": "round" } as const;
  const colour = ["get", "colour"] as never;
  map.addLayer({
    id: "replay-gaps",
    type: "line",
    source: "replay-gaps",
    paint: { "line-color": colour, "line-width": 2, "line-dasharray": [2, 3], "line-opacity": 0.8 },
  });
  map.addLayer({
    id: "replay-rim",
    type: "line",
    source: "replay-tracks",
    layout: round,
    paint: { "line-color": paper, "line-width": width(11, 5, 15, 8, 18, 12) },
  });
  map.addLayer({
    id: "replay-tracks",
    type: "line",
    source: "replay-tracks",
    layout: round,
    paint: { "line-color": colour, "line-width": width(11, 3, 15, 5, 18, 8) },
  });
  map.addLayer({
    id: "replay-raw",
    type: "circle",
    source: "replay-raw",
    paint: {
      "circle-radius": 3,
      "circle-color": paper,
      "circle-stroke-color": ink,
      "circle-stroke-width": 1.5,
    },
  });
  map.addLayer({
    id: "replay-scene",
    type: "circle",
    source: "replay-scene",
    paint: {
      "circle-radius": 11,
      "circle-color": "rgb(0 0 0 / 0)",
      "circle-stroke-color": scene,
      "circle-stroke-width": 4,
    },
  });
  map.addLayer({
    id: "replay-dots",
    type: "circle",
    source: "replay-dots",
    paint: {
      "circle-radius": 9,
      "circle-color": ["case", ["get", "known"], colour, paper] as never,
      "circle-stroke-color": ["case", ["get", "known"], paper, colour] as never,
      "circle-stroke-width": 3,
    },
  });
  map.addLayer({
    id: "replay-names",
    type: "symbol",
    source: "replay-dots",
    layout: {
      "text-field": ["get", "label"],
      "text-font": SEMIBOLD,
      "text-size": 13,
      "text-anchor": "top",
      "text-offset": [0, 0.9],
      "text-allow-overlap": true,
    },
    paint: { "text-color": ink, "text-halo-color": paper, "text-halo-width": 2 },
  });
}

export function setTracks(map: MapLibre, drawn: readonly Drawn[]): void {
  source(map, "replay-tracks")?.setData({
    type: "FeatureCollection",
    features: drawn.flatMap(({ pieces, colour }) => pieces.map((piece) => line(piece, colour))),
  });
  source(map, "replay-gaps")?.setData({
    type: "FeatureCollection",
    features: drawn.flatMap(({ pieces, colour }) =>
      pieces.slice(1).flatMap((piece, n) => {
        const from = pieces[n]?.at(-1);
        return from && piece[0] ? [line([from, piece[0]], colour)] : [];
      }),
    ),
  });
}

export function setDots(map: MapLibre, dots: readonly Dot[]): void {
  source(map, "replay-dots")?.setData({
    type: "FeatureCollection",
    features: dots.map(({ lon, lat, ...properties }) => point([lon, lat], properties)),
  });
}

/** Places as devices sent them, before smoothing and matching. */
export function setRaw(map: MapLibre, places: readonly (readonly number[])[]): void {
  source(map, "replay-raw")?.setData({
    type: "FeatureCollection",
    features: places.map((place) => point(place, {})),
  });
}

export function setScene(map: MapLibre, scene: { lon: number; lat: number } | null): void {
  source(map, "replay-scene")?.setData({
    type: "FeatureCollection",
    features: scene ? [point([scene.lon, scene.lat], {})] : [],
  });
}

/** The box around all that is drawn; null when nothing is. */
export function boxOf(
  places: readonly Pick<TrackFix, "lon" | "lat">[],
): [[number, number], [number, number]] | null {
  if (places.length === 0) return null;
  let [west, south, east, north] = [180, 90, -180, -90];
  for (const { lon, lat } of places) {
    [west, east] = [Math.min(west, lon), Math.max(east, lon)];
    [south, north] = [Math.min(south, lat), Math.max(north, lat)];
  }
  return [
    [west, south],
    [east, north],
  ];
}

function source(map: MapLibre, id: string): GeoJSONSource | undefined {
  return map.getSource<GeoJSONSource>(id);
}

function line(coordinates: readonly (readonly number[])[], colour: string) {
  return {
    type: "Feature" as const,
    geometry: { type: "LineString" as const, coordinates: coordinates as number[][] },
    properties: { colour },
  };
}

function point(coordinates: readonly number[], properties: Record<string, unknown>) {
  return {
    type: "Feature" as const,
    geometry: { type: "Point" as const, coordinates: coordinates as number[] },
    properties,
  };
}
