import { expect, test } from "vitest";
import { centreFor } from "./centre.js";

const CITY: [number, number, number, number] = [24, 60, 25, 61];

test("a place in the midst of the city is the centre", () => {
  expect(centreFor({ lon: 24.5, lat: 60.4 }, CITY, [0.2, 0.1])).toEqual([24.5, 60.4]);
});

test("a place at the edge is seen beside its city, not beside a blank", () => {
  const [lon, lat] = centreFor({ lon: 25, lat: 60 }, CITY, [0.2, 0.1]);
  expect(lon).toBeCloseTo(24.94);
  expect(lat).toBeCloseTo(60.03);
  // still on the map
  expect(25 - lon).toBeLessThan(0.1);
  expect(lat - 60).toBeLessThan(0.05);
});

test("a city smaller than the map is seen whole", () => {
  expect(centreFor({ lon: 24.1, lat: 60.9 }, CITY, [4, 2])).toEqual([24.5, 60.5]);
});
