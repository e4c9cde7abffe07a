/** Positions of the phone, kept through dead zones and sent in batches, oldest first. */

import type { Fix } from "./arrival.js";
import { metresBetween } from "./arrival.js";
import { backoffMs, type Outcome } from "./outbox.js";

export interface SentFix extends Fix {
  battery: number | null;
}

export type StoredFix = SentFix & { seq: number };

/** A batch whose answer is not known yet: it is repeated as it was, under the same key. */
export interface OpenBatch {
  key: string;
  last_seq: number;
}

export interface FixStore {
  add(fix: SentFix): Promise<void>;
  first(limit: number): Promise<StoredFix[]>;
  removeThrough(seq: number): Promise<void>;
  count(): Promise<number>;
  openBatch(): Promise<OpenBatch | null>;
  setOpenBatch(batch: OpenBatch | null): Promise<void>;
}

export interface FixPorts {
  store: FixStore;
  send(fixes: SentFix[], key: string): Promise<Outcome>;
  newKey(): string;
  chance(): number;
}

const BATCH = 60;
/** Half a shift at one fix every five seconds; beyond it the oldest are let go. */
const KEPT = 4000;
const MOVED_M = 8;
const STILL_MS = 15_000;

/** Thins the stream: a fix is worth keeping when the phone moved, or after a while standing. */
export function worthKeeping(last: Fix | null, fix: Fix): boolean {
  if (last === null) return true;
  const apart = Date.parse(fix.fix_time) - Date.parse(last.fix_time);
  if (apart < 0) return false;
  return apart >= STILL_MS || (apart >= 1000 && metresBetween(last, fix) >= MOVED_M);
}

export class FixBuffer {
  #ports: FixPorts;
  #last: Fix | null = null;
  #failures = 0;
  #notBefore = 0;

  constructor(ports: FixPorts) {
    this.#ports = ports;
  }

  async put(fix: SentFix): Promise<void> {
    if (!worthKeeping(this.#last, fix)) return;
    this.#last = fix;
    await this.#ports.store.add(fix);
    const extra = (await this.#ports.store.count()) - KEPT;
    if (extra > 0) {
      const oldest = await this.#ports.store.first(extra);
      const cut = oldest.at(-1);
      if (cut !== undefined) await this.#ports.store.removeThrough(cut.seq);
    }
  }

  /** Sends what is due; returns how many positions still wait on the phone. */
  async flush(nowMs: number): Promise<number> {
    while (nowMs >= this.#notBefore) {
      const batch = await this.#batch();
      if (batch.fixes.length === 0) break;
      const outcome = await this.#ports.send(batch.fixes.map(withoutSeq), batch.key);
      if (outcome.kind === "later" || outcome.kind === "sign_in") {
        this.#failures += 1;
        this.#notBefore = nowMs + backoffMs(this.#failures, this.#ports.chance());
        break;
      }
      // A refused batch would be refused for ever; the server has said why.
      this.#failures = 0;
      await this.#ports.store.removeThrough(batch.last_seq);
      await this.#ports.store.setOpenBatch(null);
    }
    return this.#ports.store.count();
  }

  /** The network is back: do not wait for the backoff to end. */
  hurry(): void {
    this.#notBefore = 0;
  }

  async #batch(): Promise<OpenBatch & { fixes: StoredFix[] }> {
    const fixes = await this.#ports.store.first(BATCH);
    const open = await this.#ports.store.openBatch();
    if (open !== null) {
      const same = fixes.filter((fix) => fix.seq <= open.last_seq);
      if (same.length > 0) return { ...open, fixes: same };
    }
    const last = fixes.at(-1);
    const fresh = { key: this.#ports.newKey(), last_seq: last?.seq ?? 0 };
    if (last !== undefined) await this.#ports.store.setOpenBatch(fresh);
    return { ...fresh, fixes };
  }
}

function withoutSeq(fix: StoredFix): SentFix {
  const { seq: _seq, ...sent } = fix;
  return sent;
}
