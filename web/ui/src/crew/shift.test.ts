import { describe, expect, it, vi } from "vitest";
import type { City, Crew } from "../live/entities.js";

vi.stubGlobal("navigator", { languages: ["id-ID"] });
vi.stubGlobal("document", { documentElement: {}, cookie: "" });
const { asksWho, lengths, silence, wishOf } = await import("./shift.js");

const NOON = Date.parse("2026-03-02T12:00:00Z");
const at = (hours: number) => new Date(NOON + hours * 3600_000).toISOString();
const city = {
  gates: { shift_h: 8, overtime_s: 1800, longest_duty_h: 12, rest_h: 8, least_members: 2 },
} as City;
const off = {
  status: "not_available",
  members: 3,
  members_present: null,
  least_members: null,
  on_duty_since: null,
  off_duty_since: null,
  shift_ends_at: null,
  rest_until: null,
  out_of_service_reason: null,
} as Crew;
const on: Crew = { ...off, status: "available", on_duty_since: at(-1) };

describe("going on duty", () => {
  it("offers the city's own length between shorter and longer ones", () => {
    expect(lengths(city)).toEqual([4, 8, 12]);
    const short = { ...city, gates: { ...city.gates, shift_h: 12 } };
    expect(lengths(short)).toEqual([6, 12]);
  });

  it("sends only what was picked", () => {
    expect(wishOf({ hours: 8, members: 2, relieved: false }, NOON)).toEqual({
      members_present: 2,
      shift_ends_at: at(8),
    });
    expect(wishOf({ hours: null, members: 3, relieved: true }, NOON)).toEqual({
      members_present: 3,
      relieved: true,
    });
  });

  it("asks who it is only after too short a break", () => {
    expect(asksWho(off, city, NOON)).toBe(false);
    expect(asksWho({ ...off, off_duty_since: at(-2) }, city, NOON)).toBe(true);
    expect(asksWho({ ...off, off_duty_since: at(-9) }, city, NOON)).toBe(false);
    expect(asksWho({ ...off, off_duty_since: at(-9), rest_until: at(1) }, city, NOON)).toBe(true);
    expect(asksWho(on, city, NOON)).toBe(false);
    expect(asksWho({ ...on, on_duty_since: at(-13) }, city, NOON)).toBe(true);
  });
});

describe("a silent phone says why", () => {
  it.each([
    [{ out_of_service_reason: "mogok" }],
    [{ rest_until: at(1) }],
    [{ on_duty_since: at(-13) }],
    [{ shift_ends_at: at(-1) }],
    [{ members_present: 1 }],
  ])("for %o", (changes) => {
    expect(silence({ ...on, ...changes }, city, NOON)).toBeTruthy();
    expect(silence({ ...off, ...changes }, city, NOON)).toBeNull();
  });

  it("and nothing when work may come", () => {
    expect(silence(on, city, NOON)).toBeNull();
    expect(silence({ ...on, rest_until: at(-1), shift_ends_at: at(3) }, city, NOON)).toBeNull();
  });
});
