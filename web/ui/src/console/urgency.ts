/** Which incident is about to break the promise: the order of the queue and the state of its clock. */
import type { Assignment, Incident, Report, Saver, Service } from "../live/entities.js";
import type { Urgency } from "../map/shapes.js";

/** A level of priority weighs as much as this many seconds less on the clock. */
const PRIORITY_WORTH_S = 600;
/** A job that is going well may stand this much lower. */
const IN_HAND_S = 600;
/** With less than this left the clock turns amber. */
const SOON_S = 300;
/** A chance below this is a warning even while time is left. */
const TIGHT = 0.6;
const HOPELESS = 0.25;
/** Below this a crew is not called one that could still save the promise. */
const HOPE = 0.05;

export type Clock =
  | { phase: "running"; left_s: number; share: number }
  | { phase: "late"; over_s: number }
  | { phase: "arrived"; took_s: number; on_time: boolean };

/** The 20-minute clock of an incident; it starts with the first report and stops at the first arrival. */
export function clockOf(incident: Incident, now: number): Clock {
  const start = Date.parse(incident.received_at);
  const due = Date.parse(incident.due_at);
  if (incident.first_arrived_at) {
    const arrived = Date.parse(incident.first_arrived_at);
    return { phase: "arrived", took_s: (arrived - start) / 1000, on_time: arrived <= due };
  }
  if (now > due) return { phase: "late", over_s: (now - due) / 1000 };
  return {
    phase: "running",
    left_s: (due - now) / 1000,
    share: Math.min(1, Math.max(0, (now - start) / Math.max(1, due - start))),
  };
}

/** The chance of arriving on time: the latest forecast, or the proposal's while nobody is sent. */
export function chanceOf(incident: Incident): number | null {
  return incident.p_on_time ?? incident.recommendation?.p_on_time ?? null;
}

/** The moment by which 9 of 10 such trips have arrived; null without a forecast. */
export function latestArrival(assignment: Assignment): number | null {
  const { eta, ete_s, p90_ete_s } = assignment;
  if (!eta) return null;
  return Date.parse(eta) + Math.max(0, (p90_ete_s ?? 0) - (ete_s ?? 0)) * 1000;
}

/** True for a crew still on its way though its forecast is over: the forecast says nothing now. */
export function isPastForecast(assignment: Assignment, now: number): boolean {
  const latest = latestArrival(assignment);
  const coming = assignment.status === "acknowledged" || assignment.status === "en_route";
  return coming && latest !== null && now > latest;
}

export function chanceLevel(p: number): "good" | "tight" | "bad" {
  if (p < HOPELESS) return "bad";
  return p < TIGHT ? "tight" : "good";
}

/** What acting now adds to the chance: a crew sent, or another one that is surer than the one coming. */
export function savesOf(incident: Incident): number {
  const chance = chanceOf(incident) ?? 0;
  const others = (incident.savers ?? []).map((saver) => saver.p_on_time - chance);
  return Math.max(0, incident.saves ?? 0, ...others);
}

/** Whoever the forecast names, or the crew that is recommended and not sent yet. */
type Rescuer = Omit<Saver, "how"> & { how: Saver["how"] | "recommended" };

/** Who could still save it, surest first: those the forecast names, and who is recommended but not sent. */
export function saversOf(incident: Incident): Rescuer[] {
  const named = incident.savers ?? [];
  const plan = incident.status === "pending" ? incident.recommendation : null;
  if (!plan?.crew_id || (plan.p_on_time ?? 0) < HOPE) return named;
  if (named.some(({ crew_id }) => crew_id === plan.crew_id)) return named;
  const { crew_id, ete_s, p90_ete_s } = plan;
  const p_on_time = plan.p_on_time ?? 0;
  const proposed: Rescuer = { crew_id, p_on_time, ete_s, p90_ete_s, how: "recommended" };
  return [...named, proposed].sort((a, b) => b.p_on_time - a.p_on_time);
}

/** A miss is likely, but not yet a fact: there is still something to do, or somebody to tell. */
export function isAlarming(incident: Incident, now: number): boolean {
  return (
    incident.forecast_alarm === true &&
    !incident.first_arrived_at &&
    (incident.status === "pending" || incident.status === "dispatched") &&
    Date.parse(incident.due_at) > now
  );
}

export function urgencyOf(incident: Incident, now: number): Urgency {
  if (incident.status === "closed" || incident.status === "cancelled") return "done";
  const clock = clockOf(incident, now);
  if (clock.phase === "arrived") return "calm";
  if (clock.phase === "late") return "late";
  if (incident.forecast_alarm) return "soon";
  const chance = chanceOf(incident);
  return clock.left_s < SOON_S || (chance !== null && chance < TIGHT) ? "soon" : "calm";
}

const STAGE: Record<Incident["status"], number> = {
  pending: 0,
  dispatched: 0,
  on_scene: 1,
  cleared: 2,
  closed: 3,
  cancelled: 3,
};

/**
 * Most urgent first: not yet reached before reached; then by what acting now saves, in steps of a
 * tenth; then by time left, a level of priority counting ten minutes less, a crew on its way with a
 * good chance ten minutes more.
 */
export function byUrgency(a: Incident, b: Incident): number {
  return (
    STAGE[a.status] - STAGE[b.status] ||
    (STAGE[a.status] === 0 ? saving(b) - saving(a) : 0) ||
    weighted(a) - weighted(b) ||
    (a.id < b.id ? -1 : 1)
  );
}

/** In steps, so that the order does not jump with every small change of a forecast. */
function saving(incident: Incident): number {
  return Math.round(savesOf(incident) * 10);
}

function weighted(incident: Incident): number {
  const inHand = incident.status === "dispatched" && (chanceOf(incident) ?? 0) >= TIGHT;
  const shift_s = (inHand ? IN_HAND_S : 0) - (3 - incident.priority) * PRIORITY_WORTH_S;
  return Date.parse(incident.due_at) + shift_s * 1000;
}

/** New reports: the service's priority first, then the oldest. */
export function byWaiting(
  services: ReadonlyMap<string, Service>,
): (a: Report, b: Report) => number {
  const priority = (report: Report) => services.get(report.service_code)?.priority ?? 3;
  return (a, b) =>
    priority(a) - priority(b) ||
    Date.parse(a.received_at) - Date.parse(b.received_at) ||
    (a.id < b.id ? -1 : 1);
}

/** Reached within the promise, of those reached or already late. */
export function onTimeSoFar(
  incidents: Iterable<Incident>,
  now: number,
): { on_time: number; n: number } {
  let onTime = 0;
  let n = 0;
  for (const incident of incidents) {
    if (incident.status === "cancelled" && !incident.first_arrived_at) continue;
    const clock = clockOf(incident, now);
    if (clock.phase === "running") continue;
    if (clock.phase === "late" && incident.status === "closed") continue;
    n += 1;
    if (clock.phase === "arrived" && clock.on_time) onTime += 1;
  }
  return { on_time: onTime, n };
}
