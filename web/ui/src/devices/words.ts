/** What devices say, in the reader's words. */
import { m } from "../paraglide/messages.js";

const REASONS: Record<string, () => string> = {
  not_a_position: m.fix_not_a_position,
  swapped: m.fix_swapped,
  zero: m.fix_zero,
  whole_degree: m.fix_whole_degree,
  out_of_region: m.fix_out_of_region,
  future: m.fix_future,
  too_old: m.fix_too_old,
  jump: m.fix_jump,
  no_place: m.fix_no_place,
  no_satellites: m.fix_no_satellites,
  no_crew: m.fix_no_crew,
};
const DOORS: Record<string, string> = {
  osmand: "OsmAnd / Traccar Client",
  owntracks: "OwnTracks",
  traccar: "Traccar",
};

/** Why a position was refused, as a sentence; an unknown code is shown as it is, readable. */
export function refusalReason(code: string): string {
  return REASONS[code]?.() ?? code.replaceAll("_", " ");
}

/** Whether it was refused for the time it says, not for its place. */
export const claimsTime = (code: string): boolean => code === "future" || code === "too_old";

/** Whether an address leads back to the very machine that asks: no phone reaches Sigap by it. */
export const onlyHere = (host: string): boolean =>
  host === "localhost" ||
  host.endsWith(".localhost") ||
  host === "[::1]" ||
  /^127\.[\d.]+$/.test(host);

export const doorName = (code: string): string => DOORS[code] ?? code;

/** `-7,62910, 111,52310` in five decimals: about a metre. */
export function placeText(lon: number | null, lat: number | null): string {
  return lon === null || lat === null ? "–" : `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
}

export type Freshness = "live" | "old" | "silent" | "never";

/** How fresh a device's last message is; a retired one is never asked. */
export function freshnessOf(seenAt: string | null, nowMs: number, staleS: number): Freshness {
  if (seenAt === null) return "never";
  const age = (nowMs - Date.parse(seenAt)) / 1000;
  if (age <= 60) return "live";
  return age <= staleS ? "old" : "silent";
}
