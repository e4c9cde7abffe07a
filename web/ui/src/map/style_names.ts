/** Names on the map: streets, places, waters, points of interest, house numbers. */
import type {
  ExpressionSpecification,
  FilterSpecification,
  LayerSpecification,
  SymbolLayerSpecification,
} from "maplibre-gl";
import { all, kind, linear, MEDIUM, not, SEMIBOLD, SOURCE } from "./expressions.js";
import type { Palette } from "./palette.js";

function label(
  id: string,
  layer: string,
  spec: {
    filter: FilterSpecification;
    minzoom?: number;
    layout: SymbolLayerSpecification["layout"];
    paint: SymbolLayerSpecification["paint"];
  },
): SymbolLayerSpecification {
  return {
    id: `name-${id}`,
    type: "symbol",
    source: SOURCE,
    "source-layer": layer,
    minzoom: spec.minzoom ?? 0,
    filter: spec.filter,
    layout: { ...spec.layout },
    paint: { ...spec.paint },
  };
}

export function names(c: Palette, name: ExpressionSpecification): LayerSpecification[] {
  const haloed = (color: string, haloWidth = 1.6) => ({
    "text-color": color,
    "text-halo-color": c.halo,
    "text-halo-width": haloWidth,
    "text-halo-blur": 0.3,
  });
  return [
    oneWayArrows(c),
    label("house", "buildings", {
      filter: kind("address"),
      minzoom: 17,
      layout: { "text-field": ["get", "addr_housenumber"], "text-font": MEDIUM, "text-size": 10 },
      paint: haloed(c.house, 1),
    }),
    label("water", "water", {
      filter: ["has", "name"],
      layout: {
        "text-field": name,
        "text-font": MEDIUM,
        "text-size": 12,
        "text-letter-spacing": 0.05,
      },
      paint: haloed(c.waterText),
    }),
    label("road-minor", "roads", {
      filter: all(kind("minor_road", "path"), ["has", "name"]),
      minzoom: 14.5,
      layout: { "text-field": name, "text-font": MEDIUM, ...alongRoad(14, 10, 18, 14, 280) },
      paint: haloed(c.text),
    }),
    label("road-major", "roads", {
      filter: all(kind("highway", "major_road"), ["has", "name"]),
      minzoom: 12,
      layout: { "text-field": name, "text-font": SEMIBOLD, ...alongRoad(12, 10.5, 18, 15, 320) },
      paint: haloed(c.text),
    }),
    pointsOfInterest(c, name),
    label("neighbourhood", "places", {
      filter: kind("neighbourhood"),
      minzoom: 11,
      layout: {
        "text-field": name,
        "text-font": SEMIBOLD,
        "text-size": linear(11, 11, 15, 14),
        "text-transform": "uppercase",
        "text-letter-spacing": 0.12,
        "text-max-width": 8,
      },
      paint: { ...haloed(c.place), "text-opacity": 0.8 },
    }),
    label("locality", "places", {
      filter: kind("locality"),
      layout: {
        "text-field": name,
        "text-font": SEMIBOLD,
        "text-size": linear(6, ["+", 6, ["get", "population_rank"]], 12, [
          "+",
          11,
          ["get", "population_rank"],
        ]),
        "text-max-width": 8,
        "symbol-sort-key": ["-", 0, ["get", "population_rank"]],
      },
      paint: haloed(c.place),
    }),
  ];
}

function alongRoad(
  zoomA: number,
  sizeA: number,
  zoomB: number,
  sizeB: number,
  spacing: number,
): SymbolLayerSpecification["layout"] {
  return {
    "text-size": linear(zoomA, sizeA, zoomB, sizeB),
    "symbol-placement": "line",
    "symbol-spacing": spacing,
    "text-max-angle": 35,
    "text-padding": 7,
  };
}

function oneWayArrows(c: Palette): SymbolLayerSpecification {
  return label("oneway", "roads", {
    filter: all(["has", "oneway"], not(kind("path"))),
    minzoom: 16.5,
    layout: {
      "symbol-placement": "line",
      "symbol-spacing": 140,
      "text-field": ["match", ["get", "oneway"], "-1", "‹", "›"],
      "text-font": SEMIBOLD,
      "text-size": 17,
      "text-rotation-alignment": "map",
      "text-keep-upright": false,
      "text-offset": [0, -0.06],
      "text-padding": 0,
      "text-allow-overlap": true,
      "text-ignore-placement": true,
    },
    paint: { "text-color": c.poi, "text-opacity": 0.55 },
  });
}

function pointsOfInterest(c: Palette, name: ExpressionSpecification): SymbolLayerSpecification {
  return label("poi", "pois", {
    filter: all(
      ["has", "name"],
      ["<=", ["get", "min_zoom"], ["+", ["zoom"], 0.3]],
      not(kind("artwork")),
    ),
    minzoom: 14,
    layout: {
      "icon-image": ["concat", "poi-", ["get", "kind"]],
      "icon-padding": 6,
      "text-field": name,
      "text-font": MEDIUM,
      "text-size": 11,
      "text-anchor": "top",
      "text-offset": [0, 0.85],
      "text-max-width": 8,
      "text-optional": true,
      "symbol-sort-key": ["get", "min_zoom"],
    },
    paint: {
      "text-color": c.poi,
      "text-halo-color": c.halo,
      "text-halo-width": 1.4,
    },
  });
}
