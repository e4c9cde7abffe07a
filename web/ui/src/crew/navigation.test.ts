import { expect, it } from "vitest";
import { coordinates, geoLink, googleLink } from "./navigation.js";
import { fitted } from "./photo.js";

const tree = { lon: 111.5239, lat: -7.6298, label: "Jalan Pahlawan (depan pasar)" };

it("puts latitude first and keeps brackets out of the label", () => {
  expect(geoLink(tree)).toBe(
    "geo:-7.629800,111.523900?q=-7.629800,111.523900(Jalan%20Pahlawan%20%20depan%20pasar)",
  );
  expect(googleLink(tree)).toContain("destination=-7.629800%2C111.523900&");
  expect(coordinates(tree)).toBe("-7.629800, 111.523900");
});

it("fits a picture without stretching or enlarging it", () => {
  expect(fitted(4000, 3000)).toEqual({ width: 1600, height: 1200 });
  expect(fitted(3000, 4000)).toEqual({ width: 1200, height: 1600 });
  expect(fitted(640, 480)).toEqual({ width: 640, height: 480 });
  expect(fitted(10_000, 2)).toEqual({ width: 1600, height: 1 });
});
