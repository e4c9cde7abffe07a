import { describe, expect, it } from "vitest";
import { levelOf } from "../map/coverage_layer.js";
import { dearest, weakestOf, type Zone } from "./coverage.js";

const zone = (id: number, weight: number, p_on_time: number): Zone =>
  ({ id, weight, p_on_time, lon: 0, lat: 0, ring: [], eta_s: null, p90_eta_s: null }) as Zone;

describe("coverage", () => {
  it("names the zones where most incidents would be missed", () => {
    const zones = [zone(1, 0.5, 0.95), zone(2, 0.1, 0.2), zone(3, 0.4, 0.5), zone(4, 0, 0)];
    expect(weakestOf(zones).map(({ id }) => id)).toEqual([3, 2, 1]);
  });
  it("puts the crew that would be missed most first", () => {
    expect(dearest({ b: -0.01, a: -0.2, c: 0 }, 2)).toEqual([
      ["a", -0.2],
      ["b", -0.01],
    ]);
  });
  it("has a level for every chance", () => {
    expect([1, 0.9, 0.89, 0.7, 0.4, 0.39, 0].map(levelOf)).toEqual([
      "high",
      "high",
      "good",
      "good",
      "weak",
      "poor",
      "poor",
    ]);
  });
});
