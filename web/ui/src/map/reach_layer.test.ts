import { describe, expect, it } from "vitest";
import { reachFeatures } from "./reach_layer.js";

const square = (side: number) => [
  [
    [0, 0],
    [side, 0],
    [side, side],
    [0, side],
    [0, 0],
  ],
];

describe("areas a crew reaches", () => {
  it("lie on each other with the nearest on top, each with its number and pattern", () => {
    const { features } = reachFeatures([
      { minutes: 5, polygons: [square(1)] },
      { minutes: 10, polygons: [square(2), square(3)] },
      { minutes: 20, polygons: [] },
    ]);
    expect(features.map(({ properties }) => properties)).toEqual([
      { rank: 2, label: "20′" },
      { rank: 1, label: "10′" },
      { rank: 0, label: "5′" },
    ]);
    expect(
      features.map(({ geometry }) => "coordinates" in geometry && geometry.coordinates.length),
    ).toEqual([0, 2, 1]);
  });

  it("keep the holes where nobody gets", () => {
    const hole = [
      [0.2, 0.2],
      [0.4, 0.2],
      [0.4, 0.4],
      [0.2, 0.2],
    ];
    const [feature] = reachFeatures([{ minutes: 5, polygons: [[...square(1), hole]] }]).features;
    expect(feature?.geometry).toMatchObject({ coordinates: [[square(1)[0], hole]] });
  });
});
