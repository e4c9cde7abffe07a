/** Which decision somebody asks about: the one that sent this crew, or the newest recommendation. */
import type { Decision } from "../api/shapes.js";

export type WhyOf = { assignment: string } | { at: string } | "newest";

/** The decision in the list, in order of time; null when the log has none. */
export function decisionOf(decisions: readonly Decision[], of: WhyOf): Decision | null {
  const recommended = decisions.filter((each) => each.t === "RecommendationMade");
  if (of === "newest") return recommended.at(-1) ?? null;
  if ("at" in of) return recommended.find((each) => each.at === of.at) ?? null;
  return decisions.find((each) => each.assignment_id === of.assignment) ?? null;
}
