/** How far the chosen crew comes in five, ten and twenty minutes of driving, kept fresh while shown. */
import { ApiError, cityPath, get } from "../api/client.js";
import type { Reach } from "../api/shapes.js";
import type { ReachArea } from "../map/reach_layer.js";
import type { Desk } from "./desk.svelte.js";

const EVERY_MS = 15_000;

export class ReachView {
  shown = $state(false);
  answer: Reach | null = $state.raw(null);
  trouble: string | null = $state(null);
  #request: AbortController | null = null;
  #crew: string | null = $state(null);

  readonly areas: readonly ReachArea[] = $derived(
    this.shown && this.answer?.crew_id === this.#crew ? (this.answer?.areas ?? []) : [],
  );

  toggle(): void {
    this.shown = !this.shown;
  }

  /** Asks for the chosen crew at once, when roads close or open, and every fifteen seconds. */
  follow(desk: Desk): void {
    $effect(() => {
      const crew = desk.selection?.kind === "crew" ? desk.selection.id : null;
      this.#crew = crew;
      void [...desk.closures.keys()].join();
      if (!this.shown || crew === null) return;
      void this.load(crew);
      const often = setInterval(() => void this.load(crew), EVERY_MS);
      return () => clearInterval(often);
    });
  }

  async load(crew: string): Promise<void> {
    this.#request?.abort();
    const mine = new AbortController();
    this.#request = mine;
    try {
      const query = new URLSearchParams({ crew });
      this.answer = await get<Reach>(cityPath(`/reach?${query}`), { signal: mine.signal });
      this.trouble = null;
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.trouble = error.message;
    }
  }
}
