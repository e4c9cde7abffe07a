/** Tells the dispatcher that this phone cannot say where it is, and why; or that it can again. */
import { backoffMs, type Outcome } from "./outbox.js";

export interface TellerPorts<Trouble> {
  send(trouble: Trouble | null, at: string, key: string): Promise<Outcome>;
  newKey(): string;
  chance(): number;
  /** Runs later; the returned function takes that back. */
  after(ms: number, run: () => void): () => void;
  now(): number;
}

/** Only the newest news matters: what was not told yet is overtaken by it. */
export class TroubleTeller<Trouble extends string> {
  readonly #ports: TellerPorts<Trouble>;
  /** What the server knows, as far as we know; undefined: nothing was told yet. */
  #told: Trouble | null | undefined;
  #wish: { trouble: Trouble | null; at: string; key: string } | null = null;
  #sending = false;
  #failures = 0;
  #cancel: (() => void) | null = null;

  constructor(ports: TellerPorts<Trouble>) {
    this.#ports = ports;
  }

  /** What the server has on its row: another phone of the crew may have told it. */
  heard(trouble: Trouble | null): void {
    if (this.#wish === null) this.#told = trouble;
  }

  say(trouble: Trouble | null): void {
    const last = this.#wish ? this.#wish.trouble : this.#told;
    if (last === trouble) return;
    const at = new Date(this.#ports.now()).toISOString();
    this.#wish = { trouble, at, key: this.#ports.newKey() };
    this.hurry();
  }

  /** The network is back: do not wait for the backoff to end. */
  hurry(): void {
    this.#cancel?.();
    this.#cancel = null;
    void this.#send();
  }

  async #send(): Promise<void> {
    const wish = this.#wish;
    if (wish === null || this.#sending) return;
    this.#sending = true;
    const outcome = await this.#ports.send(wish.trouble, wish.at, wish.key);
    this.#sending = false;
    const settled = outcome.kind === "done" || outcome.kind === "refused";
    if (settled) {
      this.#failures = 0;
      this.#told = wish.trouble;
      if (this.#wish === wish) this.#wish = null;
      else await this.#send();
      return;
    }
    this.#failures += 1;
    this.#cancel = this.#ports.after(backoffMs(this.#failures, this.#ports.chance()), () =>
      this.hurry(),
    );
  }
}
