/** A closure while it is drawn: points clicked on the map, and the pieces of road they mean. */
import { ApiError, cityPath, get } from "../api/client.js";
import type { ClosurePreview } from "../api/shapes.js";
import type { Position } from "../map/closure_layer.js";

/** How far beside the line roads count, metres. */
export const WIDTHS_M = [12, 40, 100] as const;
const SETTLED_MS = 120;

export class Drawing {
  /** The incident it will end with, or null: somebody lifts it. */
  readonly incidentId: string | null;
  points: Position[] = $state.raw([]);
  width_m: number = $state(WIDTHS_M[0]);
  found: ClosurePreview | null = $state.raw(null);
  failure: string | null = $state(null);
  /** True from the last change until the server has said what it means. */
  asking = $state(false);
  #timer: ReturnType<typeof setTimeout> | null = null;
  #abort: AbortController | null = null;

  constructor(incidentId: string | null = null) {
    this.incidentId = incidentId;
  }

  get ready(): boolean {
    return !this.asking && (this.found?.stretches.length ?? 0) > 0;
  }

  add(place: Position): void {
    this.points = [...this.points, [round(place[0]), round(place[1])]];
    this.#ask();
  }

  back(): void {
    this.points = this.points.slice(0, -1);
    this.#ask();
  }

  widen(width_m: number): void {
    this.width_m = width_m;
    this.#ask();
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#abort?.abort();
  }

  #ask(): void {
    this.end();
    this.failure = null;
    if (this.points.length === 0) {
      this.found = null;
      this.asking = false;
      return;
    }
    this.asking = true;
    this.#timer = setTimeout(() => void this.#load(), SETTLED_MS);
  }

  async #load(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    const line = this.points.map((place) => place.join(",")).join(";");
    const query = new URLSearchParams({ line, width_m: String(this.width_m) });
    try {
      this.found = await get<ClosurePreview>(cityPath(`/closures/preview?${query}`), {
        signal: abort.signal,
      });
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.found = null;
      this.failure = error.message;
    }
    this.asking = false;
  }
}

/** A ten-millionth of a degree is a centimetre. */
function round(degrees: number): number {
  return Math.round(degrees * 1e7) / 1e7;
}
