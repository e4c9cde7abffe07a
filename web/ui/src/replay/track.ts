/** A crew's track as a replay needs it: where it was at a moment, and where nobody knows. */

/** [at, lon, lat, heading or null, m/s or null, accuracy in metres or null, 1 when made up]. */
export type FixRow = [string, number, number, number | null, number | null, number | null, number];

export interface TrackFix {
  /** Milliseconds since the epoch. */
  at: number;
  lon: number;
  lat: number;
  heading: number | null;
  speed_ms: number | null;
  accuracy_m: number | null;
  mock: boolean;
}

export interface Seen extends TrackFix {
  /** Milliseconds since the last fix. */
  age_ms: number;
  /** True when nobody knows where the crew was between two fixes: it is shown where it was last. */
  gap: boolean;
}

/** Silence longer than this is a gap, not a drive. */
const LONGEST_STEP_MS = 120_000;
/** Of a thinned track some slots are missed by chance. */
const THINNED = 3;

export function readTrack(rows: readonly FixRow[]): TrackFix[] {
  return rows.map(([at, lon, lat, heading, speed_ms, accuracy_m, mock]) => ({
    at: Date.parse(at),
    lon,
    lat,
    heading,
    speed_ms,
    accuracy_m,
    mock: mock === 1,
  }));
}

/** Milliseconds between two fixes from which on it is a gap, for a track of one fix per `every_s`. */
export function gapOf(every_s: number): number {
  return Math.max(LONGEST_STEP_MS, every_s * 1000 * THINNED);
}

/** The track cut at its gaps, oldest piece first; no piece is empty. */
export function piecesOf(fixes: readonly TrackFix[], gap_ms: number): TrackFix[][] {
  const pieces: TrackFix[][] = [];
  for (const fix of fixes) {
    const last = pieces.at(-1);
    const before = last?.at(-1);
    if (last && before && fix.at - before.at <= gap_ms) last.push(fix);
    else pieces.push([fix]);
  }
  return pieces;
}

/** Where the crew was at `time`: between two fixes on the line, in a gap where it was last; null before the first. */
export function seenAt(fixes: readonly TrackFix[], time: number, gap_ms: number): Seen | null {
  const next = firstAfter(fixes, time);
  const before = fixes[next - 1];
  if (!before) return null;
  const after = fixes[next];
  const age_ms = time - before.at;
  if (!after || after.at - before.at > gap_ms) {
    return { ...before, age_ms, gap: after !== undefined || age_ms > gap_ms };
  }
  const share = age_ms / (after.at - before.at);
  return {
    ...before,
    lon: before.lon + (after.lon - before.lon) * share,
    lat: before.lat + (after.lat - before.lat) * share,
    age_ms,
    gap: false,
  };
}

/** Index of the first fix later than `time`. */
function firstAfter(fixes: readonly TrackFix[], time: number): number {
  let low = 0;
  let high = fixes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((fixes[middle] as TrackFix).at <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where a moment stands on the slider, 0..1. */
export function shareOf(at: number, from: number, to: number): number {
  return to <= from ? 0 : Math.min(1, Math.max(0, (at - from) / (to - from)));
}

/** The next moment (or the one before) from `time` on; null at the end. */
export function neighbour(times: readonly number[], time: number, by: 1 | -1): number | null {
  const found = by === 1 ? times.find((at) => at > time) : times.findLast((at) => at < time);
  return found ?? null;
}
