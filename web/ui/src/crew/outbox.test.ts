import { describe, expect, it } from "vitest";
import {
  backoffMs,
  Outbox,
  type OutboxPorts,
  type Outcome,
  outcomeOf,
  type QueuedAction,
  type QueueStore,
  type StoredAction,
} from "./outbox.js";

class Memory implements QueueStore {
  rows: StoredAction[] = [];
  #next = 1;
  async add(action: QueuedAction) {
    this.rows.push({ ...action, seq: this.#next++ });
  }
  async list(crewId: string) {
    return this.rows.filter((row) => row.crew_id === crewId).map((row) => ({ ...row }));
  }
  async update(action: StoredAction) {
    this.rows = this.rows.map((row) => (row.seq === action.seq ? action : row));
  }
  async remove(seq: number) {
    this.rows = this.rows.filter((row) => row.seq !== seq);
  }
}

function step(kind: QueuedAction["kind"], key: string) {
  return {
    key,
    kind,
    assignment_id: "a1",
    path: `/api/helsinki/assignments/a1/${kind}`,
    body: {},
    device_time: "2026-11-22T05:00:00Z",
    photo: null,
  };
}

/** A box over a store whose server answers with the listed outcomes in turn, then with done. */
function boxWith(store: Memory, answers: Outcome[] = [], crew = "c1") {
  const sent: StoredAction[] = [];
  const settled: [string, string][] = [];
  const ports: OutboxPorts = {
    store,
    async send(action) {
      sent.push(action);
      return answers.shift() ?? { kind: "done", answer: null };
    },
    exclusively: (work) => work(),
    changed: () => undefined,
    settled: (action, outcome) => settled.push([action.key, outcome.kind]),
  };
  return { box: new Outbox(ports, crew, () => 0.5), sent, settled };
}

const LATER: Outcome = { kind: "later" };

describe("the outbox", () => {
  it("sends in the order of the taps", async () => {
    const { box, sent, settled } = boxWith(new Memory());
    for (const kind of ["acknowledge", "en-route", "on-scene"] as const)
      await box.put(step(kind, kind));
    expect(await box.flush()).toEqual({ stopped: "empty", wait_ms: null });
    expect(sent.map((one) => one.kind)).toEqual(["acknowledge", "en-route", "on-scene"]);
    expect(settled.every(([, kind]) => kind === "done")).toBe(true);
  });

  it("stops at the first that must wait and repeats it under the same key", async () => {
    const store = new Memory();
    const { box, sent } = boxWith(store, [LATER]);
    await box.put(step("acknowledge", "k1"));
    await box.put(step("en-route", "k2"));
    const end = await box.flush();
    expect(end.stopped).toBe("later");
    expect(end.wait_ms).toBeGreaterThan(0);
    expect(store.rows.map((row) => [row.key, row.attempts])).toEqual([
      ["k1", 1],
      ["k2", 0],
    ]);
    await box.flush();
    expect(sent.map((one) => one.key)).toEqual(["k1", "k1", "k2"]);
  });

  it("survives closing: another box over the same store sends what the first could not", async () => {
    const store = new Memory();
    const before = boxWith(store, [LATER]);
    await before.box.put(step("clear", "k1"));
    await before.box.flush();
    const after = boxWith(store);
    await after.box.flush();
    expect(after.sent.map((one) => one.key)).toEqual(["k1"]);
    expect(store.rows).toEqual([]);
  });

  it("takes a refused action off and goes on with the next", async () => {
    const refused: Outcome = { kind: "refused", status: 409, code: "conflict", detail: "Late." };
    const { box, settled } = boxWith(new Memory(), [refused]);
    await box.put(step("acknowledge", "k1"));
    await box.put(step("note", "k2"));
    await box.flush();
    expect(settled).toEqual([
      ["k1", "refused"],
      ["k2", "done"],
    ]);
  });

  it("keeps everything when the sign-in has ended", async () => {
    const store = new Memory();
    const { box } = boxWith(store, [{ kind: "sign_in" }]);
    await box.put(step("acknowledge", "k1"));
    expect((await box.flush()).stopped).toBe("sign_in");
    expect(store.rows).toHaveLength(1);
    expect(store.rows[0]?.attempts).toBe(0);
  });

  it("never sends the actions of another crew", async () => {
    const store = new Memory();
    await boxWith(store).box.put(step("clear", "k1"));
    const other = boxWith(store, [], "c2");
    await other.box.flush();
    expect(other.sent).toEqual([]);
    expect(store.rows).toHaveLength(1);
  });

  it("keeps an uploaded photo id through a failed second half", async () => {
    const store = new Memory();
    const ports: OutboxPorts = {
      store,
      async send(action, keep) {
        if (action.photo === null) throw new Error("expected a photo");
        await keep({ ...action, photo: { ...action.photo, photo_id: "p9" } });
        return LATER;
      },
      exclusively: (work) => work(),
      changed: () => undefined,
      settled: () => undefined,
    };
    const box = new Outbox(ports, "c1");
    const photo = { blob: new Blob(["x"]), upload_key: "u", photo_id: null };
    await box.put({ ...step("photo", "k1"), photo });
    await box.flush();
    expect(store.rows[0]?.photo?.photo_id).toBe("p9");
    expect(store.rows[0]?.attempts).toBe(1);
  });
});

describe("what a refusal means", () => {
  it.each([
    [0, "later"],
    [400, "refused"],
    [401, "sign_in"],
    [403, "refused"],
    [404, "refused"],
    [409, "refused"],
    [422, "refused"],
    [429, "later"],
    [503, "later"],
  ])("%i is %s", (status, kind) => {
    expect(outcomeOf({ status, code: "x", message: "No." }).kind).toBe(kind);
  });

  it("passes on the sentence of the server", () => {
    const problem = { status: 409, code: "offer_expired", message: "Tawaran sudah berakhir." };
    expect(outcomeOf(problem)).toEqual({
      kind: "refused",
      status: 409,
      code: "offer_expired",
      detail: "Tawaran sudah berakhir.",
    });
  });
});

it("backs off twice as long each time, up to a minute", () => {
  expect([1, 2, 3, 20].map((n) => backoffMs(n, 1))).toEqual([2000, 4000, 8000, 60_000]);
  expect(backoffMs(3, 0)).toBe(4000);
});
