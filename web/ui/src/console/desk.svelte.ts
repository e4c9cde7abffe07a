/** Everything the console knows: the live state of one city, what is selected, where crews are. */
import { now } from "../base/clock.svelte.js";
import type { Known } from "../base/freshness.js";
import { isOpenRound, stopsBy } from "../base/rounds.js";
import { openLive } from "../live/browser.js";
import type { Box, Link, LiveClient, Refusal } from "../live/client.js";
import type {
  Agency,
  Assignment,
  City,
  Closure,
  Crew,
  Incident,
  Referral,
  Report,
  Round,
  Service,
  User,
} from "../live/entities.js";
import type { Durable, State } from "../live/fold.js";
import { Motion } from "../map/motion.js";
import type { Urgency } from "../map/shapes.js";
import { kept } from "./gates.js";
import { byUrgency, byWaiting, onTimeSoFar, urgencyOf } from "./urgency.js";

export type Kind = "report" | "incident" | "crew" | "closure" | "round";
export interface Selection {
  kind: Kind;
  id: string;
}

interface Grouped {
  report: Map<string, Report>;
  incident: Map<string, Incident>;
  assignment: Map<string, Assignment>;
  crew: Map<string, Crew>;
  referral: Map<string, Referral>;
  closure: Map<string, Closure>;
  round: Map<string, Round>;
}

const KINDS = new Set<string>(["report", "incident", "crew", "closure", "round"]);
const ACTIVE = new Set(["offered", "acknowledged", "en_route", "on_scene"]);

export class Desk {
  readonly city: City;
  readonly user: User;
  readonly services: ReadonlyMap<string, Service>;
  readonly agencies: ReadonlyMap<string, Agency>;
  readonly motion: Motion;
  link: Link = $state.raw({ phase: "connecting" });
  refusal: Refusal | null = $state.raw(null);
  /** False until the first snapshot is here. */
  ready = $state(false);
  selection: Selection | null = $state.raw(fromHash());
  #state: State = $state.raw({});
  #client: LiveClient;
  #heard = new Set<() => void>();
  #arrived = new Set<(reports: readonly string[]) => void>();

  constructor(city: City, user: User) {
    this.city = city;
    this.user = user;
    this.services = new Map(city.services.map((each) => [each.service_code, each]));
    this.agencies = new Map(city.agencies.map((each) => [each.id, each]));
    this.motion = new Motion({ glides: !matchMedia("(prefers-reduced-motion: reduce)").matches });
    this.#client = openLive((link) => {
      this.link = link;
    });
    this.#client.subscribe(`city/${city.id}`, {
      onState: (state, events) => this.#take(state, events),
      onPositions: (fixes) => {
        const at = performance.now();
        for (const [id, lon, lat, heading, age_s, battery, mock] of fixes) {
          this.motion.take(id, { lon, lat, heading, age_s, battery, mock: mock === 1 }, at);
        }
        for (const run of this.#heard) run();
      },
      onRefused: (refusal) => {
        this.refusal = refusal;
      },
    });
    window.addEventListener("hashchange", () => {
      this.selection = fromHash();
    });
  }

  /** The part of the city that the map shows: west, south, east, north in degrees. */
  look([west, south, east, north]: Box): void {
    // a map turned round the world counts on beyond 180°
    const inside = (lon: number) => ((((lon + 180) % 360) + 360) % 360) - 180;
    const all = east - west >= 360;
    this.#client.look(
      `city/${this.city.id}`,
      all ? null : [inside(west), Math.max(south, -90), inside(east), Math.min(north, 90)],
    );
  }

  readonly #grouped: Grouped = $derived.by(() => {
    const grouped: Grouped = {
      report: new Map(),
      incident: new Map(),
      assignment: new Map(),
      crew: new Map(),
      referral: new Map(),
      closure: new Map(),
      round: new Map(),
    };
    for (const [key, row] of Object.entries(this.#state)) {
      const slash = key.indexOf("/");
      const kind = key.slice(0, slash);
      const group = (grouped as unknown as Record<string, Map<string, unknown>>)[kind];
      // The key is the identity; a change may carry only the fields that changed.
      group?.set(
        key.slice(slash + 1),
        row.id === undefined ? { ...row, id: key.slice(slash + 1) } : row,
      );
    }
    return grouped;
  });

  readonly reports = $derived(this.#grouped.report);
  readonly incidents = $derived(this.#grouped.incident);
  readonly assignments = $derived(this.#grouped.assignment);
  readonly crews = $derived(this.#grouped.crew);
  readonly referrals = $derived(this.#grouped.referral);
  readonly closures = $derived(this.#grouped.closure);
  readonly rounds = $derived(this.#grouped.round);

  /** The roads that are closed now, the newest first. */
  readonly closedRoads: Closure[] = $derived(
    [...this.closures.values()]
      .filter(({ status }) => status === "closed")
      .sort((a, b) => (a.made_at < b.made_at ? 1 : -1)),
  );

  /** Rounds not ended yet, those on their way first, then by crew. */
  readonly openRounds: Round[] = $derived(
    [...this.rounds.values()]
      .filter(({ status }) => isOpenRound(status))
      .sort((a, b) => Number(a.status === "proposed") - Number(b.status === "proposed")),
  );

  /** The round that will reach this incident, with the number of its stop from 1. */
  readonly #stopsBy = $derived(stopsBy(this.openRounds));
  stopOf(incidentId: string): { round: Round; n: number } | null {
    return this.#stopsBy.get(incidentId) ?? null;
  }

  /** As the server judges: driven in rounds, not raised, one crew is enough. */
  isRoutine(incident: Incident): boolean {
    const service = this.services.get(incident.service_code);
    return (
      service !== undefined &&
      this.city.routine_services.includes(incident.service_code) &&
      incident.priority >= service.priority &&
      incident.required_crews === 1
    );
  }

  /** How loud an incident is: routine work past its promise waits for its round without alarm. */
  urgencyOf(incident: Incident, time: number): Urgency {
    const urgency = urgencyOf(incident, time);
    return urgency !== "done" && this.isRoutine(incident) ? "calm" : urgency;
  }

  /** Routine incidents that nobody is on: they wait for a round. */
  readonly routine: Incident[] = $derived.by(() =>
    this.openIncidents.filter((each) => each.status === "pending" && this.isRoutine(each)),
  );
  readonly wanting: Incident[] = $derived.by(() => {
    const routine = new Set(this.routine);
    return this.openIncidents.filter((each) => !routine.has(each));
  });

  readonly newReports: Report[] = $derived.by(() =>
    [...this.reports.values()]
      .filter(({ status }) => status === "received" || status === "under_verification")
      .sort(byWaiting(this.services)),
  );
  readonly postponed: Report[] = $derived(
    [...this.reports.values()]
      .filter(({ status }) => status === "postponed")
      .sort((a, b) => (a.received_at < b.received_at ? -1 : 1)),
  );
  readonly openIncidents: Incident[] = $derived(
    [...this.incidents.values()]
      .filter(({ status }) => status !== "closed" && status !== "cancelled")
      .sort(byUrgency),
  );
  readonly finished: (Report | Incident)[] = $derived(
    [
      ...[...this.incidents.values()].filter(
        (each) => each.status === "closed" || each.status === "cancelled",
      ),
      ...[...this.reports.values()].filter(
        (each) => each.status === "archived" || each.status === "not_our_authority",
      ),
    ].sort((a, b) => (a.changed_at < b.changed_at ? 1 : -1)),
  );
  readonly crewList: Crew[] = $derived(
    [...this.crews.values()].sort((a, b) => (a.call_sign < b.call_sign ? -1 : 1)),
  );
  readonly crewsFree = $derived(
    this.crewList.filter((crew) => crew.status === "available" && this.isFree(crew)).length,
  );
  readonly onTime = $derived(
    onTimeSoFar(this.incidents.values(), Math.floor(now() / 10_000) * 10_000),
  );

  /** No work, and nothing that keeps it from work. */
  isFree(crew: Crew): boolean {
    const minute = Math.floor(now() / 60_000) * 60_000;
    return !this.jobOf(crew) && kept(crew, this.city, minute).length === 0;
  }

  /** What is known now of where a crew is; whoever reads it follows each second. */
  whereabouts(crew: Crew): Known {
    now();
    const fix = this.motion.at(crew.id, performance.now());
    return {
      age_s: fix?.age_s ?? null,
      battery: fix?.battery ?? null,
      mock: fix?.mock ?? false,
      trouble: crew.status === "not_available" ? null : crew.position_trouble,
    };
  }

  /** The assignment a crew is on now. */
  jobOf(crew: Crew): Assignment | null {
    const assignment = crew.assignment_id ? this.assignments.get(crew.assignment_id) : undefined;
    return assignment && ACTIVE.has(assignment.status) ? assignment : null;
  }

  readonly #assignmentsBy = $derived(
    gathered(
      this.assignments.values(),
      (a, b) =>
        Number(isActive(b)) - Number(isActive(a)) || (a.dispatched_at < b.dispatched_at ? 1 : -1),
    ),
  );
  readonly #reportsBy = $derived(
    gathered(this.reports.values(), (a, b) => (a.received_at < b.received_at ? -1 : 1)),
  );

  /** Assignments of an incident, the active ones first, then the newest. */
  assignmentsOf(incidentId: string): readonly Assignment[] {
    return this.#assignmentsBy.get(incidentId) ?? [];
  }

  /** True while the incident is open and fewer crews are on it than it needs. */
  wantsCrew(incident: Incident): boolean {
    if (
      incident.status !== "pending" &&
      incident.status !== "dispatched" &&
      incident.status !== "on_scene"
    ) {
      return false;
    }
    const active = this.assignmentsOf(incident.id).filter(isActive).length;
    return active < incident.required_crews;
  }

  /** Reports of an incident, the first one first. */
  reportsOf(incident: Incident): readonly Report[] {
    return this.#reportsBy.get(incident.id) ?? [];
  }

  /** Runs after each frame of positions. */
  onPositions(run: () => void): () => void {
    this.#heard.add(run);
    return () => this.#heard.delete(run);
  }

  /** Runs with the ids of reports that have just come in (not with those of a snapshot). */
  onNewReports(run: (ids: readonly string[]) => void): () => void {
    this.#arrived.add(run);
    return () => this.#arrived.delete(run);
  }

  select(selection: Selection | null): void {
    const hash = selection
      ? `#${selection.kind}/${selection.id}`
      : location.pathname + location.search;
    history.replaceState(null, "", hash);
    this.selection = selection;
  }

  retry(): void {
    this.#client.retryNow();
  }

  #take(state: State, events: readonly Durable[]): void {
    const known = this.#state;
    this.#state = state;
    const wasReady = this.ready;
    this.ready = true;
    if (!wasReady) return;
    const fresh = events
      .filter(({ k }) => k.startsWith("report/") && !(k in known))
      .map(({ k }) => k.slice(7));
    if (fresh.length > 0) for (const run of this.#arrived) run(fresh);
  }
}

/** Things by the incident they belong to, each list in order. */
function gathered<T extends { incident_id: string | null }>(
  things: Iterable<T>,
  order: (a: T, b: T) => number,
): Map<string, T[]> {
  const lists = new Map<string, T[]>();
  for (const thing of things) {
    if (!thing.incident_id) continue;
    const list = lists.get(thing.incident_id);
    if (list) list.push(thing);
    else lists.set(thing.incident_id, [thing]);
  }
  for (const list of lists.values()) list.sort(order);
  return lists;
}

function fromHash(): Selection | null {
  const [kind, id] = location.hash.slice(1).split("/");
  return id && isKind(kind) ? { kind, id } : null;
}

function isKind(kind: string | undefined): kind is Kind {
  return KINDS.has(kind ?? "");
}

export function isActive(assignment: Assignment): boolean {
  return ACTIVE.has(assignment.status);
}
