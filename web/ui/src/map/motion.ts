/** Where each crew is drawn at this instant: gliding between the last two fixes, never guessing ahead. */

/** Seconds after which a position is shown as old. */
export const STALE_S = 60;
/** Farther than this between two fixes is a jump, not a drive: shown at once. */
const JUMP_M = 600;
/** Positions arrive once a second; gliding a little longer hides their jitter. */
const GLIDE_MS = 1100;
const METRES_PER_DEGREE = 111_320;

export interface Shown {
  lon: number;
  lat: number;
  heading: number | null;
  age_s: number;
}

interface Track {
  from: { lon: number; lat: number };
  to: { lon: number; lat: number };
  heading: number | null;
  age_s: number;
  heardAt: number;
}

export class Motion {
  readonly #tracks = new Map<string, Track>();
  readonly #glides: boolean;

  /** `glides: false` for people who asked for less motion. */
  constructor({ glides }: { glides: boolean }) {
    this.#glides = glides;
  }

  /** Takes a crew's newest fix; `now` in milliseconds. */
  take(id: string, fix: Shown, now: number): void {
    const to = { lon: fix.lon, lat: fix.lat };
    const shown = this.at(id, now);
    const jumps = !shown || !this.#glides || metresBetween(shown, to) > JUMP_M;
    this.#tracks.set(id, {
      from: jumps ? to : { lon: shown.lon, lat: shown.lat },
      to,
      heading: fix.heading,
      age_s: fix.age_s,
      heardAt: now,
    });
  }

  forget(id: string): void {
    this.#tracks.delete(id);
  }

  ids(): IterableIterator<string> {
    return this.#tracks.keys();
  }

  /** Position and age at `now`; undefined for a crew that never sent one. */
  at(id: string, now: number): Shown | undefined {
    const track = this.#tracks.get(id);
    if (!track) return undefined;
    const passed = Math.max(0, now - track.heardAt);
    const share = Math.min(1, passed / GLIDE_MS);
    return {
      lon: track.from.lon + (track.to.lon - track.from.lon) * share,
      lat: track.from.lat + (track.to.lat - track.from.lat) * share,
      heading: track.heading,
      age_s: track.age_s + passed / 1000,
    };
  }

  /** True while any crew is still on its way to its last fix. */
  isMoving(now: number): boolean {
    for (const { from, to, heardAt } of this.#tracks.values()) {
      if (now - heardAt < GLIDE_MS && metresBetween(from, to) > 0.3) return true;
    }
    return false;
  }
}

/** Metres between two near points on the ground (equirectangular). */
export function metresBetween(
  a: { lon: number; lat: number },
  b: { lon: number; lat: number },
): number {
  const east = (b.lon - a.lon) * Math.cos((a.lat * Math.PI) / 180);
  return Math.hypot(east, b.lat - a.lat) * METRES_PER_DEGREE;
}
