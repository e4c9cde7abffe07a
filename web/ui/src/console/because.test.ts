/** The reason of an automatic step, in words a dispatcher uses. */
import { expect, it, vi } from "vitest";
import type { Desk } from "./desk.svelte.js";

vi.stubGlobal("navigator", { languages: ["id-ID"] });
vi.stubGlobal("document", { documentElement: {}, cookie: "" });
const { becauseWords } = await import("./because.js");

const desk = { crews: new Map([["c1", { call_sign: "R-01" }]]) } as unknown as Desk;

it("tells how an arrival was noticed", () => {
  const because = { rule: "arrival.there", distance_m: 12.4, accuracy_m: 8, speed_ms: 0 };
  expect(becauseWords(because, desk)).toBe("10 m dari lokasi · ketelitian 10 m · 0 km/jam");
});

it("counts the candidates instead of listing them and leaves ids out", () => {
  const because = {
    rule: "matching",
    selection_reason: "nearest",
    shortfall_reason: null,
    graph: "g1",
    assignment_id: "a1",
    candidates: [{}, {}],
  };
  expect(becauseWords(because, desk)).toBe("Regu terdekat lewat jalan · 2 regu dipertimbangkan");
});

it("leaves the terms of a decision to its record", () => {
  const because = { rule: "diversion", left_s: 420, weight: 9.2, saves: 0.4, to_incident: "i2" };
  expect(becauseWords(because, desk)).toBe("sisa jalan 7 mnt");
});

it("says nothing when there is nothing to say", () => {
  expect(becauseWords(null, desk)).toBeNull();
  expect(becauseWords({ rule: "x" }, desk)).toBeNull();
});
