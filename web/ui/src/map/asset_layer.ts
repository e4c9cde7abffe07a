/** Numbered poles and trees as small points with their number; one of them may be picked. */
import type { FeatureCollection } from "geojson";
import type { GeoJSONSource, Map as MapLibre, PointLike } from "maplibre-gl";
import { type Asset, CLOSE_ZOOM } from "../base/assets.js";
import type { Theme } from "../base/theme.svelte.js";
import { SEMIBOLD } from "./expressions.js";

const SOURCE = "assets";
const LAYER = "assets";
/** A finger is wider than a point: so many pixels around it count. */
const FINGER_PX = 18;
const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };

const INK: Record<Theme, { point: string; picked: string; edge: string; text: string }> = {
  light: { point: "#0b5a56", picked: "#ad1f18", edge: "#ffffff", text: "#12201f" },
  dark: { point: "#4cc3b8", picked: "#ff8f80", edge: "#0b1315", text: "#e8f0f0" },
};

/** Adds the source and layers; again after every change of look. */
export function addAssets(map: MapLibre, theme: Theme): void {
  const ink = INK[theme];
  map.addSource(SOURCE, { type: "geojson", data: EMPTY });
  map.addLayer({
    id: LAYER,
    type: "circle",
    source: SOURCE,
    minzoom: CLOSE_ZOOM,
    paint: {
      "circle-radius": [
        "interpolate",
        ["linear"],
        ["zoom"],
        CLOSE_ZOOM,
        ["case", ["get", "picked"], 8, 4.5],
        19,
        ["case", ["get", "picked"], 13, 9],
      ],
      "circle-color": ["case", ["get", "picked"], ink.picked, ink.point],
      "circle-stroke-width": ["case", ["get", "picked"], 3, 2],
      "circle-stroke-color": ink.edge,
    },
  });
  map.addLayer({
    id: `${LAYER}-number`,
    type: "symbol",
    source: SOURCE,
    minzoom: 17,
    layout: {
      "text-field": ["get", "code"],
      "text-font": SEMIBOLD,
      "text-size": 12,
      "text-anchor": "top",
      "text-offset": [0, 0.9],
      "text-optional": true,
      "symbol-sort-key": ["case", ["get", "picked"], 0, 1],
    },
    paint: { "text-color": ink.text, "text-halo-color": ink.edge, "text-halo-width": 1.8 },
  });
}

export function setAssets(map: MapLibre, assets: readonly Asset[], picked: string | null): void {
  map.getSource<GeoJSONSource>(SOURCE)?.setData({
    type: "FeatureCollection",
    features: assets.map(({ lon, lat, code }) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [lon, lat] },
      properties: { code, picked: code === picked },
    })),
  });
}

/** The number of the point nearest to where the map was tapped, null beside all of them. */
export function assetAt(map: MapLibre, { x, y }: { x: number; y: number }): string | null {
  const around: [PointLike, PointLike] = [
    [x - FINGER_PX, y - FINGER_PX],
    [x + FINGER_PX, y + FINGER_PX],
  ];
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const found of map.queryRenderedFeatures(around, { layers: [LAYER] })) {
    if (found.geometry.type !== "Point") continue;
    const [lon = 0, lat = 0] = found.geometry.coordinates;
    const at = map.project([lon, lat]);
    const far = Math.hypot(at.x - x, at.y - y);
    if (far < least) {
      least = far;
      best = String(found.properties["code"]);
    }
  }
  return best;
}
