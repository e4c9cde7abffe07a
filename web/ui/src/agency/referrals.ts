/** Which referrals wait, run or are over, and in which order an officer reads them. */
import type { CrewAssignment, Referral, ReferralStatus } from "../live/entities.js";

/** A referral with its incident and what the reporters wrote (nothing of secret reports). */
export type Handed = Referral & { incident: CrewAssignment["incident"] };

export interface Sorted {
  made: Handed[];
  accepted: Handed[];
  ended: Handed[];
}

/** Urgent before old, old before new; what has ended newest first. Ties by id. */
export function sorted(referrals: readonly Handed[]): Sorted {
  const by = (...status: ReferralStatus[]) =>
    referrals.filter((one) => status.includes(one.status));
  const open = (a: Handed, b: Handed) =>
    a.incident.priority - b.incident.priority ||
    Date.parse(a.referred_at) - Date.parse(b.referred_at) ||
    a.id.localeCompare(b.id);
  const ended = (a: Handed, b: Handed) =>
    Date.parse(endOf(b)) - Date.parse(endOf(a)) || a.id.localeCompare(b.id);
  return {
    made: by("made").sort(open),
    accepted: by("accepted").sort(open),
    ended: by("finished", "refused", "withdrawn").sort(ended),
  };
}

export function endOf(referral: Handed): string {
  return referral.finished_at ?? referral.changed_at;
}

/** A referral nobody answered for this long is shown as stuck: complaints must not wait for ever. */
export const LONG_S = 30 * 60;

export function isStuck(referral: Handed, nowMs: number): boolean {
  return referral.status === "made" && nowMs - Date.parse(referral.referred_at) > LONG_S * 1000;
}

/** The server's numbers in a steady order: known ones first; seconds end in `_s`. */
export function orderedNumbers(numbers: Record<string, number | null>): [string, number | null][] {
  const known = ["made", "accepted", "finished", "refused", "withdrawn", "total", "open"];
  const place = (key: string) => {
    const at = known.indexOf(key);
    return at < 0 ? known.length : at;
  };
  return Object.entries(numbers).sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b));
}
