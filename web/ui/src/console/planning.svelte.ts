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
  /** A sentence about how it ended, well or not. */
  news: { sentence: string; bad: boolean } | null = $state.raw(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  get running(): boolean {
    return this.plan !== null && !this.plan.ended;
  }

  /** Asks for a plan; true when the server began to work on it. */
  async begin(wish: Wishes["plan"]): Promise<boolean> {
    this.busy = true;
    this.news = null;
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
      this.#take(await post<PlanView>(cityPath(`/rounds/plan/${this.plan.id}/cancel`), {}));
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
      this.#take(await get<PlanView>(cityPath(`/rounds/plan/${id}`)));
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

  #take(plan: PlanView): void {
    this.plan = plan;
    if (plan.phase === "done") {
      this.news = { sentence: m.rounds_plan_done({ n: plan.round_ids.length }), bad: false };
    } else if (plan.phase === "cancelled") {
      this.news = { sentence: m.rounds_plan_cancelled(), bad: false };
    } else if (plan.phase === "failed" && plan.detail) {
      this.news = { sentence: plan.detail, bad: true };
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    this.news = { sentence: error.message, bad: true };
  }
}
