/** Who fills what an incident needs, as the rules of its run card say it. */
import type { City, Crew, Incident, Slot } from "../live/entities.js";

export interface Filled {
  slot: Slot;
  crew: Crew | null;
  /** No crew of the city has what it takes, on duty or not. */
  nobody: boolean;
}

export function slotsOf(incident: Incident): Slot[] {
  if (incident.required_slots.length) return incident.required_slots;
  return Array.from({ length: incident.required_crews }, () => ({
    skills: incident.required_skills,
    equipment: [],
  }));
}

export function fits(slot: Slot, crew: Crew): boolean {
  return (
    slot.skills.every((skill) => crew.skills.includes(skill)) &&
    slot.equipment.every((thing) => crew.equipment.includes(thing))
  );
}

/**
 * Each slot with the crew that fills it: as many as possible by crews that fit, the most demanding
 * first; who fits nothing was sent on purpose and takes the least demanding one left.
 */
export function fill(wanted: Slot[], there: Crew[], all: Iterable<Crew>): Filled[] {
  const crews = [...there].sort((a, b) => (a.id < b.id ? -1 : 1));
  const order = wanted.map((_, at) => at).sort((a, b) => demand(wanted, b) - demand(wanted, a));
  const slotOf = new Map<Crew, number>();

  function place(slot: number, tried: Set<Crew>): boolean {
    for (const crew of crews) {
      const wish = wanted[slot];
      if (!wish || tried.has(crew) || !fits(wish, crew)) continue;
      tried.add(crew);
      const held = slotOf.get(crew);
      if (held === undefined || place(held, tried)) {
        slotOf.set(crew, slot);
        return true;
      }
    }
    return false;
  }

  const open = order.filter((slot) => !place(slot, new Set()));
  for (const crew of crews) {
    const easiest = slotOf.has(crew) ? undefined : open.pop();
    if (easiest !== undefined) slotOf.set(crew, easiest);
  }
  const by = new Map([...slotOf].map(([crew, slot]) => [slot, crew]));
  const city = [...all];
  return wanted.map((slot, at) => ({
    slot,
    crew: by.get(at) ?? null,
    nobody: !by.has(at) && !city.some((crew) => fits(slot, crew)),
  }));
}

function demand(wanted: Slot[], at: number): number {
  const slot = wanted[at];
  return slot ? slot.skills.length + slot.equipment.length : 0;
}

/** The alarm levels an incident can still rise to, with what each asks for in all. */
export function levelsAbove(incident: Incident, city: City): { level: number; slots: Slot[] }[] {
  const service = city.services.find((each) => each.service_code === incident.service_code);
  return (service?.alarm_levels ?? [])
    .filter((each) => each.alarm_level > incident.alarm_level)
    .map((each) => ({ level: each.alarm_level, slots: each.slots }));
}
