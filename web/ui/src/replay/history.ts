/** What the server tells of a crew's or an incident's past, and where it is asked for. */
import { ApiError, cityPath, get } from "../api/client.js";
import type { IncidentFile } from "../api/shapes.js";
import type { Assignment } from "../live/entities.js";
import type { FixRow } from "./track.js";

export interface TrackMoment {
  at: string;
  recorded_at: string;
  device_time: string | null;
  t: string;
  k: string;
  crew_id: string | null;
  incident_id: string | null;
  actor: string;
}

export interface History {
  from: string;
  to: string;
  every_s: number;
  incident: { id: string; ticket: string; service_code: string; lon: number; lat: number } | null;
  tracks: { crew_id: string; name: string; call_sign: string; fixes: FixRow[] }[];
  moments: TrackMoment[];
}

export interface Subject {
  kind: "crew" | "incident";
  id: string;
}
export interface Span {
  from: string;
  to: string;
}

/** `?crew=<id>` or `?incident=<id>`. */
export function subjectOf(query: URLSearchParams): Subject | null {
  for (const kind of ["incident", "crew"] as const) {
    const id = query.get(kind);
    if (id) return { kind, id };
  }
  return null;
}

function path({ kind, id }: Subject, ending: string, span: Span | null): string {
  const query = span ? `?${new URLSearchParams({ from: span.from, to: span.to })}` : "";
  return cityPath(`/${kind}s/${encodeURIComponent(id)}/history${ending}${query}`);
}

export function historyOf(subject: Subject, span: Span | null): Promise<History> {
  return get<History>(path(subject, "", span));
}

/** The address of a file; an incident's holds its whole life. */
export function exportPath(subject: Subject, ending: "gpx" | "geojson", span: Span): string {
  return path(subject, `.${ending}`, subject.kind === "crew" ? span : null);
}

/** Places as the devices sent them; null where no file may be had (a secret report). */
export async function rawPlaces(subject: Subject, span: Span): Promise<number[][] | null> {
  interface Raw {
    features: { geometry: { coordinates: number[] | number[][] } }[];
  }
  try {
    const raw = await get<Raw>(exportPath(subject, "geojson", span));
    return raw.features.flatMap(({ geometry: { coordinates } }) =>
      Array.isArray(coordinates[0]) ? (coordinates as number[][]) : [coordinates as number[]],
    );
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return null;
    throw error;
  }
}

const MOST_FILES = 20;

/** How each arrival among the moments is known, by the moment's key. */
export async function evidenceOf(
  moments: readonly TrackMoment[],
): Promise<Map<string, Pick<Assignment, "evidence" | "arrival_flag">>> {
  const arrived = moments.filter(({ t }) => t === "AssignmentOnScene");
  const incidents = [...new Set(arrived.map(({ incident_id }) => incident_id))].filter(
    (id): id is string => id !== null,
  );
  const files = await Promise.all(
    incidents
      .slice(0, MOST_FILES)
      .map((id) => get<IncidentFile>(cityPath(`/incidents/${encodeURIComponent(id)}`))),
  );
  const jobs = files.flatMap(({ assignments }) => assignments as unknown as Assignment[]);
  return new Map(jobs.map((job) => [`assignment/${job.id}`, job]));
}
