/** Which one button the crew sees: the server's truth plus what still waits on the phone. */

import type { AssignmentStatus } from "../live/entities.js";
import type { StoredAction } from "./outbox.js";

export type Step = "acknowledge" | "en-route" | "on-scene" | "clear";

const LEADS_TO: Partial<Record<string, AssignmentStatus>> = {
  acknowledge: "acknowledged",
  "en-route": "en_route",
  "on-scene": "on_scene",
  clear: "cleared",
  decline: "declined",
};

const NEXT: Partial<Record<AssignmentStatus, Step>> = {
  offered: "acknowledge",
  acknowledged: "en-route",
  en_route: "on-scene",
  on_scene: "clear",
};

const RANK: Record<AssignmentStatus, number> = {
  offered: 0,
  acknowledged: 1,
  en_route: 2,
  on_scene: 3,
  cleared: 4,
  declined: 4,
  expired: 4,
  withdrawn: 4,
};

/** A step the server confirmed by answer, until the socket brings the same news. */
export interface Confirmed {
  assignment_id: string;
  status: AssignmentStatus;
}

export interface Shown {
  status: AssignmentStatus;
  /** True while the shown status is the crew's wish and not yet the server's word. */
  waiting: boolean;
  next: Step | null;
}

export function statusAfter(kind: string): AssignmentStatus | null {
  return LEADS_TO[kind] ?? null;
}

export function isOver(status: AssignmentStatus): boolean {
  return RANK[status] === 4;
}

/** The server's status, lifted by confirmed and then by waiting steps; never moved back. */
export function shown(
  assignment: { id: string; status: AssignmentStatus },
  queue: readonly Pick<StoredAction, "kind" | "assignment_id">[],
  confirmed: Confirmed | null,
): Shown {
  let status = assignment.status;
  let waiting = false;
  if (confirmed?.assignment_id === assignment.id && RANK[confirmed.status] > RANK[status]) {
    status = confirmed.status;
  }
  // What the server ended (withdrawn, expired) stays ended, whatever still waits here.
  if (!isOver(assignment.status)) {
    for (const action of queue) {
      if (action.assignment_id !== assignment.id) continue;
      const wished = statusAfter(action.kind);
      if (wished === null || RANK[wished] <= RANK[status]) continue;
      status = wished;
      waiting = true;
    }
  }
  return { status, waiting, next: NEXT[status] ?? null };
}

/** True once the socket's view says at least as much as the confirmed answer did. */
export function overtaken(
  confirmed: Confirmed,
  assignment: { id: string; status: AssignmentStatus } | null,
): boolean {
  if (assignment === null || assignment.id !== confirmed.assignment_id) return true;
  return RANK[assignment.status] >= RANK[confirmed.status];
}

/** Whole seconds until the offer ends; 0 when over, null without an end. `nowMs` is server time. */
export function secondsLeft(expiresAt: string | null, nowMs: number): number | null {
  if (expiresAt === null) return null;
  const left = Date.parse(expiresAt) - nowMs;
  return Number.isNaN(left) ? null : Math.max(0, Math.ceil(left / 1000));
}

/** True when a refused step is done all the same: arrival, say, was noticed by the server first. */
export function cameTrue(
  refused: { kind: string; assignment_id: string | null },
  assignment: { id: string; status: AssignmentStatus } | null,
): boolean {
  const wished = statusAfter(refused.kind);
  if (wished === null || assignment === null || assignment.id !== refused.assignment_id)
    return false;
  return !isOver(assignment.status) && RANK[assignment.status] >= RANK[wished];
}
