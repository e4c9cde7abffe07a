/** The log reads like a story, told once. */
import { expect, it, vi } from "vitest";
import type { LogLine } from "../api/shapes.js";
import type { Desk } from "./desk.svelte.js";

vi.stubGlobal("navigator", { languages: ["id-ID"] });
vi.stubGlobal("document", { documentElement: {}, cookie: "" });
const { actorName, tell } = await import("./story.js");

const desk = {
  user: { id: "u1" },
  crews: new Map([["c1", { call_sign: "R-01" }]]),
  assignments: new Map([["a1", { crew_id: "c1" }]]),
  agencies: new Map(),
  city: {
    disposition_codes: [{ code: "05", name: "Selesai ditangani", name_en: "Handled, fixed" }],
    decline_reasons: [{ code: "too_far", name: "Terlalu jauh", name_en: "Too far away" }],
  },
} as unknown as Desk;

const entry = (t: string, k: string, summary: Record<string, unknown>): LogLine => ({
  o: 1,
  t,
  k,
  at: "2026-11-22T10:00:00Z",
  recorded_at: "2026-11-22T10:00:00Z",
  actor: "system",
  summary,
  because: null,
});

it("names the crew of an assignment and the words of a code", () => {
  expect(tell(entry("AssignmentEnRoute", "assignment/a1", {}), desk)).toBe("R-01 berangkat");
  expect(tell(entry("AssignmentDeclined", "assignment/a1", { reason: "too_far" }), desk)).toBe(
    "R-01 menolak: Terlalu jauh",
  );
  expect(tell(entry("AssignmentCleared", "assignment/a1", { disposition_code: "05" }), desk)).toBe(
    "R-01 selesai: Selesai ditangani",
  );
});

it("does not tell what another entry already says", () => {
  expect(tell(entry("IncidentDispatched", "incident/i", {}), desk)).toBeNull();
});

it("names who did it", () => {
  expect(actorName("dispatcher:u1", desk)).toBe("Anda");
  expect(actorName("dispatcher:u2", desk)).toBe("Petugas");
  expect(actorName("crew:c1", desk)).toBe("R-01");
  expect(actorName("citizen", desk)).toBe("Warga");
});
