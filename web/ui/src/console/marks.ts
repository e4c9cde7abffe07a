/** Turns what the desk knows into what the map draws. */
import { freshnessOf } from "../base/freshness.js";
import { secondsBetween } from "../base/time.js";
import { roughDuration } from "../base/words.js";
import type { Assignment, Crew, Incident, Report, Service } from "../live/entities.js";
import type { CrewMark } from "../map/crew_layer.js";
import type { Marker, Tie } from "../map/overlay.js";
import type { CrewLook, IncidentLook } from "../map/shapes.js";
import type { Desk, Selection } from "./desk.svelte.js";
import { clockOf } from "./urgency.js";

/** Body of a crew's mark: its job's step when it has one, its own status otherwise. */
export function crewLook(crew: Crew, job: Assignment | null): CrewLook {
  if (job?.status === "offered") return "offered";
  if (job?.status === "on_scene") return "on_scene";
  if (job) return "driving";
  if (crew.status === "available") return "available";
  return crew.status === "conditionally_available" ? "conditional" : "not_available";
}

export function crewMarks(desk: Desk, at: number): Map<string, CrewMark> {
  const marks = new Map<string, CrewMark>();
  for (const crew of desk.crewList) {
    const age = desk.motion.at(crew.id, at)?.age_s ?? 0;
    const freshness = freshnessOf(age, desk.city.positions);
    const label =
      freshness === "live" ? crew.call_sign : `${crew.call_sign} · ${roughDuration(age)}`;
    marks.set(crew.id, { look: crewLook(crew, desk.jobOf(crew)), freshness, label });
  }
  return marks;
}

const LOOKS: Record<Incident["status"], IncidentLook> = {
  pending: "pending",
  dispatched: "dispatched",
  on_scene: "on_scene",
  cleared: "on_scene",
  closed: "done",
  cancelled: "done",
};
const RANK = { late: 3, soon: 2, calm: 1, done: 0 };

export function markers(desk: Desk, time: number): Marker[] {
  const chosen = desk.selection;
  const shown = new Map(desk.openIncidents.map((each) => [each.id, each]));
  const finished = chosen?.kind === "incident" ? desk.incidents.get(chosen.id) : undefined;
  if (finished) shown.set(finished.id, finished);
  return [
    ...[...shown.values()].map((each) => incidentMarker(desk, each, chosen, time)),
    ...[...desk.newReports, ...desk.postponed].flatMap((each) =>
      reportMarker(each, desk.services, chosen),
    ),
  ];
}

function incidentMarker(
  desk: Desk,
  incident: Incident,
  chosen: Selection | null,
  time: number,
): Marker {
  const urgency = desk.urgencyOf(incident, time);
  const clock = clockOf(incident, time);
  const icon = desk.services.get(incident.service_code)?.icon ?? "other";
  const selected = chosen?.kind === "incident" && chosen.id === incident.id;
  return {
    id: incident.id,
    kind: "incident",
    lon: incident.lon,
    lat: incident.lat,
    image: `incident|${icon}|${LOOKS[incident.status]}|${urgency}`,
    label:
      clock.phase === "running"
        ? roughDuration(clock.left_s)
        : clock.phase === "late"
          ? `+${roughDuration(clock.over_s)}`
          : "",
    rank: RANK[urgency] + (selected ? 10 : 0),
    selected,
  };
}

function reportMarker(
  report: Report,
  services: ReadonlyMap<string, Service>,
  chosen: Selection | null,
): Marker[] {
  if (report.lon === null || report.lat === null) return [];
  const selected = chosen?.kind === "report" && chosen.id === report.id;
  return [
    {
      id: report.id,
      kind: "report",
      lon: report.lon,
      lat: report.lat,
      image: `report|${services.get(report.service_code)?.icon ?? "other"}`,
      label: "",
      rank: selected ? 10 : 0,
      selected,
    },
  ];
}

/** Lines of the selected incident (or of the selected crew's job) to its crews. */
export function ties(desk: Desk, at: number): Tie[] {
  const chosen = desk.selection;
  if (!chosen || chosen.kind === "report") return [];
  const crew = chosen.kind === "crew" ? desk.crews.get(chosen.id) : undefined;
  if (crew?.move_up && !desk.jobOf(crew)) {
    const from = desk.motion.at(crew.id, at);
    const kind = crew.move_up.status === "suggested" ? "proposed" : "driving";
    return from ? [{ from, to: crew.move_up, kind }] : [];
  }
  const incidentId = crew ? desk.jobOf(crew)?.incident_id : chosen.id;
  const incident = incidentId ? desk.incidents.get(incidentId) : undefined;
  if (!incident) return [];
  const moving = desk
    .assignmentsOf(incident.id)
    .filter(
      ({ status }) => status === "offered" || status === "acknowledged" || status === "en_route",
    );
  const found: Tie[] = [];
  for (const { crew_id, status } of moving) {
    const from = desk.motion.at(crew_id, at);
    if (from)
      found.push({ from, to: incident, kind: status === "offered" ? "proposed" : "driving" });
  }
  const proposed = incident.recommendation?.crew_id;
  if (proposed && incident.status === "pending" && moving.length === 0) {
    const from = desk.motion.at(proposed, at);
    if (from) found.push({ from, to: incident, kind: "proposed" });
  }
  return found;
}

/** `tiba 14.05–14.12` needs both ends; the later never before the earlier. */
export function etaEnds(
  madeAt: string,
  ete_s: number,
  p90_ete_s: number | null,
): { from: string; to: string | null } {
  const start = new Date(madeAt).getTime();
  const from = new Date(start + ete_s * 1000).toISOString();
  if (p90_ete_s === null || p90_ete_s <= ete_s) return { from, to: null };
  const to = new Date(start + p90_ete_s * 1000).toISOString();
  return { from, to: secondsBetween(from, to) < 45 ? null : to };
}
