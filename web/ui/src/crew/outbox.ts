/** What the crew did, kept on the phone in order until the server has answered for each of it. */

export type ActionKind =
  | "acknowledge"
  | "decline"
  | "en-route"
  | "on-scene"
  | "note"
  | "photo"
  | "clear"
  | "status"
  | "post";

/** A photo travels in two requests (file, then link to the job); each has its own key. */
export interface QueuedPhoto {
  blob: Blob;
  upload_key: string;
  photo_id: string | null;
}

export interface QueuedAction {
  /** Set by the store; the order of sending. */
  seq?: number;
  /** Sent as Idempotency-Key: a repeat after a lost answer is applied once. */
  key: string;
  crew_id: string;
  assignment_id: string | null;
  kind: ActionKind;
  path: string;
  body: Record<string, unknown>;
  /** The phone's clock when the crew tapped, also in the body. */
  device_time: string;
  attempts: number;
  photo: QueuedPhoto | null;
}

export type StoredAction = QueuedAction & { seq: number };

export type Outcome =
  | { kind: "done"; answer: unknown }
  | { kind: "refused"; status: number; code: string; detail: string }
  | { kind: "later" }
  | { kind: "sign_in" };

export interface QueueStore {
  add(action: QueuedAction): Promise<void>;
  /** This crew's actions, oldest first. */
  list(crewId: string): Promise<StoredAction[]>;
  update(action: StoredAction): Promise<void>;
  remove(seq: number): Promise<void>;
}

export interface OutboxPorts {
  store: QueueStore;
  send(action: StoredAction, keep: (action: StoredAction) => Promise<void>): Promise<Outcome>;
  /** Runs the work in one tab at a time; resolves without running when another tab has it. */
  exclusively(work: () => Promise<void>): Promise<void>;
  changed(waiting: StoredAction[]): void;
  settled(action: StoredAction, outcome: Outcome): void;
}

export type FlushEnd = { stopped: "empty" | "later" | "sign_in"; wait_ms: number | null };

/** Seconds double from 2 to 60; `chance` in 0..1 spreads phones that lost the same mast. */
export function backoffMs(attempts: number, chance: number): number {
  const full = Math.min(60_000, 1000 * 2 ** Math.max(1, attempts));
  return Math.round(full * (0.5 + chance / 2));
}

/** What a refusal means for the queue: only a network or server trouble (0, 5xx) is tried again. */
export function outcomeOf(problem: { status: number; code: string; message: string }): Outcome {
  const { status, code, message } = problem;
  if (status === 401) return { kind: "sign_in" };
  if (status === 0 || status === 408 || status === 425 || status === 429 || status >= 500) {
    return { kind: "later" };
  }
  return { kind: "refused", status, code, detail: message };
}

export class Outbox {
  #ports: OutboxPorts;
  #crewId: string;
  #chance: () => number;

  constructor(ports: OutboxPorts, crewId: string, chance: () => number = Math.random) {
    this.#ports = ports;
    this.#crewId = crewId;
    this.#chance = chance;
  }

  async put(action: Omit<QueuedAction, "crew_id" | "attempts">): Promise<void> {
    await this.#ports.store.add({ ...action, crew_id: this.#crewId, attempts: 0 });
    await this.announce();
  }

  /** Sends the oldest first and stops at the first that must wait, so that order is kept. */
  async flush(): Promise<FlushEnd> {
    let end: FlushEnd = { stopped: "empty", wait_ms: null };
    await this.#ports.exclusively(async () => {
      end = await this.#drain();
    });
    return end;
  }

  async announce(): Promise<void> {
    this.#ports.changed(await this.#ports.store.list(this.#crewId));
  }

  async #drain(): Promise<FlushEnd> {
    for (;;) {
      const [head] = await this.#ports.store.list(this.#crewId);
      if (head === undefined) return { stopped: "empty", wait_ms: null };
      const outcome = await this.#ports.send(head, (kept) => this.#ports.store.update(kept));
      if (outcome.kind === "sign_in") return { stopped: "sign_in", wait_ms: null };
      if (outcome.kind === "later") return this.#postpone(head);
      await this.#ports.store.remove(head.seq);
      this.#ports.settled(head, outcome);
      await this.announce();
    }
  }

  async #postpone(sent: StoredAction): Promise<FlushEnd> {
    // The transport may have stored an uploaded photo id meanwhile: count on the stored row.
    const rows = await this.#ports.store.list(this.#crewId);
    const row = rows.find((one) => one.seq === sent.seq) ?? sent;
    const attempts = row.attempts + 1;
    await this.#ports.store.update({ ...row, attempts });
    await this.announce();
    return { stopped: "later", wait_ms: backoffMs(attempts, this.#chance()) };
  }
}
