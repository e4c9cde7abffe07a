import { expect, test } from "vitest";
import { boxAround, boxQuery, metresBetween, nearest } from "./assets.js";

const HERE = { lon: 111.53, lat: -7.63 };

test("a box is no wider than the server answers for", () => {
  const [west, south, east, north] = boxAround(HERE);
  const across = metresBetween({ lon: west, lat: south }, { lon: east, lat: north });
  expect(across).toBeGreaterThan(1200);
  expect(across).toBeLessThan(1500);
  expect(boxQuery([1, 2, 3, 4], "street_light")).toBe(
    "service=street_light&west=1.000000&south=2.000000&east=3.000000&north=4.000000",
  );
});

test("the nearest come first, and alike ones by their number", () => {
  const pole = (code: string, east: number) => ({
    code,
    sort: "lamp_pole",
    label: code,
    lon: HERE.lon + east,
    lat: HERE.lat,
  });
  const found = nearest([pole("C", 0.002), pole("B", 0.001), pole("A", -0.001)], HERE, 2);
  expect(found.map(({ code, m }) => [code, m])).toEqual([
    ["A", 110],
    ["B", 110],
  ]);
});
