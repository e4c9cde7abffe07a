import { describe, expect, it } from "vitest";
import { type AfterAction, barOf, chosen, type MissedPromise } from "./after_action.js";

const record: AfterAction = {
  starts_at: "2026-03-02T12:00:00Z",
  due_at: "2026-03-02T12:20:00Z",
  arrived_at: "2026-03-02T12:25:00Z",
  ended_at: "2026-03-02T12:25:00Z",
  late_s: 300,
  cause: "slip",
  beyond_s: 360,
  assignment_id: null,
  crew_id: "a",
  intervals: {},
  segments: [
    {
      kind: "verification",
      from: "2026-03-02T12:00:00Z",
      to: "2026-03-02T12:05:00Z",
      s: 300,
      crew_id: null,
    },
    {
      kind: "queue",
      from: "2026-03-02T12:05:00Z",
      to: "2026-03-02T12:05:00Z",
      s: 0,
      crew_id: null,
    },
    {
      kind: "travel",
      from: "2026-03-02T12:05:00Z",
      to: "2026-03-02T12:25:00Z",
      s: 1200,
      crew_id: "a",
    },
  ],
  usual: {},
  usual_n: 0,
  asked: 1,
  declined: 0,
  expired: 0,
  arrival_distance_m: null,
  nearest_s: null,
  sooner: [],
};

const missed = (district: string | null, cause: AfterAction["cause"]): MissedPromise => ({
  incident_id: "i",
  ticket: "KTA-2222-2",
  service_code: "flood",
  priority: 1,
  status: "closed",
  channel: "web",
  received_at: record.starts_at,
  district,
  ward: null,
  place_label: null,
  lon: 0,
  lat: 0,
  after_action: { ...record, cause },
});

describe("the bar of a missed promise", () => {
  it("fills the whole line, leaves out nothing that took time, and marks the promise", () => {
    const bar = barOf(record);
    expect(bar.pieces.map(({ cause, start, width }) => [cause, start, width])).toEqual([
      ["verification", 0, 0.2],
      ["travel", 0.2, 0.8],
    ]);
    expect(bar.target).toBe(0.8);
    expect(bar.cut).toBe(false);
  });
  it("keeps to a scale that other cases share", () => {
    const bar = barOf(record, 3000);
    expect(bar.target).toBe(0.4);
    expect(bar.pieces.at(-1)?.width).toBe(0.4);
    expect(barOf(record, 1000).cut).toBe(true);
  });
});

describe("choosing among missed promises", () => {
  const all = [missed("Taman", "slip"), missed(null, "queue"), missed("Taman", "queue")];
  const choose = (choice: Partial<Parameters<typeof chosen>[1]>) =>
    chosen(all, { cause: "", district: "", service: "", ...choice }).map((one) => all.indexOf(one));
  it("fits all of what is asked", () => {
    expect(choose({})).toEqual([0, 1, 2]);
    expect(choose({ cause: "queue" })).toEqual([1, 2]);
    expect(choose({ cause: "queue", district: "Taman" })).toEqual([2]);
    expect(choose({ district: "-" })).toEqual([1]);
    expect(choose({ service: "waste" })).toEqual([]);
  });
});
