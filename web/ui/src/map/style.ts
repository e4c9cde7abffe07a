/** The basemap: streets first, quiet ground, names in the reader's language, no server but our own. */
import type {
  ExpressionSpecification,
  FilterSpecification,
  LayerSpecification,
  LineLayerSpecification,
  StyleSpecification,
  SymbolLayerSpecification,
} from "maplibre-gl";
import type { Language } from "../base/language.svelte.js";
import type { Theme } from "../base/theme.svelte.js";
import { type Palette, palettes } from "./palette.js";

/** Fonts are drawn by the browser from families declared in map.css; no glyph server exists. */
export const MEDIUM = ["Inter Medium"];
export const SEMIBOLD = ["Inter SemiBold"];
const SOURCE = "base";

export const OSM_ATTRIBUTION = "© OpenStreetMap contributors";

/** A style over tiles in the Protomaps v4 shape; `url` is a `pmtiles://` address. */
export function basemapStyle(
  theme: Theme,
  { url, language }: { url: string; language: Language },
): StyleSpecification {
  const colors = palettes[theme];
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

const kind = (...kinds: string[]): ExpressionSpecification => [
  "in",
  ["get", "kind"],
  ["literal", kinds],
];
const detail = (...details: string[]): ExpressionSpecification => [
  "in",
  ["get", "kind_detail"],
  ["literal", details],
];
const all = (...parts: ExpressionSpecification[]): ExpressionSpecification => ["all", ...parts];
const not = (part: ExpressionSpecification): ExpressionSpecification => ["!", part];

/** A width that grows with the zoom: pairs of zoom and pixels. */
function width(...stops: number[]): ExpressionSpecification {
  return ["interpolate", ["exponential", 1.6], ["zoom"], ...stops] as ExpressionSpecification;
}

function linear(...stops: (number | ExpressionSpecification)[]): ExpressionSpecification {
  return ["interpolate", ["linear"], ["zoom"], ...stops] as ExpressionSpecification;
}

/** The same widths with a rim of `rim` pixels: what shows of a road's casing. */
function cased(widths: ExpressionSpecification, rim: number): ExpressionSpecification {
  return (widths as unknown[]).map((part, i) =>
    i >= 4 && i % 2 === 0 ? (part as number) + rim : part,
  ) as unknown as ExpressionSpecification;
}

function nameIn(language: Language): ExpressionSpecification {
  return ["coalesce", ["get", `name:${language}`], ["get", "name"], ["get", "name:en"]];
}

// --- ground ---------------------------------------------------------------------------------

function fill(
  id: string,
  layer: string,
  filter: FilterSpecification,
  color: string,
): LayerSpecification {
  return {
    id,
    type: "fill",
    source: SOURCE,
    "source-layer": layer,
    filter,
    paint: { "fill-color": color },
  };
}

function ground(c: Palette): LayerSpecification[] {
  const land = (id: string, color: string, ...kinds: string[]) =>
    fill(`land-${id}`, "landuse", kind(...kinds), color);
  return [
    { id: "background", type: "background", paint: { "background-color": c.earth } },
    fill("earth", "earth", kind("earth"), c.earth),
    land(
      "industrial",
      c.industrial,
      "industrial",
      "railway",
      "commercial",
      "military",
      "brownfield",
      "parking",
      "quarry",
    ),
    land("school", c.school, "school", "university", "college", "kindergarten"),
    land("hospital", c.hospital, "hospital"),
    land(
      "grass",
      c.grass,
      "grass",
      "meadow",
      "recreation_ground",
      "village_green",
      "allotments",
      "grassland",
      "scrub",
      "farmland",
      "orchard",
      "cemetery",
      "golf_course",
      "wetland",
    ),
    land("park", c.park, "park", "garden", "playground", "nature_reserve"),
    land("wood", c.wood, "forest", "wood"),
    land("sand", c.sand, "beach", "sand"),
    land("pitch", c.pitch, "pitch", "track", "stadium"),
    land("pedestrian", c.pedestrian, "pedestrian", "pier", "bridge"),
    fill("water", "water", ["==", ["geometry-type"], "Polygon"], c.water),
    {
      id: "waterway",
      type: "line",
      source: SOURCE,
      "source-layer": "water",
      filter: ["==", ["geometry-type"], "LineString"],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": c.water, "line-width": waterwayWidth() },
    },
  ];
}

function waterwayWidth(): ExpressionSpecification {
  const by = (river: number, canal: number, rest: number): ExpressionSpecification => [
    "match",
    ["get", "kind"],
    "river",
    river,
    "canal",
    canal,
    rest,
  ];
  return [
    "interpolate",
    ["exponential", 1.6],
    ["zoom"],
    9,
    0.6,
    13,
    by(3, 2, 1),
    17,
    by(14, 8, 3),
  ] as ExpressionSpecification;
}

// --- roads ----------------------------------------------------------------------------------

interface RoadClass {
  id: string;
  match: ExpressionSpecification;
  widths: ExpressionSpecification;
  color: (c: Palette) => string;
  /** Rim and its colour; none for squares and streets for people on foot. */
  rim?: { pixels: number; color: (c: Palette) => string };
}

/** From the least to the most important: later classes are drawn over earlier ones. */
const ROAD_CLASSES: readonly RoadClass[] = [
  {
    id: "service",
    match: detail("service"),
    widths: width(13, 0.3, 15, 1, 17, 5, 19, 14),
    color: (c) => c.minor,
    rim: { pixels: 1.2, color: (c) => c.minorCase },
  },
  {
    id: "pedestrian",
    match: all(kind("path"), detail("pedestrian")),
    widths: width(12, 0.4, 14, 1.6, 16, 7.5, 19, 30),
    color: (c) => c.pedestrian,
  },
  {
    id: "minor",
    match: all(kind("minor_road"), not(detail("service"))),
    widths: width(12, 0.4, 14, 1.6, 16, 7.5, 19, 30),
    color: (c) => c.minor,
    rim: { pixels: 1.6, color: (c) => c.minorCase },
  },
  {
    id: "medium",
    match: detail("secondary", "tertiary"),
    widths: width(10, 0.6, 13, 2.4, 16, 10, 19, 36),
    color: (c) => c.medium,
    rim: { pixels: 1.8, color: (c) => c.minorCase },
  },
  {
    id: "major",
    match: detail("primary", "trunk"),
    widths: width(8, 0.6, 11, 1.4, 13, 3, 16, 12, 19, 42),
    color: (c) => c.major,
    rim: { pixels: 1.8, color: (c) => c.majorCase },
  },
  {
    id: "highway",
    match: detail("motorway"),
    widths: width(6, 0.6, 10, 1.6, 13, 4, 16, 14, 19, 46),
    color: (c) => c.highway,
    rim: { pixels: 2, color: (c) => c.highwayCase },
  },
];

const IN_TUNNEL: ExpressionSpecification = ["==", ["get", "is_tunnel"], true];
const ON_BRIDGE: ExpressionSpecification = ["==", ["get", "is_bridge"], true];
const OPEN_AIR = not(IN_TUNNEL);

function road(
  id: string,
  filter: ExpressionSpecification,
  paint: LineLayerSpecification["paint"],
  cap: "round" | "butt" = "round",
): LineLayerSpecification {
  return {
    id: `road-${id}`,
    type: "line",
    source: SOURCE,
    "source-layer": "roads",
    filter,
    layout: { "line-cap": cap, "line-join": "round" },
    paint: { ...paint },
  };
}

/** All casings first, then all surfaces, so that crossings look open. */
function roadLevel(
  c: Palette,
  level: { id: string; where: ExpressionSpecification; cap: "round" | "butt"; opacity?: number },
): LayerSpecification[] {
  const faint = level.opacity === undefined ? {} : { "line-opacity": level.opacity };
  const casings = ROAD_CLASSES.flatMap(({ id, match, widths, rim }) =>
    rim
      ? [
          road(
            `${id}-case-${level.id}`,
            all(match, level.where),
            { "line-color": rim.color(c), "line-width": cased(widths, rim.pixels), ...faint },
            level.cap,
          ),
        ]
      : [],
  );
  const surfaces = ROAD_CLASSES.map(({ id, match, widths, color }) =>
    road(`${id}-${level.id}`, all(match, level.where), {
      "line-color": color(c),
      "line-width": widths,
      ...faint,
    }),
  );
  return [...casings, ...surfaces];
}

function roadNetwork(c: Palette): LayerSpecification[] {
  const onFoot = all(kind("path"), not(detail("pedestrian")), OPEN_AIR);
  const heavyRail = all(kind("rail"), OPEN_AIR, not(detail("tram", "subway")));
  return [
    ...roadLevel(c, { id: "tunnel", where: IN_TUNNEL, cap: "butt", opacity: 0.35 }),
    {
      id: "building",
      type: "fill",
      source: SOURCE,
      "source-layer": "buildings",
      minzoom: 13,
      filter: kind("building"),
      paint: {
        "fill-color": c.building,
        "fill-outline-color": c.buildingLine,
        "fill-opacity": linear(13, 0.4, 15, 1),
      },
    },
    road("foot", onFoot, {
      "line-color": c.path,
      "line-width": width(14, 0.5, 17, 1.6, 19, 4),
      "line-dasharray": [2, 1.5],
    }),
    ...roadLevel(c, { id: "ground", where: all(OPEN_AIR, not(ON_BRIDGE)), cap: "round" }),
    road("rail", heavyRail, { "line-color": c.rail, "line-width": width(11, 0.6, 15, 1.6, 18, 3) }),
    road(
      "rail-ties",
      heavyRail,
      {
        "line-color": c.earth,
        "line-width": width(14, 0.5, 15, 0.9, 18, 1.8),
        "line-dasharray": [4, 4],
      },
      "butt",
    ),
    road("tram", detail("tram"), {
      "line-color": c.rail,
      "line-width": width(13, 0.5, 16, 1, 19, 1.6),
      "line-opacity": 0.7,
    }),
    ...roadLevel(c, { id: "bridge", where: all(OPEN_AIR, ON_BRIDGE), cap: "butt" }),
  ];
}

function borders(c: Palette): LayerSpecification[] {
  return [
    {
      id: "boundary",
      type: "line",
      source: SOURCE,
      "source-layer": "boundaries",
      filter: ["<=", ["get", "kind_detail"], 7],
      paint: {
        "line-color": c.boundary,
        "line-width": linear(8, 0.8, 14, 1.6),
        "line-dasharray": [4, 2, 1, 2],
        "line-opacity": 0.8,
      },
    },
  ];
}

// --- names ----------------------------------------------------------------------------------

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

function names(c: Palette, name: ExpressionSpecification): LayerSpecification[] {
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
