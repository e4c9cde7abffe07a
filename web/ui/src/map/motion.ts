/** Where each crew is drawn at this instant: gliding between the last two fixes, never guessing ahead. */

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
  /** 0..1; null where the device does not tell. */
  battery: number | null;
  /** True for a position that an app made up. */
  mock: boolean;
}

interface Track {
  from: { lon: number; lat: number };
  fix: Shown;
  heardAt: number;
  heardOn: number;
}

export class Motion {
  readonly #tracks = new Map<string, Track>();
  readonly #glides: boolean;
  readonly #wall: () => number;

  /** `glides: false` for people who asked for less motion; `wall`: a clock that runs while a machine sleeps. */
  constructor({ glides, wall = Date.now }: { glides: boolean; wall?: () => number }) {
    this.#glides = glides;
    this.#wall = wall;
  }

  /** Takes a crew's newest fix; `now` in milliseconds. */
  take(id: string, fix: Shown, now: number): void {
    const to = { lon: fix.lon, lat: fix.lat };
    const shown = this.at(id, now);
    const jumps = !shown || !this.#glides || metresBetween(shown, to) > JUMP_M;
    this.#tracks.set(id, {
      from: jumps ? to : { lon: shown.lon, lat: shown.lat },
      fix,
      heardAt: now,
      heardOn: this.#wall(),
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
    // The clock of pictures stands still while a machine sleeps, the other may be set back: the
    // larger is true.
    const aged = Math.max(passed, this.#wall() - track.heardOn);
    const { from, fix } = track;
    return {
      ...fix,
      lon: from.lon + (fix.lon - from.lon) * share,
      lat: from.lat + (fix.lat - from.lat) * share,
      age_s: fix.age_s + aged / 1000,
    };
  }

  /** True while any crew is still on its way to its last fix. */
  isMoving(now: number): boolean {
    for (const { from, fix, heardAt } of this.#tracks.values()) {
      if (now - heardAt < GLIDE_MS && metresBetween(from, fix) > 0.3) return true;
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
