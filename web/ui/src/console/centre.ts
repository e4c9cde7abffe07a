import type { City } from "../live/entities.js";
import type { Place } from "./acts.svelte.js";

/** How far the map may show what lies beyond the city, as a share of what it shows. */
const BEYOND = 0.2;

/**
 * Where to centre the map so that a place is seen, and as little as may be of the blank beyond the
 * city. `seen` is what the map shows from side to side: [degrees of longitude, of latitude].
 */
export function centreFor(
  place: Place,
  [west, south, east, north]: City["bbox"],
  seen: [number, number],
): [number, number] {
  return [within(place.lon, west, east, seen[0]), within(place.lat, south, north, seen[1])];
}

function within(wanted: number, low: number, high: number, seen: number): number {
  const margin = seen * (0.5 - BEYOND);
  if (high - low < 2 * margin) return (low + high) / 2;
  return Math.min(Math.max(wanted, low + margin), high - margin);
}
