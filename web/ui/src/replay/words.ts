/** The moments of a replay in words. */
import type { IconName } from "../base/icons.js";
import type { Shown } from "../base/words.js";
import { m } from "../paraglide/messages.js";
import type { TrackMoment } from "./history.js";

type Told = [words: (given: { crew: string }) => string, icon: IconName, tone: Shown["tone"]];

const TOLD: Record<string, Told> = {
  IncidentOpened: [m.moment_opened, "alert", "late"],
  IncidentReopened: [m.moment_reopened, "reopen", "late"],
  IncidentClosed: [m.moment_closed, "check_circle", "plain"],
  IncidentCancelled: [m.moment_cancelled, "close", "plain"],
  AssignmentOffered: [m.moment_offered, "bell", "warn"],
  AssignmentAcknowledged: [m.moment_acknowledged, "check", "info"],
  AssignmentEnRoute: [m.moment_en_route, "arrow_right", "info"],
  AssignmentOnScene: [m.moment_on_scene, "wrench", "ok"],
  AssignmentEvidenceGraded: [m.moment_graded, "shield", "ok"],
  AssignmentPhotographed: [m.moment_photo, "camera", "info"],
  AssignmentCleared: [m.moment_cleared, "check_circle", "ok"],
  AssignmentDeclined: [m.moment_declined, "close", "late"],
  AssignmentExpired: [m.moment_expired, "hourglass", "late"],
  AssignmentWithdrawn: [m.moment_withdrawn, "undo", "plain"],
  CrewStatusSet: [m.moment_status, "people", "plain"],
  CrewOutOfService: [m.moment_out_of_service, "block", "late"],
  CrewBackInService: [m.moment_back, "check", "ok"],
  CrewPositionTrouble: [m.moment_trouble, "pin_off", "warn"],
  MoveUpOrdered: [m.moment_move_up, "target", "info"],
  MoveUpReached: [m.moment_post_reached, "pin", "ok"],
};

/** Whether a moment is worth a line: some events only mirror another one. */
export function isTold(moment: TrackMoment): boolean {
  return moment.t in TOLD;
}

export function momentShown(moment: TrackMoment, crew: string): Shown {
  const told = TOLD[moment.t];
  if (!told) return { words: moment.t, icon: "info", tone: "plain" };
  const [words, icon, tone] = told;
  return { words: words({ crew }), icon, tone };
}
