/** A plan of rounds being worked out by the server: how far it is, and what came of it. */
import { ApiError, cityPath, get, isUnreachable, post } from "../api/client.js";
import type { PlanBegun, PlanView, Wishes } from "../api/shapes.js";
import { m } from "../paraglide/messages.js";

const POLL_MS = 500;
/** A network that is away for a moment does not end the plan. */
const RETRY_MS = 2000;

export class Planning {
  plan: PlanView | null = $state.raw(null);
  busy = $state(false);
  /** What the server said when it refused. */
  #refusal: string | null = $state.raw(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  get running(): boolean {
    return this.plan !== null && !this.plan.ended;
  }

  /** A sentence about how it ended, well or not. */
  get news(): { sentence: string; bad: boolean } | null {
    if (this.#refusal) return { sentence: this.#refusal, bad: true };
    if (this.plan?.phase === "done") {
      return { sentence: m.rounds_plan_done({ n: this.plan.round_ids.length }), bad: false };
    }
    if (this.plan?.phase === "cancelled") {
      return { sentence: m.rounds_plan_cancelled(), bad: false };
    }
    return this.plan?.detail ? { sentence: this.plan.detail, bad: true } : null;
  }

  /** Asks for a plan; true when the server began to work on it. */
  async begin(wish: Wishes["plan"]): Promise<boolean> {
    this.busy = true;
    this.#refusal = null;
    try {
      const begun = await post<PlanBegun>(cityPath("/rounds/plan"), wish);
      await this.#look(begun.plan_id);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  async cancel(): Promise<void> {
    if (!this.plan) return;
    try {
      this.plan = await post<PlanView>(cityPath(`/rounds/plan/${this.plan.id}/cancel`), {});
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Nobody looks any more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  async #look(id: string): Promise<void> {
    clearTimeout(this.#timer);
    let wait = POLL_MS;
    try {
      this.plan = await get<PlanView>(cityPath(`/rounds/plan/${id}`));
    } catch (error) {
      if (!isUnreachable(error)) {
        this.plan = null;
        this.#fail(error);
        return;
      }
      wait = RETRY_MS;
    }
    if (!this.plan?.ended) this.#timer = setTimeout(() => void this.#look(id), wait);
  }

  #fail(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    this.#refusal = error.message;
  }
}
