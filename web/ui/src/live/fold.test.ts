/** Stale snapshot + events = fresh snapshot. */
import { describe, expect, it } from "vitest";
import { type Durable, fold, nowhere, type Position, prune, recover } from "./fold.js";

function message(o: number, k: string, v: number, d: Record<string, unknown>): Durable {
  return { o, p: o - 1, t: "Changed", k, v, d };
}

const start: Position = {
  epoch: "e",
  offset: 10,
  state: { "report/a": { v: 3, status: "received" } },
};

describe("fold", () => {
  it("lays changed fields over what is known", () => {
    const { position, gap } = fold(start, [
      message(11, "report/a", 4, { status: "verified" }),
      message(12, "incident/b", 1, { status: "pending" }),
    ]);
    expect(gap).toBe(false);
    expect(position).toEqual({
      epoch: "e",
      offset: 12,
      state: {
        "report/a": { v: 4, status: "verified" },
        "incident/b": { v: 1, status: "pending" },
      },
    });
    expect(start.state["report/a"]?.status).toBe("received");
  });

  it("ignores a version it already knows but moves on", () => {
    const { position } = fold(start, [message(11, "report/a", 3, { status: "archived" })]);
    expect(position.offset).toBe(11);
    expect(position.state["report/a"]).toEqual({ v: 3, status: "received" });
  });

  it("stops at a gap and keeps what came before it", () => {
    const { position, gap } = fold(start, [
      message(11, "report/a", 4, { status: "verified" }),
      message(13, "report/a", 6, { status: "closed" }),
    ]);
    expect(gap).toBe(true);
    expect(position.offset).toBe(11);
    expect(position.state["report/a"]?.status).toBe("verified");
  });

  it("takes a repeat for a repeat, not for a gap", () => {
    const { position, gap } = fold(start, [message(9, "report/a", 2, { status: "x" })]);
    expect(gap).toBe(false);
    expect(position).toBe(start);
  });

  it("ends the same by events, by recovery and by snapshot", () => {
    const events = [
      message(11, "report/a", 4, { status: "under_verification" }),
      message(12, "report/c", 1, { status: "received" }),
      message(13, "report/a", 5, { status: "verified", reason: null }),
    ];
    const live = fold(start, events).position;
    const missed = recover(start, { recovered: true, epoch: "e", offset: 13, events });
    const fresh = recover(nowhere, {
      recovered: false,
      epoch: "e",
      offset: 13,
      state: {
        "report/a": { v: 5, status: "verified", reason: null },
        "report/c": { v: 1, status: "received" },
      },
    });
    expect(live).toEqual(fresh);
    expect(missed).toEqual(fresh);
  });

  it("replaces everything by a snapshot", () => {
    const after = recover(start, { recovered: false, epoch: "f", offset: 2, state: {} });
    expect(after).toEqual({ epoch: "f", offset: 2, state: {} });
  });
});

describe("prune", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  it("drops only what was finished over twelve hours ago", () => {
    const state = {
      "incident/old": { v: 1, status: "closed", changed_at: "2026-11-21T23:59:00Z" },
      "incident/new": { v: 1, status: "closed", changed_at: "2026-11-22T00:01:00Z" },
      "incident/open": { v: 1, status: "pending", changed_at: "2026-11-20T00:00:00Z" },
      "crew/c": { v: 1, status: "available", changed_at: "2026-11-01T00:00:00Z" },
    };
    expect(Object.keys(prune(state, now))).toEqual(["incident/new", "incident/open", "crew/c"]);
  });

  it("keeps the very object when nothing is old", () => {
    const state = { "report/a": { v: 1, status: "received", changed_at: "2026-11-22T11:00:00Z" } };
    expect(prune(state, now)).toBe(state);
  });
});
