/** The one rule by which events change what a screen knows: stale snapshot + events = fresh snapshot. */

/** One entity as known here: its fields and the version `v` they belong to. */
export type Row = { v: number } & Record<string, unknown>;

/** Entities by key `<kind>/<id>`. Treated as immutable: folding returns a new object. */
export type State = Readonly<Record<string, Row>>;

/** A durable message: one event, one offset, one entity changed. */
export interface Durable {
  ch?: string;
  o: number;
  p: number;
  t: string;
  k: string;
  v: number;
  d: Record<string, unknown>;
}

/** The answer to a subscription: every event missed (`more`: another page follows), or a snapshot. */
export type Recovery = { ch?: string; epoch: string; offset: number } & (
  | { recovered: true; events: Durable[]; more?: boolean }
  | { recovered: false; state: Record<string, Row> }
);

/** Where one channel stands. */
export interface Position {
  readonly epoch: string | null;
  /** Offset of the last event folded in; -1 before the first answer. */
  readonly offset: number;
  readonly state: State;
}

export const nowhere: Position = { epoch: null, offset: -1, state: {} };

/** `gap` means an event is missing: keep `position` and subscribe again with `since`. */
export interface Folded {
  position: Position;
  gap: boolean;
}

/** One entity's change: an older or equal version changes nothing. */
export function foldRow(known: Row | undefined, message: Pick<Durable, "v" | "d">): Row {
  if (known && message.v <= known.v) return known;
  return { ...known, ...message.d, v: message.v };
}

/** Folds live messages in order and stops at the first gap; copies the state once per call. */
export function fold(position: Position, messages: readonly Durable[]): Folded {
  let offset = position.offset;
  let state: Record<string, Row> | null = null;
  for (const message of messages) {
    // Already folded in: a repeat after a recovery, not a gap.
    if (message.o <= offset) continue;
    // A snapshot's offset may lie between two offsets of a narrow channel: `p` before it is no gap.
    if (message.p > offset) return { position: moved(position, offset, state), gap: true };
    state ??= { ...position.state };
    state[message.k] = foldRow(state[message.k], message);
    offset = message.o;
  }
  return { position: moved(position, offset, state), gap: false };
}

/** Folds the answer to a subscription; `recovered: false` replaces everything known. */
export function recover(position: Position, answer: Recovery): Position {
  if (!answer.recovered) {
    return { epoch: answer.epoch, offset: answer.offset, state: answer.state };
  }
  const state = { ...position.state };
  for (const message of answer.events) state[message.k] = foldRow(state[message.k], message);
  return { epoch: answer.epoch, offset: answer.offset, state };
}

function moved(position: Position, offset: number, state: State | null): Position {
  if (offset === position.offset && !state) return position;
  return { epoch: position.epoch, offset, state: state ?? position.state };
}

const KEPT_MS = 12 * 3600 * 1000;
const FINISHED: Record<string, ReadonlySet<string>> = {
  report: new Set(["closed", "duplicate", "archived", "not_our_authority"]),
  incident: new Set(["closed", "cancelled"]),
  assignment: new Set(["cleared", "declined", "expired", "withdrawn"]),
  referral: new Set(["refused", "finished", "withdrawn"]),
};

/** True for an entity that is over: it only stays on screen for a while. */
export function isFinished(key: string, row: Row): boolean {
  const finished = FINISHED[key.slice(0, key.indexOf("/"))];
  return finished?.has(String(row.status)) ?? false;
}

/** Drops what was finished more than 12 hours before `now` (milliseconds since the epoch). */
export function prune(state: State, now: number): State {
  const old = Object.keys(state).filter((key) => {
    const row = state[key];
    return (
      row !== undefined &&
      isFinished(key, row) &&
      Date.parse(String(row.changed_at)) < now - KEPT_MS
    );
  });
  if (old.length === 0) return state;
  const kept: Record<string, Row> = { ...state };
  for (const key of old) delete kept[key];
  return kept;
}
