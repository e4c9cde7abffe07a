/** No old dot passes for a live one, and whoever sends a crew in doubt is told why. */
import { describe, expect, it } from "vitest";
import { ageShown, alarmsShown, doubts, freshnessOf, type Known } from "./freshness.js";

const limits = { live_s: 30, stale_s: 300, lost_s: 900, low_battery: 0.15 };
const good: Known = { age_s: 4, battery: 0.8, mock: false, trouble: null };

describe("freshness", () => {
  it("judges at its limits as the server does", () => {
    const at = (age_s: number) => freshnessOf(age_s, limits);
    expect([at(30), at(30.1), at(300), at(301), at(900), at(901)]).toEqual([
      "live",
      "old",
      "old",
      "stale",
      "stale",
      "lost",
    ]);
  });

  it("says the age at every step, and differs in words and icon, not only in tone", () => {
    const shown = [4, 120, 420, 3000, null].map((age_s) => ageShown(age_s, limits));
    expect(new Set(shown.map(({ words }) => words)).size).toBe(5);
    for (const { words } of shown.slice(0, 4)) expect(words).toMatch(/\d/);
    expect(shown[0]?.icon).not.toBe(shown[2]?.icon);
    expect(shown[2]?.icon).not.toBe(shown[3]?.icon);
  });

  it("shows what the phone complains of", () => {
    expect(alarmsShown(good, limits)).toEqual([]);
    const bad = { ...good, battery: 0.15, mock: true, trouble: "denied" };
    expect(alarmsShown(bad, limits).map(({ icon }) => icon)).toEqual([
      "pin_off",
      "alert",
      "battery",
    ]);
    expect(alarmsShown({ ...good, battery: null }, limits)).toEqual([]);
  });

  it("doubts what is stale, unknown, made up or broken; a low battery alone is no doubt", () => {
    expect(doubts(good, limits)).toEqual([]);
    expect(doubts({ ...good, battery: 0.02 }, limits)).toEqual([]);
    expect(doubts({ ...good, age_s: 300 }, limits)).toEqual([]);
    expect(doubts({ ...good, age_s: 301 }, limits)).toHaveLength(1);
    expect(doubts({ ...good, age_s: null }, limits)).toHaveLength(1);
    expect(doubts({ ...good, age_s: 400, mock: true, trouble: "off" }, limits)).toHaveLength(3);
  });
});
