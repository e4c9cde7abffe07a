import { expect, it } from "vitest";
import {
  FixBuffer,
  type FixStore,
  type OpenBatch,
  type SentFix,
  type StoredFix,
  worthKeeping,
} from "./fix_buffer.js";
import type { Outcome } from "./outbox.js";

class Memory implements FixStore {
  rows: StoredFix[] = [];
  batch: OpenBatch | null = null;
  #next = 1;
  async add(one: SentFix) {
    this.rows.push({ ...one, seq: this.#next++ });
  }
  first = async (limit: number) => this.rows.slice(0, limit);
  async removeThrough(seq: number) {
    this.rows = this.rows.filter((row) => row.seq > seq);
  }
  count = async () => this.rows.length;
  openBatch = async () => this.batch;
  async setOpenBatch(batch: OpenBatch | null) {
    this.batch = batch;
  }
}

function fix(second: number, lat = 60.17 + second * 0.001): SentFix {
  return {
    lon: 24.94,
    lat,
    accuracy_m: 8,
    heading: null,
    speed_ms: null,
    battery: null,
    fix_time: new Date(Date.UTC(2026, 10, 22, 5, 0, second)).toISOString(),
  };
}

function bufferWith(answers: Outcome[]) {
  const store = new Memory();
  const sent: { key: string; fixes: SentFix[] }[] = [];
  let key = 0;
  const buffer = new FixBuffer({
    store,
    async send(fixes, used) {
      sent.push({ key: used, fixes });
      return answers.shift() ?? { kind: "done", answer: null };
    },
    newKey: () => `k${++key}`,
    chance: () => 1,
  });
  return { buffer, store, sent };
}

it("repeats an unanswered batch as it was, under its key, then sends what came after", async () => {
  const { buffer, store, sent } = bufferWith([{ kind: "later" }]);
  await buffer.put(fix(0));
  await buffer.put(fix(5));
  expect(await buffer.flush(0)).toBe(2);
  await buffer.put(fix(10));
  expect(await buffer.flush(500)).toBe(3);
  expect(sent).toHaveLength(1);
  expect(await buffer.flush(2000)).toBe(0);
  expect(sent.map((one) => [one.key, one.fixes.length])).toEqual([
    ["k1", 2],
    ["k1", 2],
    ["k2", 1],
  ]);
  expect(sent[1]?.fixes[0]).not.toHaveProperty("seq");
  expect(store.batch).toBeNull();
});

it("does not wait for the backoff once the network is back", async () => {
  const { buffer, sent } = bufferWith([{ kind: "later" }]);
  await buffer.put(fix(0));
  await buffer.flush(0);
  buffer.hurry();
  expect(await buffer.flush(1)).toBe(0);
  expect(sent).toHaveLength(2);
});

it("drops a batch that the server refuses as a whole", async () => {
  const { buffer } = bufferWith([{ kind: "refused", status: 422, code: "bad", detail: "No." }]);
  await buffer.put(fix(0));
  expect(await buffer.flush(0)).toBe(0);
});

it("thins a standing phone and never keeps a fix older than the last", () => {
  const still = fix(0, 60.17);
  expect(worthKeeping(null, still)).toBe(true);
  expect(worthKeeping(still, fix(5, 60.17))).toBe(false);
  expect(worthKeeping(still, fix(15, 60.17))).toBe(true);
  expect(worthKeeping(still, fix(5, 60.171))).toBe(true);
  expect(worthKeeping(fix(10), fix(5))).toBe(false);
});
