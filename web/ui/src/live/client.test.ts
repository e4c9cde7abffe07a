/** A screen that lost the network shows what a fresh one shows. */
import { beforeEach, describe, expect, it } from "vitest";
import { type Link, LiveClient, type Socket, type Surroundings } from "./client.js";
import type { State } from "./fold.js";

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];
  closed = false;
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

/** A world whose clock, timers and network the test moves. */
class World implements Surroundings {
  readonly sockets: FakeSocket[] = [];
  time = 0;
  isOnline = true;
  #timers: { at: number; run: () => void }[] = [];
  #watcher: (event: "online" | "offline" | "shown") => void = () => {};
  open(): Socket {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }
  now(): number {
    return this.time;
  }
  random(): number {
    return 1;
  }
  online(): boolean {
    return this.isOnline;
  }
  after(ms: number, run: () => void): () => void {
    const timer = { at: this.time + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }
  watch(run: (event: "online" | "offline" | "shown") => void): () => void {
    this.#watcher = run;
    return () => {};
  }
  soon(run: () => void): void {
    run();
  }
  tell(event: "online" | "offline" | "shown"): void {
    this.isOnline = event !== "offline";
    this.#watcher(event);
  }
  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.time = next.at;
      this.#timers = this.#timers.filter((each) => each !== next);
      next.run();
    }
    this.time = end;
  }
  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (!last) throw new Error("No socket was opened.");
    return last;
  }
}

const CH = "city/helsinki";
const event = (o: number, v: number, status: string) => ({
  ch: CH,
  o,
  p: o - 1,
  t: "ReportChanged",
  k: "report/a",
  v,
  d: { status },
});

describe("LiveClient", () => {
  let world: World;
  let links: Link[];
  let states: State[];
  let client: LiveClient;

  beforeEach(() => {
    world = new World();
    links = [];
    states = [];
    client = new LiveClient("ws://x", (link) => links.push(link), world);
    client.subscribe(CH, { onState: (state) => states.push(state) });
    world.socket.onopen?.();
  });

  const snapshot = () =>
    world.socket.say({
      ch: CH,
      recovered: false,
      epoch: "e",
      offset: 10,
      state: { "report/a": { v: 1, status: "received" } },
    });

  it("asks for a snapshot first and says when it is live", () => {
    expect(world.socket.sent).toEqual([{ sub: CH }]);
    expect(links.at(-1)).toEqual({ phase: "connecting" });
    snapshot();
    expect(links.at(-1)).toEqual({ phase: "live" });
    expect(states.at(-1)?.["report/a"]?.status).toBe("received");
  });

  it("folds what follows", () => {
    snapshot();
    world.socket.say(event(11, 2, "verified"));
    expect(states.at(-1)?.["report/a"]).toEqual({ v: 2, status: "verified" });
  });

  it("subscribes again with since when an event is missing, folding nothing until the answer", () => {
    snapshot();
    world.socket.say(event(12, 3, "closed"));
    expect(world.socket.sent.at(-1)).toEqual({ sub: CH, since: { epoch: "e", offset: 10 } });
    expect(states.at(-1)?.["report/a"]?.status).toBe("received");
    world.socket.say({
      ch: CH,
      recovered: true,
      epoch: "e",
      offset: 12,
      events: [event(11, 2, "verified"), event(12, 3, "closed")],
    });
    expect(states.at(-1)?.["report/a"]).toEqual({ v: 3, status: "closed" });
  });

  it("obeys resync", () => {
    snapshot();
    world.socket.say({ ch: CH, resync: true });
    expect(world.socket.sent.at(-1)).toEqual({ sub: CH, since: { epoch: "e", offset: 10 } });
  });

  it("answers a ping", () => {
    world.socket.say({ ping: 1 });
    expect(world.socket.sent.at(-1)).toEqual({ pong: 1 });
  });

  it("returns after a minute without network with everything it missed", () => {
    snapshot();
    const first = world.socket;
    world.tell("offline");
    expect(first.closed).toBe(true);
    expect(links.at(-1)).toEqual({ phase: "offline", retryAt: null });
    world.pass(60_000);
    expect(world.sockets.length).toBe(1);
    world.tell("online");
    world.socket.onopen?.();
    expect(world.socket.sent).toEqual([{ sub: CH, since: { epoch: "e", offset: 10 } }]);
    world.socket.say({
      ch: CH,
      recovered: true,
      epoch: "e",
      offset: 11,
      events: [event(11, 2, "verified")],
    });
    world.socket.say(event(12, 3, "closed"));
    expect(states.at(-1)).toEqual({ "report/a": { v: 3, status: "closed" } });
    expect(links.at(-1)).toEqual({ phase: "live" });
  });

  it("ignores what an abandoned socket still says", () => {
    snapshot();
    const first = world.socket;
    world.tell("offline");
    first.say(event(11, 2, "verified"));
    expect(states.at(-1)?.["report/a"]?.status).toBe("received");
  });

  it("waits longer after each failure and starts over after a success", () => {
    snapshot();
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) {
      world.socket.onclose?.();
      const link = links.at(-1);
      if (link?.phase !== "offline" || link.retryAt === null) throw new Error("expected a wait");
      waits.push(link.retryAt - world.time);
      world.pass(link.retryAt - world.time);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
    world.socket.onopen?.();
    snapshot();
    world.socket.onclose?.();
    expect(links.at(-1)).toEqual({ phase: "offline", retryAt: world.time + 500 });
  });

  it("asks again when the line is silent, and opens a new one when no answer comes", () => {
    snapshot();
    world.pass(25_000);
    expect(world.socket.sent.at(-1)).toEqual({ ping: 1 });
    world.pass(10_500);
    expect(world.sockets.length).toBe(2);
  });

  it("stays when the answer to its question comes", () => {
    snapshot();
    world.pass(25_000);
    world.socket.say({ pong: 1 });
    world.pass(20_000);
    expect(world.sockets.length).toBe(1);
  });

  it("folds page after page and what is live only after the last", () => {
    snapshot();
    world.tell("offline");
    world.tell("online");
    world.socket.onopen?.();
    const page = (o: number, more: boolean) =>
      world.socket.say({
        ch: CH,
        recovered: true,
        epoch: "e",
        offset: o,
        events: [event(o, o - 9, "verified")],
        ...(more ? { more } : {}),
      });
    page(11, true);
    world.socket.say(event(13, 4, "closed"));
    expect(states.at(-1)?.["report/a"]?.v).toBe(2);
    page(12, false);
    world.socket.say(event(13, 4, "closed"));
    expect(states.at(-1)?.["report/a"]).toEqual({ v: 4, status: "closed" });
    expect(world.socket.sent.length).toBe(1);
  });

  it("says what the map shows, and says it again on a new line", () => {
    snapshot();
    client.look(CH, [24.9, 60.1, 25.0, 60.2]);
    expect(world.socket.sent.at(-1)).toEqual({ view: CH, bbox: [24.9, 60.1, 25.0, 60.2] });
    world.tell("offline");
    world.tell("online");
    world.socket.onopen?.();
    expect(world.socket.sent.at(-1)).toMatchObject({ sub: CH, bbox: [24.9, 60.1, 25.0, 60.2] });
    client.look(CH, null);
    expect(world.socket.sent.at(-1)).toEqual({ view: CH });
  });

  it("does not insist on a channel it may not have", () => {
    world.socket.say({ ch: CH, error: { code: "forbidden", detail: "No." } });
    world.socket.onclose?.();
    world.pass(500);
    world.socket.onopen?.();
    expect(world.socket.sent).toEqual([]);
  });

  it("passes positions through without keeping them", () => {
    const fixes: unknown[] = [];
    client.subscribe("crew/1", { onPositions: (all) => fixes.push(...all) });
    world.socket.say({ ch: "crew/1", pos: [["1", 24.9, 60.1, null, 3]] });
    expect(fixes).toEqual([["1", 24.9, 60.1, null, 3]]);
  });
});
