/** The way through the chosen round, asked of the server anew whenever the round changed. */
import { ApiError, cityPath, get } from "../api/client.js";
import type { RoundFile } from "../api/shapes.js";
import { numbered } from "../base/rounds.js";
import type { Round } from "../live/entities.js";
import type { RoundMark } from "../map/round_layer.js";
import type { Desk } from "./desk.svelte.js";

interface Placed {
  id: string;
  lon: number;
  lat: number;
}

export class RoundWay {
  #file: RoundFile | null = $state.raw(null);
  #asked = "";

  /** Asks for the way unless this version of the round was asked for already. */
  follow(round: Round | undefined): void {
    const wanted = round ? `${round.id}/${round.version}` : "";
    if (wanted === this.#asked) return;
    this.#asked = wanted;
    if (!round) {
      this.#file = null;
      return;
    }
    get<RoundFile>(cityPath(`/rounds/${round.id}`)).then(
      (file) => {
        if (this.#asked === wanted) this.#file = file;
      },
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        // The stops are drawn all the same; the way is asked for again with the next change.
        if (this.#asked === wanted) this.#asked = "";
      },
    );
  }

  /** What the map draws of the round. */
  mark(desk: Desk, round: Round): RoundMark {
    const file = this.#file?.round.id === round.id ? this.#file : null;
    const known = new Map(
      ((file?.incidents ?? []) as unknown as Placed[]).map((each) => [each.id, each]),
    );
    const crew = desk.crews.get(round.crew_id);
    const job = crew ? desk.jobOf(crew) : null;
    return {
      points: file?.points ?? [],
      stops: numbered(round.stops).flatMap(({ stop, n }) => {
        const place = desk.incidents.get(stop.incident_id) ?? known.get(stop.incident_id);
        if (!place || n === null) return [];
        const done = stop.state === "done";
        const now = !done && job?.incident_id === stop.incident_id;
        return [
          {
            lon: place.lon,
            lat: place.lat,
            label: done ? "✓" : String(n),
            state: done ? ("done" as const) : now ? ("now" as const) : ("waiting" as const),
          },
        ];
      }),
    };
  }
}
