/** The coverage layer: what the server says of it now, for which skill, and what is pointed at. */
import { ApiError, cityPath, get } from "../api/client.js";
import type { Coverage } from "../api/shapes.js";
import type { CoverageArea } from "../map/coverage_layer.js";
import { m } from "../paraglide/messages.js";
import { weakestOf, type Zone } from "./coverage.js";
import type { Desk } from "./desk.svelte.js";

const EVERY_MS = 20_000;
const SETTLED_MS = 800;

export class CoverageView {
  shown = $state(false);
  skill = $state("");
  answer: Coverage | null = $state.raw(null);
  trouble: string | null = $state(null);
  busy = $state(false);
  /** The zone under the pointer, or chosen from the list. */
  pointed: number | null = $state(null);
  #request: AbortController | null = null;

  readonly zones: readonly Zone[] = $derived(this.shown ? (this.answer?.zones ?? []) : []);
  readonly areas: CoverageArea[] = $derived(
    this.zones.map(({ id, ring, p_on_time }) => ({
      id,
      ring,
      p: p_on_time,
      selected: id === this.pointed,
    })),
  );
  readonly zone: Zone | null = $derived(this.zones.find(({ id }) => id === this.pointed) ?? null);
  readonly weakest: Zone[] = $derived(weakestOf(this.zones));

  toggle(): void {
    this.shown = !this.shown;
    this.pointed = null;
  }

  /** Keeps the answer fresh while shown: after crews changed, and every twenty seconds. */
  follow(desk: Desk): void {
    $effect(() => {
      if (!this.shown) return;
      void this.skill;
      void signature(desk);
      const soon = setTimeout(() => void this.load(), this.answer ? SETTLED_MS : 0);
      const often = setInterval(() => void this.load(), EVERY_MS);
      return () => {
        clearTimeout(soon);
        clearInterval(often);
      };
    });
  }

  async load(): Promise<void> {
    this.#request?.abort();
    const mine = new AbortController();
    this.#request = mine;
    this.busy = true;
    const query = this.skill ? `?${new URLSearchParams({ skill: this.skill })}` : "";
    try {
      this.answer = await get<Coverage>(cityPath(`/coverage${query}`), { signal: mine.signal });
      this.trouble = null;
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.trouble = m.coverage_failed({ detail: error.message });
    } finally {
      if (this.#request === mine) this.busy = false;
    }
  }
}

/** Who is free and where crews were sent; positions alone change little within twenty seconds. */
function signature(desk: Desk): string {
  return desk.crewList.map((crew) => `${crew.status}${crew.assignment_id ?? ""}`).join();
}
