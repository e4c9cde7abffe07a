/** Shows the way to the scene and notices when the phone seems to be there. */
import { ApiError } from "../api/client.js";
import { buzz } from "./alarm.js";
import { type ArrivalState, arrivalAfter, type Fix, metresBetween, START } from "./arrival.js";
import { job } from "./known.svelte.js";
import { recall, remember } from "./phone.svelte.js";
import { position } from "./position.svelte.js";
import { type Route, routeTo } from "./transport.js";

const AGAIN_MS = 45_000;
const MOVED_M = 150;

interface Guide {
  assignmentId: string | null;
  route: Route | null;
  /** True when the last try to load a route failed. */
  missing: boolean;
  arrival: ArrivalState;
}

const guide = $state<Guide>({ assignmentId: null, route: null, missing: false, arrival: START });
let asked: { at: number; from: { lon: number; lat: number } | null } | null = null;
let asking = false;
/** The roads changed while a way was being asked for. */
let stale = false;

export const way: Readonly<Guide> = guide;

/** A new job, or none: forget the old way and ask for the new one. */
export function guideTo(assignmentId: string | null): void {
  if (guide.assignmentId === assignmentId) return;
  Object.assign(guide, { assignmentId, route: null, missing: false, arrival: START });
  asked = null;
  if (assignmentId === null) return;
  void recallRoute(assignmentId);
  void loadRoute();
}

/** Takes one fix: arrival, and a fresh route when the phone has moved on. */
export function guideWith(fix: Fix): void {
  const current = job();
  if (current === null || current.assignment.id !== guide.assignmentId) return;
  // The first way began where the server last saw the crew: ask again from the phone's own place.
  if (asked !== null && asked.from === null) void loadRoute();
  if (current.status !== "en_route" && current.status !== "acknowledged") return;
  const before = guide.arrival.arrived;
  guide.arrival = arrivalAfter($state.snapshot(guide.arrival), fix, current.assignment.incident);
  if (guide.arrival.arrived && !before) buzz();
  const moved = asked?.from == null || metresBetween(asked.from, fix) > MOVED_M;
  if (moved && Date.now() - (asked?.at ?? 0) > AGAIN_MS) void loadRoute();
}

/** A road was closed or opened: the way may be another one now. */
export function roadsChanged(): void {
  stale = asking;
  void loadRoute();
}

async function recallRoute(assignmentId: string): Promise<void> {
  const known = await recall<{ assignmentId: string; route: Route }>("route");
  if (known?.assignmentId !== assignmentId || guide.assignmentId !== assignmentId) return;
  if (guide.route === null) Object.assign(guide, { route: known.route, missing: false });
}

/** Asks for the way again, from where the phone is now; keeps the old one when that fails. */
export async function loadRoute(): Promise<void> {
  const assignmentId = guide.assignmentId;
  if (assignmentId === null || asking) return;
  const from = position();
  asking = true;
  asked = { at: Date.now(), from: from === null ? null : { lon: from.lon, lat: from.lat } };
  try {
    const route = await routeTo(assignmentId, from);
    if (guide.assignmentId !== assignmentId) return;
    Object.assign(guide, { route, missing: false });
    await remember("route", { assignmentId, route });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // No road leads there any more: the old way would lead into the closure.
    if (error.code === "unreachable" && guide.assignmentId === assignmentId) guide.route = null;
    guide.missing = guide.route === null;
  } finally {
    asking = false;
  }
  if (!stale) return;
  stale = false;
  await loadRoute();
}
