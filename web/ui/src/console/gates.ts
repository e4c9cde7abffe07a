/** What keeps a crew from new work, and when a busy one may still be turned round. */
import { dayAndTime, timeOfDay } from "../base/time.js";
import type { Assignment, City, Crew, Incident } from "../live/entities.js";
import { m } from "../paraglide/messages.js";

const HOUR_MS = 3600_000;
const FEW_DAYS_MS = 12 * HOUR_MS;

/** The hour, with the day when it is not today's. */
export function shortMoment(iso: string, now: number): string {
  return Math.abs(Date.parse(iso) - now) < FEW_DAYS_MS ? timeOfDay(iso) : dayAndTime(iso);
}

export const present = (crew: Crew): number => crew.members_present ?? crew.members;

export const least = (crew: Crew, city: City): number =>
  Math.max(city.gates.least_members, crew.least_members ?? 0);

/** Why the crew gets no new work by itself now, as sentences; empty when nothing speaks against it. */
export function kept(crew: Crew, city: City, now: number): string[] {
  if (crew.status === "not_available") return [];
  const found: string[] = [];
  if (crew.out_of_service_reason)
    found.push(m.out_of_service_because({ reason: crew.out_of_service_reason }));
  if (crew.rest_until && Date.parse(crew.rest_until) > now)
    found.push(m.shift_rest({ at: shortMoment(crew.rest_until, now) }));
  if (tooLong(crew, city, now)) found.push(m.shift_too_long({ n: city.gates.longest_duty_h }));
  if (crew.shift_ends_at && Date.parse(crew.shift_ends_at) <= now)
    found.push(m.shift_over({ at: shortMoment(crew.shift_ends_at, now) }));
  if (present(crew) < least(crew, city))
    found.push(m.people_short({ n: present(crew), least: least(crew, city) }));
  return found;
}

/** What a dispatcher who spoke with the crew may know better than the gates. */
const OVERRULED = new Set([
  "stale",
  "no_position",
  "rest",
  "shift",
  "short_staffed",
  "conditional",
  "skill",
  "equipment",
  "declined",
]);

/** Whether a dispatcher may send the crew although `reason` speaks against it. */
export function mayOverrule(reason: string, crew: Crew): boolean {
  const there = crew.status !== "not_available" && crew.out_of_service_reason === null;
  return there && crew.assignment_id === null && OVERRULED.has(reason);
}

export function tooLong(crew: Crew, city: City, now: number): boolean {
  if (!crew.on_duty_since) return false;
  return now - Date.parse(crew.on_duty_since) > city.gates.longest_duty_h * HOUR_MS;
}

/**
 * A crew on its way that may be turned round for something more urgent: shown as conditionally
 * available, though its own status stays what it said itself.
 */
export function divertible(
  assignment: Assignment,
  incident: Incident | undefined,
  city: City,
  now: number,
): boolean {
  if (!city.diversion.enabled || !incident || assignment.diverted_from) return false;
  if (assignment.status !== "acknowledged" && assignment.status !== "en_route") return false;
  if (incident.required_crews > 1 || !city.diversion.priorities.includes(incident.priority))
    return false;
  return assignment.eta !== null && Date.parse(assignment.eta) - now > city.diversion.lock_s * 1000;
}
