/** A crew's shift as its phone asks and tells it: until when, with whom, and what stands against work. */
import { dayAndTime, timeOfDay } from "../base/time.js";
import type { City, Crew } from "../live/entities.js";
import { m } from "../paraglide/messages.js";

const HOUR_MS = 3600_000;

export interface Shift {
  /** Null: not known yet. */
  hours: number | null;
  members: number;
  relieved: boolean;
}

/** The lengths a crew picks from: the city's own first, shorter and longer ones beside it. */
export function lengths(city: City): number[] {
  const { shift_h, longest_duty_h } = city.gates;
  const offered = [shift_h / 2, shift_h, longest_duty_h];
  return [...new Set(offered)].filter((hours) => hours >= 1 && hours <= 24).sort((a, b) => a - b);
}

export function endOf(hours: number, now: number): string {
  return new Date(now + hours * HOUR_MS).toISOString();
}

/** Whether it matters who comes on duty: after a break too short to be rest. */
export function asksWho(crew: Crew, city: City, now: number): boolean {
  if (crew.rest_until && Date.parse(crew.rest_until) > now) return true;
  if (crew.status !== "not_available") return tooLong(crew, city, now);
  if (!crew.off_duty_since) return false;
  return now - Date.parse(crew.off_duty_since) < city.gates.rest_h * HOUR_MS;
}

function tooLong(crew: Crew, city: City, now: number): boolean {
  if (!crew.on_duty_since) return false;
  return now - Date.parse(crew.on_duty_since) > city.gates.longest_duty_h * HOUR_MS;
}

/** What the status carries to the server, from what the crew picked. */
export function wishOf(shift: Shift, now: number): Record<string, unknown> {
  return {
    members_present: shift.members,
    ...(shift.hours === null ? {} : { shift_ends_at: endOf(shift.hours, now) }),
    ...(shift.relieved ? { relieved: true } : {}),
  };
}

/** The moment, with its day when it is not within hours. */
function moment(iso: string, now: number): string {
  return Math.abs(Date.parse(iso) - now) < 12 * HOUR_MS ? timeOfDay(iso) : dayAndTime(iso);
}

export function shiftWords(crew: Crew, now: number): string {
  const n = crew.members_present ?? crew.members;
  return crew.shift_ends_at
    ? m.duty_shift_until({ at: moment(crew.shift_ends_at, now), n })
    : m.duty_shift_open({ n });
}

/** Why this crew is offered nothing although it is on duty; null when it is. */
export function silence(crew: Crew, city: City, now: number): string | null {
  if (crew.status === "not_available") return null;
  if (crew.out_of_service_reason) return m.duty_out({ reason: crew.out_of_service_reason });
  if (crew.rest_until && Date.parse(crew.rest_until) > now)
    return m.duty_rest({ at: moment(crew.rest_until, now) });
  if (tooLong(crew, city, now)) return m.duty_too_long({ n: city.gates.longest_duty_h });
  if (crew.shift_ends_at && Date.parse(crew.shift_ends_at) <= now)
    return m.duty_shift_over({ at: moment(crew.shift_ends_at, now) });
  const n = crew.members_present ?? crew.members;
  const least = Math.max(city.gates.least_members, crew.least_members ?? 0);
  return n < least ? m.duty_short({ n, least }) : null;
}
