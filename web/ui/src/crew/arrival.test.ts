import { describe, expect, it } from "vitest";
import { type ArrivalState, arrivalAfter, metresBetween, START } from "./arrival.js";

const SCENE = { lon: 24.94, lat: 60.17 };
const METRE_LAT = 1 / 111_195;

function fix(metresNorth: number, second: number, accuracy_m = 10) {
  return {
    lon: SCENE.lon,
    lat: SCENE.lat + metresNorth * METRE_LAT,
    accuracy_m,
    heading: null,
    speed_ms: null,
    fix_time: new Date(Date.UTC(2026, 10, 22, 5, 0, second)).toISOString(),
  };
}

function after(fixes: ReturnType<typeof fix>[]): ArrivalState {
  return fixes.reduce((state, one) => arrivalAfter(state, one, SCENE), START);
}

describe("arrival", () => {
  it("measures metres", () => {
    expect(metresBetween({ lon: 0, lat: 0 }, { lon: 0, lat: 1 })).toBeCloseTo(111_195, -1);
    expect(metresBetween(SCENE, SCENE)).toBe(0);
  });

  it("needs dwell: one near fix, or driving past, suggests nothing", () => {
    expect(after([fix(10, 0)]).arrived).toBe(false);
    expect(after([fix(300, 0), fix(20, 5), fix(300, 10), fix(400, 25)]).arrived).toBe(false);
  });

  it("is suggested after standing near", () => {
    expect(after([fix(300, 0), fix(40, 5), fix(30, 12), fix(30, 20)]).arrived).toBe(true);
  });

  it("does not flap when the fix drifts between the two limits", () => {
    const state = after([fix(30, 0), fix(30, 16), fix(110, 20), fix(120, 30)]);
    expect(state.arrived).toBe(true);
    expect(arrivalAfter(state, fix(400, 40), SCENE).arrived).toBe(false);
  });

  it("ignores vague fixes in both directions", () => {
    expect(after([fix(10, 0, 400), fix(10, 30, 400)])).toEqual(START);
    const state = after([fix(20, 0), fix(20, 20)]);
    expect(arrivalAfter(state, fix(900, 30, 1500), SCENE).arrived).toBe(true);
  });

  it("counts a rough fix as near only when its whole doubt is near", () => {
    expect(after([fix(60, 0, 90), fix(60, 30, 90)]).arrived).toBe(false);
    expect(after([fix(20, 0, 90), fix(20, 30, 90)]).arrived).toBe(true);
  });

  it("ignores late fixes", () => {
    const state = after([fix(20, 20), fix(20, 40)]);
    expect(arrivalAfter(state, fix(900, 10), SCENE)).toEqual(state);
  });
});
