/** One socket, many channels: whoever loses the thread subscribes again from the last offset it knows. */
import type { components } from "../api/asyncapi.js";
import {
  type Durable,
  fold,
  nowhere,
  type Position,
  prune,
  type Recovery,
  recover,
  type State,
} from "./fold.js";

/**
 * A crew's newest position: [crew_id, lon, lat, heading or null, age in seconds when sent, battery
 * 0..1 or null, 1 when an app made it up].
 */
export type Fix = components["schemas"]["Positions"]["pos"][number];

export interface Refusal {
  code: string;
  detail: string;
}

/** West, south, east, north in degrees. */
export type Box = readonly [number, number, number, number];

export interface Listener {
  /** The whole state after a batch of messages; `types` are the event types folded, [] on recovery. */
  onState?(state: State, types: readonly Durable[]): void;
  onPositions?(fixes: readonly Fix[]): void;
  /** The server will not give this channel (signed out, not allowed); nothing is retried. */
  onRefused?(refusal: Refusal): void;
  /** Opens a citizen's channel. */
  token?: string;
}

/** What the screen says about its line to the server. */
export type Link =
  | { phase: "connecting" }
  | { phase: "live" }
  /** `retryAt` in milliseconds since the epoch, null while the device itself has no network. */
  | { phase: "offline"; retryAt: number | null };

/** The parts of a browser the client needs; tests bring their own. */
export interface Surroundings {
  open(url: string): Socket;
  now(): number;
  random(): number;
  online(): boolean;
  after(ms: number, run: () => void): () => void;
  /** Calls back when the device gains or loses the network, or the screen is looked at again. */
  watch(run: (event: "online" | "offline" | "shown") => void): () => void;
  /** Runs once before the next picture: messages that arrive together are folded together. */
  soon(run: () => void): void;
}

export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: (() => void) | null;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
/** Silence after which the client asks again, and after which it gives the socket up. */
const QUIET_MS = 25_000;
const DEAD_MS = 10_000;
const OPEN_MS = 10_000;
const PRUNE_MS = 60_000;

interface Channel {
  position: Position;
  listener: Listener;
  /** Between our question and the answer live messages are not folded. */
  asking: boolean;
  refused: boolean;
  /** What the map shows: positions outside come only every ten seconds. */
  box: Box | null;
  waiting: Durable[];
  prunedAt: number;
}

export class LiveClient {
  readonly #url: string;
  readonly #around: Surroundings;
  readonly #onLink: (link: Link) => void;
  readonly #channels = new Map<string, Channel>();
  #socket: Socket | null = null;
  #opened = false;
  #stopped = false;
  #failures = 0;
  #cancelRetry: (() => void) | null = null;
  #cancelWatchdog: (() => void) | null = null;
  #unwatch: () => void;
  #flushing = false;

  constructor(url: string, onLink: (link: Link) => void, around: Surroundings) {
    this.#url = url;
    this.#around = around;
    this.#onLink = onLink;
    this.#unwatch = around.watch((event) => this.#surroundingsChanged(event));
    this.#connect();
  }

  /** Follows a channel; the returned function stops following. */
  subscribe(name: string, listener: Listener): () => void {
    const channel: Channel = {
      position: nowhere,
      listener,
      asking: false,
      refused: false,
      box: null,
      waiting: [],
      prunedAt: this.#around.now(),
    };
    this.#channels.set(name, channel);
    if (this.#opened) this.#ask(name, channel);
    return () => {
      if (this.#channels.get(name) !== channel) return;
      this.#channels.delete(name);
      if (this.#opened) this.#send({ unsub: name });
    };
  }

  /** Says which part of the map is looked at; null is all of it. */
  look(name: string, box: Box | null): void {
    const channel = this.#channels.get(name);
    if (!channel) return;
    channel.box = box;
    if (this.#opened) this.#send({ view: name, ...(box === null ? {} : { bbox: box }) });
  }

  /** Ends the client for good. */
  close(): void {
    this.#stopped = true;
    this.#unwatch();
    this.#cancelRetry?.();
    this.#drop();
  }

  /** Tries now instead of waiting for the next attempt. */
  retryNow(): void {
    if (this.#socket || this.#stopped) return;
    this.#cancelRetry?.();
    this.#connect();
  }

  #connect(): void {
    this.#cancelRetry = null;
    if (!this.#around.online()) {
      this.#onLink({ phase: "offline", retryAt: null });
      return;
    }
    this.#onLink({ phase: "connecting" });
    const socket = this.#around.open(this.#url);
    this.#socket = socket;
    this.#opened = false;
    this.#watchFor(OPEN_MS, () => this.#lost(socket));
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#opened = true;
      for (const [name, channel] of this.#channels) this.#ask(name, channel);
      if (this.#channels.size === 0) this.#heard();
    };
    socket.onmessage = (event) => {
      if (this.#socket !== socket) return;
      this.#heard();
      this.#take(JSON.parse(event.data));
    };
    socket.onclose = () => this.#lost(socket);
  }

  #ask(name: string, channel: Channel): void {
    if (channel.refused) return;
    const { epoch, offset } = channel.position;
    channel.asking = true;
    channel.waiting = [];
    this.#send({
      sub: name,
      ...(epoch === null ? {} : { since: { epoch, offset } }),
      ...(channel.box === null ? {} : { bbox: channel.box }),
      ...(channel.listener.token === undefined ? {} : { token: channel.listener.token }),
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: the shape is decided by which keys a message has
  #take(message: any): void {
    if ("ping" in message) {
      this.#send({ pong: message.ping });
      return;
    }
    const channel = this.#channels.get(message.ch);
    if (!channel) return;
    if ("recovered" in message) this.#recovered(channel, message);
    else if ("o" in message) this.#queue(channel, message);
    else if ("pos" in message) channel.listener.onPositions?.(message.pos);
    else if ("resync" in message) this.#ask(message.ch, channel);
    else if ("error" in message) {
      channel.refused = true;
      channel.asking = false;
      channel.listener.onRefused?.(message.error);
    }
  }

  #recovered(channel: Channel, answer: Recovery): void {
    channel.asking = answer.recovered && answer.more === true;
    channel.waiting = [];
    channel.position = recover(channel.position, answer);
    this.#failures = 0;
    if (!channel.asking) this.#onLink({ phase: "live" });
    this.#tell(channel, answer.recovered ? answer.events : []);
  }

  #queue(channel: Channel, message: Durable): void {
    if (channel.asking) return;
    channel.waiting.push(message);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#around.soon(() => {
      this.#flushing = false;
      for (const [name, each] of this.#channels) this.#flush(name, each);
    });
  }

  #flush(name: string, channel: Channel): void {
    if (channel.waiting.length === 0 || channel.asking) return;
    const before = channel.position;
    const messages = channel.waiting;
    channel.waiting = [];
    const { position, gap } = fold(before, messages);
    channel.position = position;
    if (position !== before) {
      this.#tell(
        channel,
        messages.filter(({ o }) => o > before.offset && o <= position.offset),
      );
    }
    if (gap && this.#opened) this.#ask(name, channel);
  }

  #tell(channel: Channel, events: readonly Durable[]): void {
    const now = this.#around.now();
    if (now - channel.prunedAt > PRUNE_MS) {
      channel.prunedAt = now;
      channel.position = { ...channel.position, state: prune(channel.position.state, now) };
    }
    channel.listener.onState?.(channel.position.state, events);
  }

  /** Any message proves the line; silence first leads to a question, then to a new socket. */
  #heard(): void {
    const socket = this.#socket;
    this.#watchFor(QUIET_MS, () => {
      this.#send({ ping: 1 });
      this.#watchFor(DEAD_MS, () => this.#lost(socket));
    });
  }

  #watchFor(ms: number, run: () => void): void {
    this.#cancelWatchdog?.();
    this.#cancelWatchdog = this.#around.after(ms, run);
  }

  #send(message: object): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #drop(): void {
    this.#cancelWatchdog?.();
    this.#cancelWatchdog = null;
    const socket = this.#socket;
    this.#socket = null;
    this.#opened = false;
    for (const channel of this.#channels.values()) channel.asking = false;
    if (socket) {
      socket.onclose = null;
      socket.close();
    }
  }

  #lost(socket: Socket | null): void {
    if (this.#socket !== socket || this.#stopped) return;
    this.#drop();
    if (!this.#around.online()) {
      this.#onLink({ phase: "offline", retryAt: null });
      return;
    }
    // Full jitter: after a server restart a thousand screens must not knock at once.
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    const delay = ceiling / 2 + (ceiling / 2) * this.#around.random();
    this.#failures += 1;
    this.#onLink({ phase: "offline", retryAt: this.#around.now() + delay });
    this.#cancelRetry = this.#around.after(delay, () => this.#connect());
  }

  #surroundingsChanged(event: "online" | "offline" | "shown"): void {
    if (event === "offline") {
      this.#cancelRetry?.();
      this.#drop();
      this.#onLink({ phase: "offline", retryAt: null });
      return;
    }
    this.#failures = 0;
    this.retryNow();
  }
}
