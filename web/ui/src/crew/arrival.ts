/** Suggests "you have arrived" from the phone's own fixes, without flapping on GPS drift. */

export interface Fix {
  lon: number;
  lat: number;
  accuracy_m: number | null;
  heading: number | null;
  speed_ms: number | null;
  fix_time: string;
}

export interface ArrivalState {
  /** Milliseconds (fix time) since when every usable fix was near; null when not near. */
  near_since: number | null;
  last_fix: number | null;
  arrived: boolean;
  distance_m: number | null;
}

export const START: ArrivalState = {
  near_since: null,
  last_fix: null,
  arrived: false,
  distance_m: null,
};

const ENTER_M = 75;
const LEAVE_M = 140;
const DWELL_MS = 15_000;
const USABLE_ACCURACY_M = 100;
const EARTH_RADIUS_M = 6_371_008.8;

/** Metres along the great circle (haversine), on the mean Earth radius of IUGG. */
export function metresBetween(
  a: { lon: number; lat: number },
  b: { lon: number; lat: number },
): number {
  const rad = Math.PI / 180;
  const dLat = (b.lat - a.lat) * rad;
  const dLon = (b.lon - a.lon) * rad;
  const h =
    Math.sin(dLat / 2) ** 2 +
    Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

/**
 * One fix further. Near means the circle of doubt touches at most a little beyond ENTER_M; only a
 * fix surely beyond LEAVE_M ends it. Two fixes DWELL_MS apart are needed, so a single jump, or a
 * drive past, suggests nothing. Late and vague fixes change nothing.
 */
export function arrivalAfter(
  state: ArrivalState,
  fix: Fix,
  target: { lon: number; lat: number },
): ArrivalState {
  const at = Date.parse(fix.fix_time);
  const doubt = fix.accuracy_m ?? USABLE_ACCURACY_M;
  if (Number.isNaN(at) || doubt > USABLE_ACCURACY_M) return state;
  if (state.last_fix !== null && at <= state.last_fix) return state;
  const distance = metresBetween(fix, target);
  const seen = { ...state, last_fix: at, distance_m: distance };
  if (distance - doubt / 2 > LEAVE_M) return { ...seen, near_since: null, arrived: false };
  const near = distance + doubt / 2 <= ENTER_M;
  if (!near) return seen;
  const since = state.near_since ?? at;
  return { ...seen, near_since: since, arrived: state.arrived || at - since >= DWELL_MS };
}
