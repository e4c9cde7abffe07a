import { describe, expect, it } from "vitest";
import type { Round, RoundStop } from "../live/entities.js";
import { m } from "../paraglide/messages.js";
import { nextStop, numbered, pauseWords, progressOf, stopsBy, stopWords } from "./rounds.js";
import { timeOfDay } from "./time.js";

const stop = (incident_id: string, state: RoundStop["state"], reason: string | null = null) => ({
  incident_id,
  state,
  reason,
  eta: null,
});
const STOPS = [
  stop("a", "done"),
  stop("b", "dropped", "closed"),
  stop("c", "waiting"),
  stop("d", "waiting"),
];

describe("a round", () => {
  it("counts what is driven, not what was left out", () => {
    expect(progressOf(STOPS)).toEqual({ done: 1, all: 3 });
    expect(progressOf([])).toEqual({ done: 0, all: 0 });
  });
  it("numbers its stops in order and skips what was left out", () => {
    expect(numbered(STOPS).map(({ n }) => n)).toEqual([1, null, 2, 3]);
    expect(nextStop(STOPS)?.incident_id).toBe("c");
    expect(nextStop([stop("a", "done")])).toBeNull();
  });
  it("knows which round reaches an incident", () => {
    const found = stopsBy([{ id: "r", stops: STOPS } as Round]);
    expect([...found.keys()]).toEqual(["c", "d"]);
    expect(found.get("d")?.n).toBe(3);
  });
  it("says when a stop is reached as a range, as one time where no range is known", () => {
    const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 7, minutes)).toISOString();
    const told = (eta_latest?: string | null) =>
      stopWords({
        ...stop("c", "waiting"),
        eta: at(5),
        ...(eta_latest === undefined ? {} : { eta_latest }),
      });
    expect(told(at(21))).toBe(`${timeOfDay(at(5))}–${timeOfDay(at(21))}`);
    expect([told(), told(null), told(at(5))]).toEqual(Array(3).fill(timeOfDay(at(5))));
    expect(m.stop_range_title({}, { locale: "id" })).toContain("9 dari 10");
    expect(m.stop_range_title({}, { locale: "en" })).toContain("9 in 10");
  });
  it("says what became of a stop", () => {
    expect(stopWords(stop("a", "done"))).not.toBe(stopWords(stop("b", "dropped", "closed")));
    expect(stopWords(stop("b", "dropped", "closed"))).toContain(": ");
    expect(stopWords(stop("b", "dropped", "unheard of"))).not.toContain(": ");
  });
  it("says why it stands still", () => {
    expect(pauseWords({ pause_reason: null }, null)).toBeNull();
    expect(pauseWords({ pause_reason: "interrupted" }, "SGP-1")).toContain("SGP-1");
    expect(pauseWords({ pause_reason: "rest" }, null)).toBeTruthy();
  });
});
