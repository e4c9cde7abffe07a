/** The style holds to MapLibre's rules and asks no server but ours. */
import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import { describe, expect, it } from "vitest";
import { basemapStyle } from "./style.js";

describe.each(["light", "dark"] as const)("the %s basemap", (theme) => {
  const style = basemapStyle(theme, { url: "pmtiles:///tiles/x/1.pmtiles", language: "id" });

  it("is valid and credits OpenStreetMap", () => {
    expect(validateStyleMin(style)).toEqual([]);
    expect(JSON.stringify(style.sources)).toContain("© OpenStreetMap contributors");
  });

  it("needs no glyphs, no sprite and nothing from elsewhere", () => {
    expect(style.glyphs).toBeUndefined();
    expect(style.sprite).toBeUndefined();
    expect(JSON.stringify(style)).not.toMatch(/https?:/);
  });

  it("names no layer twice", () => {
    const ids = style.layers.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

it("writes names in the reader's language", () => {
  const english = basemapStyle("light", { url: "x", language: "en" });
  expect(JSON.stringify(english)).toContain("name:en");
  expect(JSON.stringify(english)).not.toContain("name:id");
});
