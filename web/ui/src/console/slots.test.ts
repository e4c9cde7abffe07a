import { describe, expect, it } from "vitest";
import type { City, Crew, Incident, Slot } from "../live/entities.js";
import { fill, fits, levelsAbove, slotsOf } from "./slots.js";

const slot = (skills: string[], equipment: string[] = []): Slot => ({ skills, equipment });
const crew = (id: string, skills: string[], equipment: string[] = []) =>
  ({ id, skills, equipment }) as Crew;
const who = (wanted: Slot[], there: Crew[]) =>
  fill(wanted, there, there).map((each) => each.crew?.id ?? null);

describe("what an incident needs", () => {
  it("falls back to skills and a number of crews", () => {
    const old = { required_slots: [], required_skills: ["pump"], required_crews: 2 };
    expect(slotsOf(old as unknown as Incident)).toEqual([slot(["pump"]), slot(["pump"])]);
  });

  it("asks for skills and equipment alike", () => {
    expect(fits(slot(["pump"], ["boat"]), crew("a", ["pump"], ["boat", "winch"]))).toBe(true);
    expect(fits(slot(["pump"], ["boat"]), crew("a", ["pump"]))).toBe(false);
    expect(fits(slot([]), crew("a", []))).toBe(true);
  });

  it("moves the all-rounder where nobody else can go", () => {
    const able = crew("a", ["chainsaw", "pump"]);
    const saw = crew("b", ["chainsaw"]);
    expect(who([slot(["chainsaw"]), slot(["pump"])], [able, saw])).toEqual(["b", "a"]);
    expect(who([slot(["pump"]), slot(["chainsaw"])], [saw, able])).toEqual(["a", "b"]);
  });

  it("fills the demanding slot first and lets whoever was sent on purpose count", () => {
    const full = crew("a", ["chainsaw"], ["winch"]);
    const wanted = [slot(["chainsaw"]), slot(["chainsaw"], ["winch"])];
    expect(who(wanted, [full])).toEqual([null, "a"]);
    expect(who(wanted, [crew("z", [])])).toEqual(["z", null]);
  });

  it("says when nobody in the city has it", () => {
    const city = [crew("a", ["chainsaw"])];
    const found = fill([slot(["chainsaw"]), slot([], ["boat"])], [], city);
    expect(found.map((each) => each.nobody)).toEqual([false, true]);
  });

  it("offers only higher alarm levels", () => {
    const levels = [1, 2, 3].map((alarm_level) => ({ alarm_level, slots: [slot([])] }));
    const city = { services: [{ service_code: "flood", alarm_levels: levels }] };
    const incident = { service_code: "flood", alarm_level: 2 };
    const above = levelsAbove(incident as Incident, city as unknown as City);
    expect(above.map((each) => each.level)).toEqual([3]);
  });
});
