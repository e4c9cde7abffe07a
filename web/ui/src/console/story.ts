/** The log of an incident as sentences: what happened, to whom, by whom (`<role>:<id>`). */
import type { LogLine } from "../api/shapes.js";
import { localName } from "../base/language.svelte.js";
import { placeText } from "../base/phrase.js";
import { percent, timeOfDay } from "../base/time.js";
import { arrivalWords, channelName, evidenceName, roleName, roughDuration } from "../base/words.js";
import { m } from "../paraglide/messages.js";
import { type Cause, causeName } from "../review/after_action.js";
import { whereOf } from "./closures.js";
import type { Desk } from "./desk.svelte.js";

type Tell = (entry: LogLine, desk: Desk) => string | null;

const text = (entry: LogLine, name: string): string => String(entry.summary[name] ?? "–");

function crewOf(entry: LogLine, desk: Desk): string {
  const [kind, id = ""] = entry.k.split("/");
  const crewId =
    typeof entry.summary.crew_id === "string"
      ? entry.summary.crew_id
      : kind === "assignment"
        ? desk.assignments.get(id)?.crew_id
        : undefined;
  return (crewId && desk.crews.get(crewId)?.call_sign) || m.crew();
}

function outcomeOf(entry: LogLine, desk: Desk): string {
  const code = text(entry, "disposition_code");
  const known = desk.city.disposition_codes.find((each) => each.code === code);
  return known ? localName(known) : code;
}

function declineOf(entry: LogLine, desk: Desk): string {
  const code = text(entry, "reason");
  const known = desk.city.decline_reasons.find((each) => each.code === code);
  return known ? localName(known) : code;
}

function agencyOf(entry: LogLine, desk: Desk): string {
  const known = desk.agencies.get(text(entry, "agency_id"));
  return known ? localName(known) : text(entry, "agency_id");
}

function closedBy(entry: LogLine): { stretches: { name: string }[] } {
  return entry.summary as { stretches: { name: string }[] };
}

/** Events that only mirror another one on a second thing are not told twice. */
const TELLS: Record<string, Tell> = {
  ReportReceived: (e) =>
    m.story_received({ ticket: text(e, "ticket"), channel: channelName(text(e, "channel")) }),
  ReportTriaged: (e) => m.story_triaged({ share: percent(Number(e.summary.p_genuine)) }),
  ReportLocated: (e) => m.story_located({ place: placeText(text(e, "place_label")) ?? "" }),
  ReportVerified: (e) => m.story_verified({ n: text(e, "priority") }),
  ReportMarkedDuplicate: () => m.story_duplicate(),
  ReportPostponed: (e) => m.story_postponed({ reason: text(e, "reason") }),
  ReportRefused: (e) => m.story_refused({ reason: text(e, "reason") }),
  ReportArchived: (e) => m.story_archived({ reason: text(e, "reason") }),
  ReportRestored: () => m.story_restored(),
  ReportClosed: () => m.story_report_closed(),
  ReportReopened: () => m.story_report_reopened(),
  ReporterAnswered: (e) =>
    e.summary.answer === "satisfied" ? m.story_satisfied() : m.story_not_fixed(),
  IncidentOpened: () => m.story_opened(),
  IncidentReportLeft: () => m.story_report_left(),
  RecommendationMade: (e, desk) =>
    e.summary.crew_id ? m.story_proposed({ crew: crewOf(e, desk) }) : m.story_no_crew(),
  IncidentClosed: (e, desk) => m.story_incident_closed({ outcome: outcomeOf(e, desk) }),
  IncidentCancelled: (e) => m.story_cancelled({ reason: text(e, "reason") }),
  IncidentReopened: () => m.story_reopened(),
  AfterActionRecorded: (e) =>
    m.aa_story({
      duration: roughDuration(Number(e.summary.late_s)),
      cause: causeName(e.summary.cause as Cause),
    }),
  IncidentAlarmRaised: (e) =>
    m.story_alarm({ n: text(e, "alarm_level"), reason: text(e, "reason") }),
  IncidentReprioritised: (e) =>
    m.story_reprioritised({ n: text(e, "priority"), reason: text(e, "reason") }),
  AssignmentOffered: (e, desk) => m.story_offered({ crew: crewOf(e, desk) }),
  AssignmentAcknowledged: (e, desk) => m.story_acknowledged({ crew: crewOf(e, desk) }),
  AssignmentEnRoute: (e, desk) => m.story_en_route({ crew: crewOf(e, desk) }),
  AssignmentOnScene: (e, desk) =>
    m.story_on_scene({
      crew: crewOf(e, desk),
      evidence: arrivalWords(text(e, "evidence"), e.summary.flag ? text(e, "flag") : null),
    }),
  AssignmentEvidenceGraded: (e, desk) =>
    m.story_graded({ crew: crewOf(e, desk), evidence: evidenceName(text(e, "evidence")) }),
  ClosureMade: (e) => m.story_closure_made({ where: whereOf(closedBy(e)) }),
  ClosureLifted: () => m.story_closure_lifted(),
  AssignmentEtaRevised: (e, desk) =>
    e.summary.eta === null
      ? m.story_eta_gone({ crew: crewOf(e, desk) })
      : m.story_eta({ crew: crewOf(e, desk), at: arrivalRange(e) }),
  AssignmentNoted: (e, desk) => m.story_noted({ crew: crewOf(e, desk), note: text(e, "note") }),
  AssignmentPhotographed: (e, desk) =>
    e.summary.moment === "before"
      ? m.story_photo_before({ crew: crewOf(e, desk) })
      : m.story_photo_after({ crew: crewOf(e, desk) }),
  AssignmentCleared: (e, desk) =>
    m.story_cleared({ crew: crewOf(e, desk), outcome: outcomeOf(e, desk) }),
  AssignmentDeclined: (e, desk) =>
    m.story_declined({ crew: crewOf(e, desk), reason: declineOf(e, desk) }),
  AssignmentExpired: (e, desk) => m.story_expired({ crew: crewOf(e, desk) }),
  AssignmentWithdrawn: (e, desk) =>
    m.story_withdrawn({ crew: crewOf(e, desk), reason: text(e, "reason") }),
  ReferralMade: (e, desk) => m.story_referred({ agency: agencyOf(e, desk) }),
  ReferralAccepted: () => m.story_referral_accepted(),
  ReferralRefused: (e) => m.story_referral_refused({ reason: text(e, "reason") }),
  ReferralFinished: () => m.story_referral_finished(),
  ReferralWithdrawn: () => m.story_referral_withdrawn(),
};

/** The sentence for an entry, or null when another entry already says it. */
export function tell(entry: LogLine, desk: Desk): string | null {
  return TELLS[entry.t]?.(entry, desk) ?? null;
}

export function actorName(actor: string, desk: Desk): string {
  const [role = "", id = ""] = actor.split(":");
  if (id && id === desk.user.id) return m.actor_you();
  const crew = role === "crew" ? desk.crews.get(id) : undefined;
  return crew?.call_sign ?? roleName(role);
}

/** `14.05–14.12`: half of such trips arrive by the first, nine in ten by the second. */
function arrivalRange(e: LogLine): string {
  const from = text(e, "eta");
  const spread_s = Number(e.summary.p90_ete_s ?? 0) - Number(e.summary.ete_s ?? 0);
  if (!(spread_s >= 45)) return timeOfDay(from);
  const to = new Date(Date.parse(from) + spread_s * 1000).toISOString();
  return `${timeOfDay(from)}–${timeOfDay(to)}`;
}
