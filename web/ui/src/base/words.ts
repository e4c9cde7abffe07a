/** The field's codes as words people read: statuses, channels, reasons, skills. */
import type {
  AssignmentStatus,
  CrewStatus,
  IncidentStatus,
  ReferralStatus,
  ReportStatus,
} from "../live/entities.js";
import { m } from "../paraglide/messages.js";
import type { IconName } from "./icons.js";

type Tone = "plain" | "brand" | "ok" | "warn" | "late" | "info";

/** A status as words, an icon and a tone: never by colour alone. */
export interface Shown {
  words: string;
  icon: IconName;
  tone: Tone;
}

type Entry = [words: () => string, icon: IconName, tone: Tone];

function shown([words, icon, tone]: Entry): Shown {
  return { words: words(), icon, tone };
}

const REPORT: Record<ReportStatus, Entry> = {
  received: [m.report_received, "spark", "warn"],
  under_verification: [m.report_under_verification, "search", "info"],
  verified: [m.report_verified, "check", "ok"],
  postponed: [m.report_postponed, "pause", "plain"],
  not_our_authority: [m.report_not_our_authority, "block", "plain"],
  archived: [m.report_archived, "archive", "plain"],
  duplicate: [m.report_duplicate, "join", "plain"],
  linked: [m.report_linked, "link", "brand"],
  closed: [m.report_closed, "check_circle", "ok"],
};
const INCIDENT: Record<IncidentStatus, Entry> = {
  pending: [m.incident_pending, "hourglass", "warn"],
  dispatched: [m.incident_dispatched, "arrow_right", "info"],
  on_scene: [m.incident_on_scene, "wrench", "ok"],
  cleared: [m.incident_cleared, "check", "ok"],
  closed: [m.incident_closed, "check_circle", "plain"],
  cancelled: [m.incident_cancelled, "close", "plain"],
};
const ASSIGNMENT: Record<AssignmentStatus, Entry> = {
  offered: [m.assignment_offered, "bell", "warn"],
  acknowledged: [m.assignment_acknowledged, "check", "info"],
  en_route: [m.assignment_en_route, "arrow_right", "info"],
  on_scene: [m.assignment_on_scene, "wrench", "ok"],
  cleared: [m.assignment_cleared, "check_circle", "ok"],
  declined: [m.assignment_declined, "close", "late"],
  expired: [m.assignment_expired, "hourglass", "late"],
  withdrawn: [m.assignment_withdrawn, "undo", "plain"],
};
const CREW: Record<CrewStatus, Entry> = {
  available: [m.crew_available, "check_circle", "ok"],
  conditionally_available: [m.crew_conditionally_available, "pause", "warn"],
  not_available: [m.crew_not_available, "minus", "plain"],
};
const REFERRAL: Record<ReferralStatus, Entry> = {
  made: [m.referral_made, "send", "info"],
  accepted: [m.referral_accepted, "check", "ok"],
  refused: [m.referral_refused, "close", "late"],
  finished: [m.referral_finished, "check_circle", "ok"],
  withdrawn: [m.referral_withdrawn, "undo", "plain"],
};

export const reportStatus = (status: ReportStatus): Shown => shown(REPORT[status]);
export const incidentStatus = (status: IncidentStatus): Shown => shown(INCIDENT[status]);
export const assignmentStatus = (status: AssignmentStatus): Shown => shown(ASSIGNMENT[status]);
export const crewStatus = (status: CrewStatus): Shown => shown(CREW[status]);
export const referralStatus = (status: ReferralStatus): Shown => shown(REFERRAL[status]);

const CHANNELS: Record<string, () => string> = {
  web: m.channel_web,
  android: m.channel_android,
  sms: m.channel_sms,
  whatsapp: m.channel_whatsapp,
  instagram: m.channel_instagram,
  telegram: m.channel_telegram,
  email: m.channel_email,
  call_112: m.channel_call_112,
  radio: m.channel_radio,
  mayor: m.channel_mayor,
  counter: m.channel_counter,
  open311: m.channel_open311,
  sp4n_lapor: m.channel_sp4n_lapor,
  ulpim: m.channel_ulpim,
  mrk: m.channel_mrk,
  ppid: m.channel_ppid,
  field: m.channel_field,
};
const TRIAGE: Record<string, () => string> = {
  prior: m.triage_prior,
  photo: m.triage_photo,
  no_place: m.triage_no_place,
  precise_place: m.triage_precise_place,
  contact: m.triage_contact,
  anonymous: m.triage_anonymous,
  similar: m.triage_similar,
  short_text: m.triage_short_text,
  shouting: m.triage_shouting,
  keywords: m.triage_keywords,
  repeated: m.triage_repeated,
  call_112: m.triage_call_112,
};
const SELECTION: Record<string, () => string> = {
  nearest: m.select_nearest,
  only_suitable: m.select_only_suitable,
  keeps_skills: m.select_keeps_skills,
  keeps_cover: m.select_keeps_cover,
  diverted: m.select_diverted,
  best_for_all: m.select_best_for_all,
};
const WHY_NOT: Record<string, () => string> = {
  no_crews: m.why_no_crews,
  skill: m.why_skill,
  off_duty: m.why_off_duty,
  busy: m.why_busy,
  stale: m.why_stale,
  no_position: m.why_no_position,
  unreachable: m.why_unreachable,
  declined: m.why_declined,
  more_urgent: m.why_more_urgent,
  equipment: m.why_equipment,
  vehicle: m.why_vehicle,
  conditional: m.why_conditional,
  shift: m.why_shift,
  rest: m.why_rest,
  short_staffed: m.why_short_staffed,
  out_of_service: m.why_out_of_service,
};
const SHORTFALL: Record<string, () => string> = {
  no_crews: m.short_no_crews,
  skill: m.short_skill,
  off_duty: m.short_off_duty,
  busy: m.short_busy,
  stale: m.short_stale,
  no_position: m.short_no_position,
  unreachable: m.short_unreachable,
  vehicle: m.short_vehicle,
  declined: m.short_declined,
  more_urgent: m.short_more_urgent,
  equipment: m.short_equipment,
  conditional: m.short_conditional,
  shift: m.short_shift,
  rest: m.short_rest,
  short_staffed: m.short_short_staffed,
  out_of_service: m.short_out_of_service,
};
const SKILLS: Record<string, () => string> = {
  chainsaw: m.skill_chainsaw,
  pump: m.skill_pump,
  electrical: m.skill_electrical,
  roadworks: m.skill_roadworks,
  enforcement: m.skill_enforcement,
};
const EQUIPMENT: Record<string, () => string> = {
  winch: m.equipment_winch,
  aerial_lift: m.equipment_aerial_lift,
  barriers: m.equipment_barriers,
  boat: m.equipment_boat,
  crane: m.equipment_crane,
  generator: m.equipment_generator,
};
const VEHICLES: Record<string, () => string> = {
  truck: m.vehicle_truck,
  bucket_truck: m.vehicle_bucket_truck,
  pickup: m.vehicle_pickup,
  van: m.vehicle_van,
  motorcycle: m.vehicle_motorcycle,
  motorbike: m.vehicle_motorcycle,
  car: m.vehicle_car,
  bicycle: m.vehicle_bicycle,
};
const EVIDENCE: Record<string, () => string> = {
  button: m.evidence_button,
  button_far: m.evidence_button_far,
  button_mock: m.evidence_button_mock,
  button_unseen: m.evidence_button_unseen,
  crossing: m.evidence_crossing,
  geofence: m.evidence_geofence,
  photo: m.evidence_photo,
};
const FLAGS: Record<string, () => string> = {
  far: m.flag_far,
  unseen: m.flag_unseen,
  mock: m.flag_mock,
};
const CLASSIFICATION: Record<string, () => string> = {
  complaint: m.class_complaint,
  aspiration: m.class_aspiration,
  information: m.class_information,
  information_request: m.class_information,
};

/** The word for a code; a code no screen knows yet is shown as it is, readable. */
function word(table: Record<string, () => string>, code: string): string {
  return table[code]?.() ?? code.replaceAll("_", " ");
}

export const channelName = (code: string): string => word(CHANNELS, code);
export const triageReason = (code: string): string => word(TRIAGE, code);
export const selectionReason = (code: string): string => word(SELECTION, code);
export const whyNot = (code: string): string => word(WHY_NOT, code);
export const shortfallReason = (code: string): string => word(SHORTFALL, code);
export const skillName = (code: string): string => word(SKILLS, code);
export const equipmentName = (code: string): string => word(EQUIPMENT, code);
export const vehicleName = (code: string): string => word(VEHICLES, code);
export const evidenceName = (code: string): string => word(EVIDENCE, code);
/** What speaks against an arrival that only a button tells. */
export const flagName = (code: string): string => word(FLAGS, code);
const ROLES: Record<string, () => string> = {
  system: m.actor_system,
  citizen: m.actor_citizen,
  dispatcher: m.actor_dispatcher,
  crew: m.actor_crew,
  officer: m.actor_officer,
  supervisor: m.actor_supervisor,
  administrator: m.actor_administrator,
};
export const roleName = (role: string): string => word(ROLES, role);

/** How an arrival is known, with what speaks against it. */
export function arrivalWords(evidence: string, flag: string | null): string {
  return flag ? `${evidenceName(evidence)}, ${flagName(flag)}` : evidenceName(evidence);
}

export const classificationName = (code: string): string => word(CLASSIFICATION, code);

/** `1 laporan`, `3 laporan`. */
export function reportCount(n: number): string {
  return n === 1 ? m.reports_one() : m.reports_n({ n });
}

/** From the median to the p90, as a range: `8–13 mnt`; a single time where both are alike. */
export function durationRange(half_s: number, most_s: number | null | undefined): string {
  const [from, to] = [half_s, most_s ?? half_s].map((s) => Math.max(1, Math.round(s / 60)));
  if (from === undefined || to === undefined || to <= from || half_s >= 5400) {
    return roughDuration(Math.max(half_s, 0));
  }
  return m.minutes_range({ from, to });
}

/** How long, roughly: `40 dtk`, `7 mnt`, `2 jam`. */
export function roughDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return m.seconds_short({ n: whole });
  if (whole < 5400) return m.minutes_short({ n: Math.round(whole / 60) });
  return m.hours_short({ n: Math.round(whole / 3600) });
}
