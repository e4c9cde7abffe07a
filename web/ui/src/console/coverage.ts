/** What the coverage says in a few words: its weakest zones, and whom the city would miss most. */
import type { Coverage } from "../api/shapes.js";

export type Zone = Coverage["zones"][number];

export const WEAKEST = 5;

/** Where the most expected incidents would be missed: demand times what is not covered. */
export function weakestOf(zones: readonly Zone[]): Zone[] {
  const missed = (zone: Zone) => zone.weight * (1 - zone.p_on_time);
  return [...zones]
    .sort((a, b) => missed(b) - missed(a) || a.id - b.id)
    .filter((zone) => missed(zone) > 0)
    .slice(0, WEAKEST);
}

/** The crews whose leaving costs most, dearest first. */
export function dearest(changes: Readonly<Record<string, number>>, n: number): [string, number][] {
  return Object.entries(changes)
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
    .slice(0, n);
}
