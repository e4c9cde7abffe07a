/** The phone's own memory (IndexedDB): waiting actions, buffered positions, last known job. */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { FixStore, OpenBatch, SentFix, StoredFix } from "./fix_buffer.js";
import type { QueuedAction, QueueStore, StoredAction } from "./outbox.js";

interface PhoneSchema extends DBSchema {
  outbox: { key: number; value: QueuedAction };
  fixes: { key: number; value: SentFix };
  kept: { key: string; value: unknown };
}

export type PhoneDb = IDBPDatabase<PhoneSchema>;

export function openPhone(city: string): Promise<PhoneDb> {
  return openDB<PhoneSchema>(`sigap-crew-${city}`, 1, {
    upgrade(db) {
      db.createObjectStore("outbox", { keyPath: "seq", autoIncrement: true });
      db.createObjectStore("fixes", { autoIncrement: true });
      db.createObjectStore("kept");
    },
  });
}

export function queueStore(db: PhoneDb): QueueStore {
  return {
    async add(action) {
      await db.add("outbox", action);
    },
    async list(crewId) {
      const rows = await db.getAll("outbox");
      return rows.filter((row): row is StoredAction => row.crew_id === crewId);
    },
    async update(action) {
      await db.put("outbox", action);
    },
    async remove(seq) {
      await db.delete("outbox", seq);
    },
  };
}

export function fixStore(db: PhoneDb): FixStore {
  return {
    async add(fix) {
      await db.add("fixes", fix);
    },
    async first(limit) {
      const found: StoredFix[] = [];
      let cursor = await db.transaction("fixes").store.openCursor();
      while (cursor !== null && found.length < limit) {
        found.push({ ...cursor.value, seq: cursor.key });
        cursor = await cursor.continue();
      }
      return found;
    },
    async removeThrough(seq) {
      await db.delete("fixes", IDBKeyRange.upperBound(seq));
    },
    count: () => db.count("fixes"),
    async openBatch() {
      return ((await db.get("kept", "open_batch")) as OpenBatch | undefined) ?? null;
    },
    async setOpenBatch(batch) {
      await db.put("kept", batch, "open_batch");
    },
  };
}

/** Last known facts, so that the app opens with the job even without a network. */
export async function keep(db: PhoneDb, name: string, value: unknown): Promise<void> {
  await db.put("kept", value, name);
}

export async function kept<T>(db: PhoneDb, name: string): Promise<T | null> {
  return ((await db.get("kept", name)) as T | undefined) ?? null;
}

/** Signing out forgets the job and the positions, never an action that still has to be sent. */
export async function forget(db: PhoneDb): Promise<void> {
  await db.clear("kept");
  await db.clear("fixes");
}
