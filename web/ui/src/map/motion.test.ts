/** A crew glides from fix to fix and stops where it was last seen. */
import { describe, expect, it } from "vitest";
import { Motion, metresBetween } from "./motion.js";

const at = (lon: number, age_s = 0) => ({
  lon,
  lat: 60,
  heading: 90,
  age_s,
  battery: null,
  mock: false,
});

describe("Motion", () => {
  it("is half way at half time and stays at the fix afterwards", () => {
    const motion = new Motion({ glides: true });
    motion.take("a", at(24), 0);
    motion.take("a", at(24.001), 1000);
    expect(motion.at("a", 1000)?.lon).toBe(24);
    expect(motion.at("a", 1550)?.lon).toBeCloseTo(24.0005, 6);
    expect(motion.at("a", 9000)?.lon).toBe(24.001);
    expect(motion.isMoving(1500)).toBe(true);
    expect(motion.isMoving(9000)).toBe(false);
  });

  it("goes on from where it is drawn when a fix comes early", () => {
    const motion = new Motion({ glides: true });
    motion.take("a", at(24), 0);
    motion.take("a", at(24.001), 1000);
    motion.take("a", at(24.002), 1550);
    expect(motion.at("a", 1550)?.lon).toBeCloseTo(24.0005, 6);
  });

  it("shows a jump at once", () => {
    const motion = new Motion({ glides: true });
    motion.take("a", at(24), 0);
    motion.take("a", at(24.1), 1000);
    expect(motion.at("a", 1000)?.lon).toBe(24.1);
  });

  it("does not glide for people who asked for less motion", () => {
    const motion = new Motion({ glides: false });
    motion.take("a", at(24), 0);
    motion.take("a", at(24.001), 1000);
    expect(motion.at("a", 1000)?.lon).toBe(24.001);
    expect(motion.isMoving(1001)).toBe(false);
  });

  it("lets the age grow while nothing is heard", () => {
    const motion = new Motion({ glides: true });
    motion.take("a", at(24, 12), 0);
    expect(motion.at("a", 50_000)?.age_s).toBe(62);
  });

  it("lets the age grow while the machine sleeps and the clock of pictures stands still", () => {
    let wall = 0;
    const motion = new Motion({ glides: true, wall: () => wall });
    motion.take("a", at(24, 12), 0);
    wall = 3_600_000;
    expect(motion.at("a", 100)?.age_s).toBe(3612);
  });
});

it("measures metres", () => {
  expect(metresBetween({ lon: 24, lat: 60 }, { lon: 24.01, lat: 60 })).toBeCloseTo(556.6, 0);
});
