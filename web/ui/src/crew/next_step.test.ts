import { describe, expect, it } from "vitest";
import { cameTrue, overtaken, secondsLeft, shown } from "./next_step.js";

const job = (status: Parameters<typeof shown>[0]["status"]) => ({ id: "a1", status });
const tap = (kind: "acknowledge" | "en-route" | "clear" | "note", assignment_id = "a1") => ({
  kind,
  assignment_id,
});

describe("the next step", () => {
  it.each([
    ["offered", "acknowledge"],
    ["acknowledged", "en-route"],
    ["en_route", "on-scene"],
    ["on_scene", "clear"],
    ["cleared", null],
    ["withdrawn", null],
  ] as const)("after %s is %s", (status, next) => {
    expect(shown(job(status), [], null)).toEqual({ status, waiting: false, next });
  });

  it("runs ahead of the server and says that it waits", () => {
    const view = shown(job("offered"), [tap("acknowledge"), tap("en-route")], null);
    expect(view).toEqual({ status: "en_route", waiting: true, next: "on-scene" });
  });

  it("ignores notes and the taps of another job", () => {
    const view = shown(job("offered"), [tap("note"), tap("acknowledge", "a2")], null);
    expect(view).toEqual({ status: "offered", waiting: false, next: "acknowledge" });
  });

  it("never runs back when the server is already further", () => {
    expect(shown(job("on_scene"), [tap("acknowledge")], null).status).toBe("on_scene");
  });

  it("takes the truth when the server has ended the job", () => {
    expect(shown(job("withdrawn"), [tap("clear")], null)).toEqual({
      status: "withdrawn",
      waiting: false,
      next: null,
    });
  });

  it("holds a confirmed step until the socket says so", () => {
    const confirmed = { assignment_id: "a1", status: "en_route" } as const;
    expect(shown(job("acknowledged"), [], confirmed)).toEqual({
      status: "en_route",
      waiting: false,
      next: "on-scene",
    });
    expect(overtaken(confirmed, job("acknowledged"))).toBe(false);
    expect(overtaken(confirmed, job("en_route"))).toBe(true);
    expect(overtaken(confirmed, job("withdrawn"))).toBe(true);
    expect(overtaken(confirmed, null)).toBe(true);
  });
});

describe("the countdown", () => {
  const at = Date.parse("2026-11-22T05:00:00Z");
  it("counts whole seconds, rounded up", () => {
    expect(secondsLeft("2026-11-22T05:00:30Z", at)).toBe(30);
    expect(secondsLeft("2026-11-22T05:00:30Z", at + 29_400)).toBe(1);
  });
  it("ends at zero and knows offers without an end", () => {
    expect(secondsLeft("2026-11-22T04:00:00Z", at)).toBe(0);
    expect(secondsLeft(null, at)).toBeNull();
    expect(secondsLeft("tomorrow", at)).toBeNull();
  });
});

it("lets a refused step rest when it came true, and never an end", () => {
  const refused = { kind: "on-scene", assignment_id: "a1" };
  expect(cameTrue(refused, job("on_scene"))).toBe(true);
  expect(cameTrue(refused, job("en_route"))).toBe(false);
  expect(cameTrue(refused, job("withdrawn"))).toBe(false);
  expect(cameTrue(refused, null)).toBe(false);
  expect(cameTrue({ kind: "note", assignment_id: "a1" }, job("on_scene"))).toBe(false);
});
