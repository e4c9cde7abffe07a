import { describe, expect, it } from "vitest";
import type { Round, RoundStop } from "../live/entities.js";
import { nextStop, numbered, pauseWords, progressOf, stopsBy, stopWords } from "./rounds.js";

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
