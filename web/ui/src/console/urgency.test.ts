/** The job about to break the promise stands on top. */
import { describe, expect, it } from "vitest";
import type { Assignment, Incident } from "../live/entities.js";
import {
  byUrgency,
  chanceLevel,
  clockOf,
  isAlarming,
  isPastForecast,
  onTimeSoFar,
  saversOf,
  urgencyOf,
} from "./urgency.js";

const NOW = Date.parse("2026-11-22T10:00:00Z");
const minutes = (n: number) => new Date(NOW + n * 60_000).toISOString();

function incident(id: string, received: number, rest: Partial<Incident> = {}): Incident {
  return {
    id,
    status: "pending",
    priority: 2,
    received_at: minutes(received),
    due_at: minutes(received + 20),
    first_arrived_at: null,
    p_on_time: null,
    recommendation: null,
    ...rest,
  } as Incident;
}

describe("clockOf", () => {
  it("counts down, then over, and stops at the first arrival", () => {
    expect(clockOf(incident("a", -5), NOW)).toEqual({ phase: "running", left_s: 900, share: 0.25 });
    expect(clockOf(incident("a", -22), NOW)).toEqual({ phase: "late", over_s: 120 });
    const reached = incident("a", -40, { first_arrived_at: minutes(-25), status: "on_scene" });
    expect(clockOf(reached, NOW)).toEqual({ phase: "arrived", took_s: 900, on_time: true });
  });
});

describe("byUrgency with forecasts", () => {
  it("puts first what acting now saves, a surer crew counting like a free one", () => {
    const lost = incident("lost", -25, { saves: 0 });
    const little = incident("little", -15, { saves: 0.12 });
    const much = incident("much", -3, { saves: 0.6 });
    const turned = incident("turned", -10, {
      status: "dispatched",
      p_on_time: 0.2,
      saves: 0,
      savers: [{ crew_id: "c", p_on_time: 0.6, ete_s: 300, how: "divert" }],
    });
    const order = [lost, little, much, turned].sort(byUrgency).map(({ id }) => id);
    expect(order).toEqual(["much", "turned", "little", "lost"]);
  });
  it("counts the recommended crew among those who could save it, until it is sent", () => {
    const plan = { crew_id: "r", p_on_time: 0.4, ete_s: 500 } as Incident["recommendation"];
    const savers: Incident["savers"] = [
      { crew_id: "a", p_on_time: 0.6, ete_s: 300, how: "divert" },
      { crew_id: "b", p_on_time: 0.3, ete_s: 700, how: "send" },
    ];
    const names = (each: Incident) => saversOf(each).map(({ crew_id }) => crew_id);
    expect(names(incident("i", -15, { recommendation: plan, savers }))).toEqual(["a", "r", "b"]);
    const sent = incident("i", -15, { recommendation: plan, savers, status: "dispatched" });
    expect(names(sent)).toEqual(["a", "b"]);
    expect(names(incident("i", -15))).toEqual([]);
  });
  it("alarms only while nobody is there and time is left", () => {
    const alarmed = { forecast_alarm: true };
    expect(isAlarming(incident("a", -10, alarmed), NOW)).toBe(true);
    expect(isAlarming(incident("a", -10), NOW)).toBe(false);
    expect(isAlarming(incident("a", -21, alarmed), NOW)).toBe(false);
    expect(isAlarming(incident("a", -10, { ...alarmed, first_arrived_at: minutes(-1) }), NOW)).toBe(
      false,
    );
    expect(urgencyOf(incident("a", -1, alarmed), NOW)).toBe("soon");
  });
});

describe("byUrgency", () => {
  it("puts less time left first, a level of priority counting ten minutes", () => {
    const soon = incident("soon", -15);
    const later = incident("later", -2);
    const urgent = incident("urgent", -6, { priority: 1 });
    const reached = incident("reached", -30, { status: "on_scene" });
    const going = incident("going", -11, { status: "dispatched", p_on_time: 0.9 });
    const failing = incident("failing", -14, { status: "dispatched", p_on_time: 0.3 });
    const order = [reached, going, later, soon, failing, urgent]
      .sort(byUrgency)
      .map(({ id }) => id);
    expect(order).toEqual(["urgent", "soon", "failing", "later", "going", "reached"]);
  });
});

describe("urgencyOf", () => {
  it("warns by the clock or by the chance", () => {
    expect(urgencyOf(incident("a", -2), NOW)).toBe("calm");
    expect(urgencyOf(incident("a", -16), NOW)).toBe("soon");
    expect(urgencyOf(incident("a", -2, { p_on_time: 0.4 }), NOW)).toBe("soon");
    expect(urgencyOf(incident("a", -21), NOW)).toBe("late");
    expect(urgencyOf(incident("a", -21, { status: "closed" }), NOW)).toBe("done");
  });
  it("grades the chance", () => {
    expect([0.9, 0.5, 0.1].map(chanceLevel)).toEqual(["good", "tight", "bad"]);
  });
});

it("counts who was reached in time among those reached or late", () => {
  const all = [
    incident("running", -3),
    incident("late", -30),
    incident("good", -30, { status: "closed", first_arrived_at: minutes(-15) }),
    incident("bad", -90, { status: "on_scene", first_arrived_at: minutes(-60) }),
    incident("cancelled", -50, { status: "cancelled" }),
  ];
  expect(onTimeSoFar(all, NOW)).toEqual({ on_time: 1, n: 3 });
});

it("does not trust a forecast that is over", () => {
  const trip = { status: "en_route", eta: minutes(-3), ete_s: 300, p90_ete_s: 420 } as Assignment;
  expect(isPastForecast(trip, NOW)).toBe(true);
  expect(isPastForecast({ ...trip, eta: minutes(-1) }, NOW)).toBe(false);
  expect(isPastForecast({ ...trip, status: "on_scene" }, NOW)).toBe(false);
});
