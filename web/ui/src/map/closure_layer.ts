/** Closed roads: barrier tape along the road and a no-entry sign on it; a draft while one is drawn. */
import type { Feature, FeatureCollection } from "geojson";
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import type { Theme } from "../base/theme.svelte.js";
import { canvasImage, type MapImage } from "./canvas_image.js";
import { width } from "./expressions.js";

export type Position = [lon: number, lat: number];

/** A piece of road by its two ends, as the server tells it. */
export interface Piece {
  u_lon: number;
  u_lat: number;
  v_lon: number;
  v_lat: number;
}

export interface ClosedRoad {
  id: string;
  pieces: readonly Piece[];
  selected: boolean;
}

export const CLOSURE_LAYERS = ["closures-sign", "closures-tape"];
const SIGN = "closure-sign";

const COLOURS: Record<Theme, { tape: string; gap: string; rim: string; chosen: string }> = {
  light: { tape: "#b3211a", gap: "#ffffff", rim: "#ffffff", chosen: "#0a66c2" },
  dark: { tape: "#d0382e", gap: "#f4fafa", rim: "#0b1315", chosen: "#8bc2ff" },
};
const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };

/** Adds the sources and layers; call it before what must be drawn above closed roads. */
export function addClosures(map: MapLibre, theme: Theme): void {
  const colours = COLOURS[theme];
  for (const id of ["closures", "closure-signs", "closure-draft"]) {
    map.addSource(id, { type: "geojson", data: EMPTY });
  }
  const butt = { "line-cap": "butt", "line-join": "round" } as const;
  map.addLayer({
    id: "closures-rim",
    type: "line",
    source: "closures",
    layout: { "line-cap": "round", "line-join": "round" },
    paint: {
      "line-color": ["case", ["get", "selected"], colours.chosen, colours.rim],
      "line-width": width(11, 5, 15, 11, 18, 17),
    },
  });
  map.addLayer({
    id: "closures-tape",
    type: "line",
    source: "closures",
    layout: butt,
    paint: { "line-color": colours.tape, "line-width": width(11, 3, 15, 7, 18, 12) },
  });
  map.addLayer({
    id: "closures-gaps",
    type: "line",
    source: "closures",
    layout: butt,
    paint: {
      "line-color": colours.gap,
      "line-width": width(11, 3, 15, 7, 18, 12),
      "line-dasharray": [0.9, 1.1],
    },
  });
  map.addLayer({
    id: "closures-draft-line",
    type: "line",
    source: "closure-draft",
    filter: ["==", ["get", "what"], "line"],
    paint: { "line-color": colours.chosen, "line-width": 2, "line-dasharray": [2, 2] },
  });
  map.addLayer({
    id: "closures-draft",
    type: "line",
    source: "closure-draft",
    filter: ["==", ["get", "what"], "piece"],
    layout: { "line-cap": "round" },
    paint: {
      "line-color": colours.chosen,
      "line-width": width(11, 4, 15, 8, 18, 14),
    },
  });
  map.addLayer({
    id: "closures-draft-points",
    type: "circle",
    source: "closure-draft",
    filter: ["==", ["get", "what"], "point"],
    paint: {
      "circle-radius": 5,
      "circle-color": colours.rim,
      "circle-stroke-color": colours.chosen,
      "circle-stroke-width": 3,
    },
  });
  map.addLayer({
    id: "closures-sign",
    type: "symbol",
    source: "closure-signs",
    layout: {
      "icon-image": SIGN,
      "icon-size": ["case", ["get", "selected"], 1.25, 1],
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
    },
  });
}

export function setClosures(map: MapLibre, closed: readonly ClosedRoad[]): void {
  map.getSource<GeoJSONSource>("closures")?.setData({
    type: "FeatureCollection",
    features: closed.flatMap(({ id, pieces, selected }) =>
      pieces.map((piece) => line(endsOf(piece), { id, kind: "closure", selected })),
    ),
  });
  map.getSource<GeoJSONSource>("closure-signs")?.setData({
    type: "FeatureCollection",
    features: closed.flatMap(({ id, pieces, selected }) => {
      const place = middleOf(pieces);
      return place ? [point(place, { id, kind: "closure", selected })] : [];
    }),
  });
}

export function setDraft(
  map: MapLibre,
  drawn: readonly Position[],
  pieces: readonly Piece[],
): void {
  map.getSource<GeoJSONSource>("closure-draft")?.setData({
    type: "FeatureCollection",
    features: [
      ...pieces.map((piece) => line(endsOf(piece), { what: "piece" })),
      ...(drawn.length > 1 ? [line([...drawn], { what: "line" })] : []),
      ...drawn.map((place) => point(place, { what: "point" })),
    ],
  });
}

/** The middle of the middle piece: on the road, however it bends. */
export function middleOf(pieces: readonly Piece[]): Position | null {
  const piece = pieces[Math.floor(pieces.length / 2)];
  if (!piece) return null;
  return [(piece.u_lon + piece.v_lon) / 2, (piece.u_lat + piece.v_lat) / 2];
}

/** The no-entry sign on the map and in its legend; null for any other name. */
export function closureImage(id: string, theme: Theme): MapImage | null {
  if (id !== SIGN) return null;
  const { tape, gap } = COLOURS[theme];
  return canvasImage(26, 26, (g) => {
    g.beginPath();
    g.arc(13, 13, 11.5, 0, 2 * Math.PI);
    g.fillStyle = gap;
    g.fill();
    g.beginPath();
    g.arc(13, 13, 10, 0, 2 * Math.PI);
    g.fillStyle = tape;
    g.fill();
    g.fillStyle = gap;
    g.fillRect(7, 11, 12, 4);
  });
}

/** The tape and the sign in one picture, for a legend. */
export function closureSample(theme: Theme): MapImage {
  const { tape, gap } = COLOURS[theme];
  return canvasImage(44, 26, (g) => {
    g.fillStyle = tape;
    g.fillRect(0, 10, 44, 6);
    g.fillStyle = gap;
    for (let at = 5; at < 44; at += 12) g.fillRect(at, 10, 6, 6);
    g.beginPath();
    g.arc(22, 13, 10, 0, 2 * Math.PI);
    g.fillStyle = tape;
    g.fill();
    g.fillStyle = gap;
    g.fillRect(16, 11, 12, 4);
  });
}

function endsOf(piece: Piece): Position[] {
  return [
    [piece.u_lon, piece.u_lat],
    [piece.v_lon, piece.v_lat],
  ];
}

function line(coordinates: Position[], properties: Record<string, unknown>): Feature {
  return { type: "Feature", geometry: { type: "LineString", coordinates }, properties };
}

function point(coordinates: Position, properties: Record<string, unknown>): Feature {
  return { type: "Feature", geometry: { type: "Point", coordinates }, properties };
}
