/** The recorded reason of an automatic event as one readable line. */
import { distanceText, percent } from "../base/time.js";
import { roughDuration, selectionReason, shortfallReason, triageReason } from "../base/words.js";
import { m } from "../paraglide/messages.js";
import type { Desk } from "./desk.svelte.js";

/** Numbers and names that say no more to a reader than what stands beside them. */
const FOR_RERUNS = new Set(["precise_m", "stretches", "service_code", "incident", "calibration"]);

/** Long lists (all candidates) stay in the log; the line names what decided. */
export function becauseWords(because: Record<string, unknown> | null, desk: Desk): string | null {
  if (!because) return null;
  const parts = Object.entries(because).flatMap(([name, value]) => fact(name, value, desk));
  return parts.length ? parts.join(" · ") : null;
}

// For whoever re-runs the decision: the record itself shows them, not this line.
const UNTOLD = new Set([
  "rule",
  "graph",
  "weight",
  "saves",
  "false_cost_min",
  "proposed",
  "usual_of",
  "target_s",
  "alarm_below",
  "gain",
  "to_incident",
]);

function fact(name: string, value: unknown, desk: Desk): string[] {
  if (value === null || value === undefined || UNTOLD.has(name)) return [];
  if (name === "selection_reason") return [selectionReason(String(value))];
  if (name === "shortfall_reason") return [shortfallReason(String(value))];
  if (name === "crew_id") return [desk.crews.get(String(value))?.call_sign ?? ""].filter(Boolean);
  if (name === "reasons" && Array.isArray(value)) return [value.map(reasonWords).join(", ")];
  if (name === "candidates" && Array.isArray(value)) {
    return [m.because_considered({ n: value.length })];
  }
  if (name === "id" || name.endsWith("_id") || FOR_RERUNS.has(name)) return [];
  if (typeof value === "number") return [quantity(name, value)];
  if (typeof value === "object" || typeof value === "boolean") return [];
  return [`${readable(name)} ${String(value)}`];
}

function quantity(name: string, value: number): string {
  if (name === "ete_s") return m.because_drive({ duration: roughDuration(value) });
  if (name === "p90_ete_s") return m.because_drive_most({ duration: roughDuration(value) });
  if (name === "p_on_time") return m.because_p({ share: percent(value) });
  if (name === "p_genuine") return m.because_genuine({ share: percent(value) });
  if (name === "distance_m") return m.because_distance({ distance: distanceText(value) });
  if (name === "nearest_m") return m.because_distance({ distance: distanceText(value) });
  if (name === "closes_road_m") return m.because_closes({ distance: distanceText(value) });
  if (name === "radius_m") return m.because_radius({ distance: distanceText(value) });
  if (name === "accuracy_m") return m.because_accuracy({ distance: distanceText(value) });
  if (name === "speed_ms") return m.because_speed({ n: Math.round(value * 3.6) });
  if (name === "left_s") return m.because_left({ duration: roughDuration(value) });
  if (name.endsWith("_s")) return `${readable(name.slice(0, -2))} ${roughDuration(value)}`;
  return `${readable(name)} ${String(value)}`;
}

function reasonWords(reason: unknown): string {
  if (typeof reason === "string") return triageReason(reason);
  const code = (reason as { code?: unknown }).code;
  return typeof code === "string" ? triageReason(code) : "";
}

function readable(name: string): string {
  return name.replaceAll("_", " ");
}
