/** The crew's phone: what it knows, what it still has to send, and the taps that change either. */
import { ApiError, cityPath, get, isUnreachable, post, remove } from "../api/client.js";
import { randomId } from "../base/identifier.js";
import { city as citySlug } from "../base/place.js";
import { openLive } from "../live/browser.js";
import type { LiveClient } from "../live/client.js";
import type { City, CrewStatus, CrewView, User } from "../live/entities.js";
import type { State } from "../live/fold.js";
import { buzz } from "./alarm.js";
import { FixBuffer } from "./fix_buffer.js";
import { duty, type Known, known } from "./known.svelte.js";
import { overtaken, statusAfter } from "./next_step.js";
import { exclusively } from "./one_tab.js";
import { type ActionKind, Outbox, type Outcome, type StoredAction } from "./outbox.js";
import {
  fixStore,
  forget,
  keep,
  kept,
  openPhone,
  type PhoneDb,
  queueStore,
} from "./phone_store.js";
import { type FixesAnswer, sendAction, sendFixes } from "./transport.js";

let db: PhoneDb;
let outbox: Outbox | null = null;
let fixes: FixBuffer | null = null;
let live: LiveClient | null = null;
let retry: ReturnType<typeof setTimeout> | null = null;
let flushing = false;
let again = false;
const tabs = "BroadcastChannel" in window ? new BroadcastChannel(`sigap-crew-${citySlug}`) : null;

/** Opens the phone's memory first, so that the job shows before any network answers. */
export async function openCrew(): Promise<void> {
  db = await openPhone(citySlug);
  known.city = await kept<City>(db, "city");
  known.view = await kept<CrewView>(db, "view");
  known.viewAt = await kept<number>(db, "view_at");
  known.afterFor = await kept<string>(db, "after_for");
  const user = await kept<User>(db, "user");
  known.keptActions = await db.count("outbox");
  watchSurroundings();
  void loadCity();
  if (user !== null) await begin(user);
  await checkSession(user !== null);
}

/** Exchanges a one-time code for a session. Throws ApiError with a sentence when refused. */
export async function signIn(code: string): Promise<void> {
  const { user } = await post<{ user: User }>("/api/crew-session", { city: citySlug, code });
  if (known.user !== null && known.user.crew_id !== user.crew_id) await leave();
  await begin(user);
}

/** Ends the session at the server; waiting actions stay on the phone. Throws when unreachable. */
export async function signOut(): Promise<void> {
  try {
    await remove("/api/session?as=crew");
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  }
  await leave();
}

/** Queues one tap of the crew and tries to send it at once. */
export async function act(
  kind: ActionKind,
  body: Record<string, unknown>,
  options: { photo?: Blob } = {},
): Promise<void> {
  const assignment = known.view?.assignment ?? null;
  if (outbox === null || known.user?.crew_id == null) return;
  const onCrew = kind === "status" || kind === "post";
  if (!onCrew && assignment === null) return;
  const device_time = new Date().toISOString();
  const verb = kind === "photo" ? "photos" : kind;
  const path = onCrew
    ? `/crews/${known.user.crew_id}/${verb}`
    : `/assignments/${assignment?.id}/${verb}`;
  const photo = options.photo
    ? { blob: options.photo, upload_key: randomId(), photo_id: null }
    : null;
  try {
    await outbox.put({
      key: randomId(),
      kind,
      assignment_id: onCrew ? null : (assignment?.id ?? null),
      path: cityPath(path),
      body: { ...body, device_time },
      device_time,
      photo,
    });
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    known.storageFull = true;
    return;
  }
  known.storageFull = false;
  if (kind === "photo" && body.kind === "after" && assignment !== null) {
    known.afterFor = assignment.id;
    await keep(db, "after_for", assignment.id);
  }
  buzz();
  tabs?.postMessage("changed");
  void sendWaiting();
}

/** Signs on or off; `shift` says until when and with whom. */
export function setDuty(status: CrewStatus, shift: Record<string, unknown> = {}): Promise<void> {
  return act("status", { status, ...shift });
}

/** Keeps one fact on the phone for the next opening without a network. */
export function remember(name: string, value: unknown): Promise<void> {
  return keep(db, name, value);
}

export function recall<T>(name: string): Promise<T | null> {
  return kept<T>(db, name);
}

/** Sends what waits, oldest first; called after taps, on network news and by its own timer. */
export async function sendWaiting(): Promise<void> {
  if (outbox === null) return;
  if (flushing) {
    again = true;
    return;
  }
  flushing = true;
  if (retry !== null) clearTimeout(retry);
  retry = null;
  try {
    do {
      again = false;
      const end = await outbox.flush();
      if (end.stopped === "sign_in") sessionEnded();
      if (end.wait_ms !== null) retry = setTimeout(() => void sendWaiting(), end.wait_ms);
    } while (again);
  } finally {
    flushing = false;
  }
}

/** Keeps one position and sends the batch when it is due. */
export async function takeFix(fix: Parameters<FixBuffer["put"]>[0]): Promise<void> {
  if (fixes === null || duty().status === "not_available") return;
  await fixes.put(fix);
  await sendPositions();
}

async function sendPositions(): Promise<void> {
  const buffer = fixes;
  if (buffer === null) return;
  await exclusively(`sigap-fixes-${citySlug}`, async () => {
    known.fixesWaiting = await buffer.flush(Date.now());
  });
}

async function begin(user: User): Promise<void> {
  const returning = known.phase === "signed_out";
  known.user = user;
  known.phase = "ready";
  await keep(db, "user", $state.snapshot(user));
  const crewId = user.crew_id;
  if (crewId == null) return;
  if (outbox !== null) {
    if (!returning) return;
    follow(crewId);
    void sendWaiting();
    return;
  }
  outbox = new Outbox(
    {
      store: queueStore(db),
      send: sendAction,
      exclusively: (work) => exclusively(`sigap-outbox-${citySlug}`, work),
      changed: (waiting) => {
        known.waiting = waiting;
      },
      settled,
    },
    crewId,
  );
  fixes = new FixBuffer({
    store: fixStore(db),
    send: async (batch, key) => noteRefused(await sendFixes(crewId, batch, key)),
    newKey: randomId,
    chance: Math.random,
  });
  await outbox.announce();
  follow(crewId);
  void sendWaiting();
}

function follow(crewId: string): void {
  live?.close();
  live = openLive((link) => {
    const wasLive = known.link.phase === "live";
    const back = link.phase === "live" && !wasLive;
    // While the line lives the view is current; from here on it grows old.
    if (wasLive && link.phase !== "live") known.viewAt = Date.now();
    known.link = link;
    if (back) hurry();
  });
  live.subscribe(`crew/${crewId}`, {
    onState: (state) => takeView(state, crewId),
    onRefused: (refusal) => {
      known.channelTrouble = refusal.detail;
      void checkSession(true);
    },
  });
}

function takeView(state: State, crewId: string): void {
  const row = state[`crew_view/${crewId}`];
  if (row === undefined) return;
  const next = row as unknown as CrewView;
  noteGone(known.view, next);
  known.view = next;
  known.viewAt = Date.now();
  known.channelTrouble = null;
  if (known.confirmed !== null && overtaken(known.confirmed, next.assignment)) {
    known.confirmed = null;
  }
  void keep(db, "view", next);
  void keep(db, "view_at", known.viewAt);
}

/** A job that vanished without our own last step is worth a sentence. */
function noteGone(before: CrewView | null, after: CrewView): void {
  const was = before?.assignment;
  if (was == null || was.id === after.assignment?.id) return;
  const ours = known.confirmed?.assignment_id === was.id && isLast(known.confirmed.status);
  const finished = after.recent.some((one) => one.ticket === was.incident.ticket);
  const queued = known.waiting.some(
    (action) => action.assignment_id === was.id && isLast(statusAfter(action.kind)),
  );
  if (ours || finished || queued) return;
  known.gone = { ticket: was.incident.ticket, offer: was.status === "offered" };
}

function isLast(status: string | null): boolean {
  return status === "cleared" || status === "declined";
}

function settled(action: StoredAction, outcome: Outcome): void {
  if (outcome.kind === "refused") {
    known.refusals = [
      ...known.refusals,
      {
        key: action.key,
        kind: action.kind,
        assignment_id: action.assignment_id,
        detail: outcome.detail,
      },
    ];
    return;
  }
  const status = statusAfter(action.kind);
  if (outcome.kind === "done" && status !== null && action.assignment_id !== null) {
    const next = { assignment_id: action.assignment_id, status };
    if (!overtaken(next, known.view?.assignment ?? null)) known.confirmed = next;
  }
}

function noteRefused(outcome: Outcome): Outcome {
  if (outcome.kind === "refused") {
    known.fixesRefused = { count: 1, reason: outcome.detail };
  } else if (outcome.kind === "done") {
    const answer = outcome.answer as FixesAnswer | undefined;
    const first = answer?.refused?.[0];
    known.fixesRefused = first
      ? { count: answer?.refused.length ?? 1, reason: first.reason }
      : null;
  }
  return outcome;
}

/** A staff session in the same browser is left alone: the crew's has a cookie of its own. */
async function checkSession(fromMemory: boolean): Promise<void> {
  try {
    const { user } = await get<{ user: User }>("/api/session?as=crew");
    if (user.crew_id == null || user.city !== citySlug) {
      sessionEnded();
      return;
    }
    if (known.user !== null && known.user.crew_id !== user.crew_id) await leave();
    await begin(user);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) sessionEnded();
    else if (!fromMemory) {
      known.phase = "signed_out";
      if (isUnreachable(error)) setTimeout(() => void checkSession(false), 5000);
    }
  }
}

function sessionEnded(): void {
  known.keptActions = known.waiting.length || known.keptActions;
  known.phase = "signed_out";
}

async function loadCity(): Promise<void> {
  try {
    known.city = await get<City>(cityPath());
    await keep(db, "city", $state.snapshot(known.city));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (known.city === null) setTimeout(() => void loadCity(), 5000);
  }
}

async function leave(): Promise<void> {
  live?.close();
  live = null;
  outbox = null;
  fixes = null;
  known.keptActions = await db.count("outbox");
  await forget(db);
  if (known.city !== null) await keep(db, "city", $state.snapshot(known.city));
  Object.assign(known, {
    phase: "signed_out",
    user: null,
    view: null,
    viewAt: null,
    waiting: [],
    confirmed: null,
    gone: null,
    refusals: [],
    fixesWaiting: 0,
  } satisfies Partial<Known>);
}

function hurry(): void {
  fixes?.hurry();
  void sendWaiting();
  void sendPositions();
}

function watchSurroundings(): void {
  window.addEventListener("online", hurry);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") hurry();
  });
  tabs?.addEventListener("message", () => void outbox?.announce());
}
