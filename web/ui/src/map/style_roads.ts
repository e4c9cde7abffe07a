/** Streets, paths, rails and the buildings among them, from tunnel to bridge. */
import type {
  ExpressionSpecification,
  LayerSpecification,
  LineLayerSpecification,
} from "maplibre-gl";
import { all, cased, detail, kind, linear, not, SOURCE, width } from "./expressions.js";
import type { Palette } from "./palette.js";

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

export function roadNetwork(c: Palette): LayerSpecification[] {
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
