/** The things that travel over the wire: reports, incidents, assignments, crews, referrals, agencies. */
import type { components } from "../api/openapi.js";

type Schemas = components["schemas"];

export type ReportStatus =
  | "received"
  | "under_verification"
  | "verified"
  | "postponed"
  | "not_our_authority"
  | "archived"
  | "duplicate"
  | "linked"
  | "closed";
export type IncidentStatus =
  | "pending"
  | "dispatched"
  | "on_scene"
  | "cleared"
  | "closed"
  | "cancelled";
export type AssignmentStatus =
  | "offered"
  | "acknowledged"
  | "en_route"
  | "on_scene"
  | "cleared"
  | "declined"
  | "expired"
  | "withdrawn";
export type CrewStatus = "available" | "conditionally_available" | "not_available";
export type ReferralStatus = "made" | "accepted" | "refused" | "finished" | "withdrawn";
/** Moments are ISO 8601 UTC with `Z`. */
export type Moment = string;

interface Entity {
  id: string;
  version: number;
  changed_at: Moment;
}

export interface SimilarReport {
  report_id: string;
  ticket: string;
  score: number;
  distance_m: number;
}

export interface Triage {
  /** Probability that the report is genuine, 0..1. */
  p_genuine: number;
  reasons: { code: string; weight: number }[];
  similar: SimilarReport[];
}

export interface Report extends Entity {
  ticket: string;
  channel: string;
  service_code: string;
  classification: string | null;
  oversight: boolean;
  anonymous: boolean;
  secret: boolean;
  status: ReportStatus;
  reason: string | null;
  lon: number | null;
  lat: number | null;
  radius_m: number | null;
  /** What the geocoder found; beside it stays what the citizen typed. */
  place_label: string | null;
  place_typed: string | null;
  place_confidence: number | null;
  ward: string | null;
  district: string | null;
  incident_id: string | null;
  received_at: Moment;
  verified_at: Moment | null;
  closed_at: Moment | null;
  decided_at: Moment | null;
  undo_until: Moment | null;
  description: string | null;
  photo_ids: string[];
  triage: Triage | null;
  answer: "satisfied" | "reopened" | null;
  /** Set while what was typed here is remembered as a name of this place. */
  alias_id?: string | null;
}

/** A crew that was weighed; the terms of its cost are there when it could be sent. */
export type Candidate = Schemas["WeighedCrew"];

/** A crew that could still keep a promise that is likely to be missed. */
export interface Saver {
  crew_id: string;
  p_on_time: number;
  ete_s: number | null;
  p90_ete_s?: number | null;
  how: string;
}

/** Where a crew is asked to wait; `gain` is what that adds to the cover of the city. */
export interface MoveUp {
  status: "suggested" | "ordered" | "reached";
  lon: number;
  lat: number;
  gain: number | null;
  ete_s: number | null;
  /** Absent in posts told before it was reckoned. */
  p90_ete_s?: number | null;
  label: string | null;
  at: Moment;
}

export interface Recommendation {
  crew_id: string | null;
  ete_s: number | null;
  p90_ete_s: number | null;
  eta: Moment | null;
  p_on_time: number | null;
  selection_reason: string | null;
  shortfall_reason: string | null;
  auto: boolean;
  made_at: Moment;
  candidates: Candidate[];
  weight?: number | null;
  p_genuine?: number | null;
  /** Minutes of lateness for others if nothing is there. */
  false_cost_min?: number | null;
  /** What sending now adds to the chance of arriving in time, 0..1. */
  saves?: number | null;
  /** The version of the roads. */
  graph?: string | null;
}

export interface Incident extends Entity {
  ticket: string;
  service_code: string;
  /** 1 is the highest. */
  priority: number;
  status: IncidentStatus;
  lon: number;
  lat: number;
  place_label: string | null;
  ward: string | null;
  district: string | null;
  agency_id: string | null;
  required_skills: string[];
  required_crews: number;
  received_at: Moment;
  verified_at: Moment | null;
  first_dispatched_at: Moment | null;
  first_arrived_at: Moment | null;
  cleared_at: Moment | null;
  closed_at: Moment | null;
  reopened_at: Moment | null;
  due_at: Moment;
  disposition_code: string | null;
  report_ids: string[];
  assignment_ids: string[];
  recommendation: Recommendation | null;
  p_on_time: number | null;
  note: string | null;
  alarm_level: number;
  /** What each crew must bring, over all alarm levels so far; empty for old incidents. */
  required_slots: Slot[];
  /** What acting now adds to the chance of arriving in time, 0..1. */
  saves: number | null;
  forecast_eta: Moment | null;
  /** True when a miss is likely; `savers` could still prevent it. */
  forecast_alarm: boolean;
  savers: Saver[];
  /** Present once the promise was missed. */
  after_action: Schemas["AfterAction"] | null;
}

export interface Assignment extends Entity {
  incident_id: string;
  crew_id: string;
  status: AssignmentStatus;
  dispatched_at: Moment;
  expires_at: Moment | null;
  acknowledged_at: Moment | null;
  enroute_at: Moment | null;
  arrived_at: Moment | null;
  work_started_at: Moment | null;
  cleared_at: Moment | null;
  available_at: Moment | null;
  eta: Moment | null;
  ete_s: number | null;
  p90_ete_s: number | null;
  p_on_time: number | null;
  sources: Record<string, string>;
  /** The incident whose crew this was before it was turned round. */
  diverted_from: string | null;
  /** How the arrival is known, the weakest first. */
  evidence: "button" | "crossing" | "geofence" | "photo" | null;
  /** What speaks against an arrival that only a button tells. */
  arrival_flag: "far" | "unseen" | "mock" | null;
  arrival_distance_m: number | null;
  disposition_code: string | null;
  decline_reason: string | null;
  note: string | null;
  photo_ids: string[];
}

export type Slot = Schemas["SlotView"];

export interface Crew extends Entity {
  name: string;
  call_sign: string;
  agency_id: string | null;
  skills: string[];
  vehicle: string | null;
  status: CrewStatus;
  assignment_id: string | null;
  station_lon: number;
  station_lat: number;
  members: number;
  equipment: string[];
  /** Null: all members are there. */
  members_present: number | null;
  least_members: number | null;
  on_duty_since: Moment | null;
  off_duty_since: Moment | null;
  shift_ends_at: Moment | null;
  rest_until: Moment | null;
  out_of_service_reason: string | null;
  move_up: MoveUp | null;
  /** Why the crew's phone cannot say where it is. */
  position_trouble: string | null;
  position_trouble_at: Moment | null;
}

export interface Referral extends Entity {
  incident_id: string;
  agency_id: string;
  status: ReferralStatus;
  referred_at: Moment;
  accepted_at: Moment | null;
  finished_at: Moment | null;
  reason: string | null;
}

export type Stretch = Schemas["StretchView"];

/** Roads that cannot be driven; `made_by` and `lifted_by` are `<role>:<id>`. */
export interface Closure extends Entity {
  status: "closed" | "lifted";
  reason: string;
  note: string | null;
  service_code: string | null;
  incident_id: string | null;
  stretches: Stretch[];
  made_at: Moment;
  made_by: string;
  lifted_at: Moment | null;
  lifted_by: string | null;
  lift_reason: string | null;
}

export type RoundStop = Schemas["StopView"];

/** Routine work that one crew drives stop by stop. */
export interface Round extends Entity {
  crew_id: string;
  status: Schemas["RoundView"]["status"];
  stops: RoundStop[];
  made_at: Moment;
  planned_s: number;
  planned_m: number;
  graph: string;
  started_at: Moment | null;
  ended_at: Moment | null;
  pause_reason: string | null;
  paused_for: string | null;
  reason: string | null;
}

export type Agency = Schemas["AgencyName"];

/** What one crew's phone shows: the document of channel `crew/<id>`. */
export interface CrewView {
  crew: Crew;
  assignment: CrewAssignment | null;
  recent: {
    ticket: string;
    service_code: string;
    cleared_at: Moment;
    disposition_code: string | null;
  }[];
  /** Absent in what a phone kept from before there were rounds. */
  round?: CrewRound | null;
  /** Absent in what a phone kept from before there were closures. */
  closures?: Pick<Closure, "id" | "reason" | "service_code" | "made_at" | "stretches">[];
}

/** A round as its crew sees it: each stop with where it is. */
export interface CrewRound extends Omit<Round, "stops"> {
  stops: (RoundStop & {
    ticket: string;
    service_code: string;
    place_label: string | null;
    lon: number;
    lat: number;
  })[];
}

export interface CrewAssignment extends Assignment {
  incident: Incident & {
    reports: {
      description: string | null;
      photo_ids: string[];
      place_typed: string | null;
      place_label: string | null;
    }[];
  };
}

/** What one agency's officers see: the document of channel `agency/<id>`. */
export interface AgencyView {
  agency: Agency;
  referrals: (Referral & { incident: Incident })[];
  numbers: Record<string, number | null>;
}

/** `GET /api/<city>`: what a screen must know about its city before anything else. */
export type City = Schemas["CityView"];
export type Service = Schemas["ServiceView"];
export type DispositionCode = Schemas["DispositionView"];
export type User = Schemas["User"];
export type Role = User["role"];
