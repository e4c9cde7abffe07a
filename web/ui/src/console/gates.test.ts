import { describe, expect, it, vi } from "vitest";
import type { Assignment, City, Crew, Incident } from "../live/entities.js";

vi.stubGlobal("navigator", { languages: ["id-ID"] });
vi.stubGlobal("document", { documentElement: {}, cookie: "" });
const { divertible, kept, least, mayOverrule, present, tooLong } = await import("./gates.js");

const NOON = Date.parse("2026-03-02T12:00:00Z");
const at = (hours: number) => new Date(NOON + hours * 3600_000).toISOString();
const city = {
  gates: { shift_h: 8, overtime_s: 1800, longest_duty_h: 12, rest_h: 8, least_members: 2 },
  diversion: { enabled: true, lock_s: 300, priorities: [2, 3] },
} as City;
const ready = {
  status: "available",
  members: 3,
  members_present: null,
  least_members: null,
  on_duty_since: at(-2),
  shift_ends_at: at(6),
  rest_until: null,
  out_of_service_reason: null,
} as Crew;

describe("what keeps a crew from new work", () => {
  it("is nothing for a crew that is ready, and nothing is told of one off duty", () => {
    expect(kept(ready, city, NOON)).toEqual([]);
    const off: Crew = { ...ready, status: "not_available", out_of_service_reason: "x" };
    expect(kept(off, city, NOON)).toEqual([]);
  });

  it.each([
    [{ out_of_service_reason: "mogok" }],
    [{ rest_until: at(1) }],
    [{ on_duty_since: at(-12.1) }],
    [{ shift_ends_at: at(-0.1) }],
    [{ members_present: 1 }],
    [{ least_members: 4 }],
  ])("is told for %o", (changes) => {
    expect(kept({ ...ready, ...changes }, city, NOON)).toHaveLength(1);
  });

  it("counts people and hours", () => {
    expect(present({ ...ready, members_present: 1 })).toBe(1);
    expect(least({ ...ready, least_members: 1 }, city)).toBe(2);
    expect(tooLong({ ...ready, on_duty_since: at(-12) }, city, NOON)).toBe(false);
    expect(tooLong({ ...ready, on_duty_since: null }, city, NOON)).toBe(false);
  });
});

describe("what a dispatcher may overrule", () => {
  it("is doubt, not absence or other work", () => {
    const free: Crew = { ...ready, assignment_id: null };
    expect(mayOverrule("stale", free)).toBe(true);
    expect(mayOverrule("rest", free)).toBe(true);
    expect(mayOverrule("off_duty", free)).toBe(false);
    expect(mayOverrule("unreachable", free)).toBe(false);
    expect(mayOverrule("skill", { ...free, assignment_id: "a1" })).toBe(false);
    expect(mayOverrule("skill", { ...free, status: "not_available" })).toBe(false);
    expect(mayOverrule("skill", { ...free, out_of_service_reason: "mogok" })).toBe(false);
  });
});

describe("a crew that can be turned round", () => {
  const coming = { status: "en_route", eta: at(0.2), diverted_from: null } as Assignment;
  const incident = { priority: 2, required_crews: 1 } as Incident;
  const shown = (changes: Partial<Assignment>, on: Partial<Incident> = {}) =>
    divertible({ ...coming, ...changes }, { ...incident, ...on }, city, NOON);

  it("is on its way with enough left", () => {
    expect(shown({})).toBe(true);
    expect(shown({ status: "acknowledged" })).toBe(true);
    expect(shown({ eta: new Date(NOON + 300_000).toISOString() })).toBe(false);
    expect(shown({ eta: null })).toBe(false);
  });

  it("is not one that works, waits for an answer or was turned round before", () => {
    expect(shown({ status: "on_scene" })).toBe(false);
    expect(shown({ status: "offered" })).toBe(false);
    expect(shown({ diverted_from: "i9" })).toBe(false);
  });

  it("keeps what the city protects", () => {
    expect(shown({}, { priority: 1 })).toBe(false);
    expect(shown({}, { required_crews: 2 })).toBe(false);
    expect(divertible(coming, undefined, city, NOON)).toBe(false);
    const off = { ...city, diversion: { ...city.diversion, enabled: false } };
    expect(divertible(coming, incident, off, NOON)).toBe(false);
  });
});
