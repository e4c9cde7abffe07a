/** What the crew's phone knows right now; screens read it, only the phone's own work changes it. */
import type { Link } from "../live/client.js";
import type { City, CrewStatus, CrewView, User } from "../live/entities.js";
import { type Confirmed, cameTrue, shown } from "./next_step.js";
import type { ActionKind, StoredAction } from "./outbox.js";

export interface Refusal {
  key: string;
  kind: ActionKind;
  assignment_id: string | null;
  detail: string;
}

type Phase = "opening" | "signed_out" | "ready";

export interface Known {
  phase: Phase;
  user: User | null;
  city: City | null;
  view: CrewView | null;
  /** When the view was last known to be the server's, milliseconds. */
  viewAt: number | null;
  link: Link;
  waiting: StoredAction[];
  refusals: Refusal[];
  confirmed: Confirmed | null;
  gone: { ticket: string; offer: boolean } | null;
  channelTrouble: string | null;
  fixesWaiting: number;
  fixesRefused: { count: number; reason: string } | null;
  storageFull: boolean;
  /** Actions on this phone while nobody is signed in. */
  keptActions: number;
  /** The assignment that has an after photo, taken here. */
  afterFor: string | null;
}

export const known = $state<Known>({
  phase: "opening",
  user: null,
  city: null,
  view: null,
  viewAt: null,
  link: { phase: "connecting" },
  waiting: [],
  refusals: [],
  confirmed: null,
  gone: null,
  channelTrouble: null,
  fixesWaiting: 0,
  fixesRefused: null,
  storageFull: false,
  keptActions: 0,
  afterFor: null,
});

/** Everything a screen may read. */
export const phone: Readonly<Known> = known;

export function dismiss(key: string): void {
  known.refusals = known.refusals.filter((one) => one.key !== key);
}

/** Refusals worth a sentence: a step that the server took by itself meanwhile came true anyway. */
export function refusals(): Refusal[] {
  const assignment = known.view?.assignment ?? null;
  return known.refusals.filter((one) => !cameTrue(one, assignment));
}

export function dismissGone(): void {
  known.gone = null;
}

/** The crew's status as wished here, and whether it still waits. */
export function duty(): { status: CrewStatus; waiting: boolean } {
  const wish = known.waiting.findLast((action) => action.kind === "status")?.body.status;
  const status = (wish ?? known.view?.crew.status ?? "not_available") as CrewStatus;
  return { status, waiting: wish !== undefined };
}

/** The active job with the status shown for it; null without one, or once it is over here. */
export function job() {
  const assignment = known.view?.assignment ?? null;
  if (assignment === null) return null;
  return { assignment, ...shown(assignment, known.waiting, known.confirmed) };
}
