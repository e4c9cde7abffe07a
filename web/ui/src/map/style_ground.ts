/** What streets lie on: land, parks, water, and the borders between areas. */
import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from "maplibre-gl";
import { kind, linear, SOURCE } from "./expressions.js";
import type { Palette } from "./palette.js";

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

export function ground(c: Palette): LayerSpecification[] {
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

export function borders(c: Palette): LayerSpecification[] {
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
