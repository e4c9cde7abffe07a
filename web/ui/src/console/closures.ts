/** A closure in words: where it is and why. */
import { localName } from "../base/language.svelte.js";
import type { Closure } from "../live/entities.js";
import type { ClosedRoad } from "../map/closure_layer.js";
import { m } from "../paraglide/messages.js";
import type { Desk } from "./desk.svelte.js";

const MOST_NAMES = 3;

/** The streets it closes, the first few by name. */
export function whereOf(closure: { stretches: readonly { name: string }[] }): string {
  return streets(closure.stretches.map(({ name }) => name));
}

export function streets(names: readonly string[]): string {
  const known = [...new Set(names)].filter(Boolean);
  if (known.length === 0) return m.closure_unnamed();
  const shown = known.slice(0, MOST_NAMES).join(", ");
  const more = known.length - MOST_NAMES;
  return more > 0 ? m.closure_and_more({ names: shown, n: more }) : shown;
}

/** The kind of problem in the reader's language, or what somebody wrote. */
export function whyOf(desk: Desk, closure: Pick<Closure, "service_code" | "reason">): string {
  const service = closure.service_code ? desk.services.get(closure.service_code) : undefined;
  return service ? localName(service) : closure.reason;
}

export function closedRoads(desk: Desk): ClosedRoad[] {
  const chosen = desk.selection?.kind === "closure" ? desk.selection.id : null;
  return desk.closedRoads.map(({ id, stretches }) => ({
    id,
    pieces: stretches,
    selected: id === chosen,
  }));
}
