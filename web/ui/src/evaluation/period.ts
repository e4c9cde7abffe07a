/** The periods a supervisor asks for, as moments; days begin at midnight where the reader is. */

export type PeriodName = "today" | "24h" | "7d" | "30d" | "own";

export interface Period {
  from: string;
  to: string;
}

const DAY_MS = 24 * 3600 * 1000;
const LENGTH: Record<"24h" | "7d" | "30d", number> = { "24h": 1, "7d": 7, "30d": 30 };

export function namedPeriod(name: Exclude<PeriodName, "own">, nowMs: number): Period {
  // Whole minutes: two clicks within a minute ask the same question and get the same answer.
  const to = Math.ceil(nowMs / 60_000) * 60_000;
  const from = name === "today" ? new Date(nowMs).setHours(0, 0, 0, 0) : to - LENGTH[name] * DAY_MS;
  return { from: iso(from), to: iso(to) };
}

/** From the start of the first day to the end of the last (`YYYY-MM-DD`); null when impossible. */
export function ownPeriod(first: string, last: string): Period | null {
  const from = midnight(first);
  const to = midnight(last);
  if (from === null || to === null || to < from) return null;
  const end = new Date(to);
  end.setDate(end.getDate() + 1);
  return { from: iso(from.getTime()), to: iso(end.getTime()) };
}

/** `YYYY-MM-DD` of a moment where the reader is, as a date field wants it. */
export function dayOf(moment: string | number): string {
  const at = new Date(moment);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function midnight(day: string): Date | null {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (parts === null) return null;
  const at = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  return dayOf(at.getTime()) === day ? at : null;
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
