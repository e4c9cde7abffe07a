/** The things that travel over the wire, by the types that the server's description of its socket gives. */
import type { components as Told } from "../api/asyncapi.js";
import type { components } from "../api/openapi.js";

type Wire = Told["schemas"];
type Schemas = components["schemas"];

/** A thing as events tell it: `v` is beside it there. */
type Thing<Name extends keyof Wire> = Omit<Wire[Name], "v">;

/** Moments are ISO 8601 UTC with `Z`. */
export type Moment = string;

export type Report = Thing<"Report">;
export type Incident = Thing<"Incident">;
export type Assignment = Thing<"Assignment">;
export type Crew = Thing<"Crew">;
export type Referral = Thing<"Referral">;
export type Closure = Thing<"Closure">;
export type Round = Thing<"Round">;

export type ReportStatus = Report["status"];
export type IncidentStatus = Incident["status"];
export type AssignmentStatus = Assignment["status"];
export type CrewStatus = Crew["status"];
export type ReferralStatus = Referral["status"];

export type Triage = Wire["Triage"];
export type SimilarReport = Wire["SimilarTold"];
export type Recommendation = Wire["Recommendation"];
/** A crew that was weighed; the terms of its cost are there when it could be sent. */
export type Candidate = Wire["WeighedCrew"];
export type Saver = Wire["Saver"];
export type MoveUp = Wire["Post"];
export type Slot = Wire["SlotView"];
export type Stretch = Wire["StretchView"];
export type RoundStop = Wire["RoundStop"];
export type Agency = Wire["AgencyName"];

/**
 * What one crew's phone shows: the document of channel `crew/<id>`. What came later than phones in
 * use may be absent in what they kept.
 */
export type CrewView = Omit<Wire["CrewView"], "fix" | "round" | "closures"> &
  Partial<Pick<Wire["CrewView"], "fix" | "round" | "closures">>;
export type CrewAssignment = Wire["CrewJob"];
export type CrewRound = Wire["CrewRound"];

/** What one agency's officers see: the document of channel `agency/<id>`. */
export type AgencyView = Wire["AgencyView"];

/** `GET /api/<city>`: what a screen must know about its city before anything else. */
export type City = Schemas["CityView"];
export type Service = Schemas["ServiceView"];
export type DispositionCode = Schemas["DispositionView"];
export type User = Schemas["User"];
export type Role = User["role"];
