/** The crew screen's words for steps, statuses, actions and turns. */
import type { IconName } from "../base/icons.js";
import type { AssignmentStatus, CrewStatus } from "../live/entities.js";
import { m } from "../paraglide/messages.js";
import type { Step } from "./next_step.js";
import type { ActionKind } from "./outbox.js";

export const stepWords: Record<Step, () => string> = {
  acknowledge: m.crew_step_acknowledge,
  "en-route": m.crew_step_en_route,
  "on-scene": m.crew_step_on_scene,
  clear: m.crew_step_clear,
};

export const stepIcons: Record<Step, IconName> = {
  acknowledge: "check",
  "en-route": "crew",
  "on-scene": "pin",
  clear: "flag",
};

export const stateWords: Record<AssignmentStatus, () => string> = {
  offered: m.crew_state_offered,
  acknowledged: m.crew_state_acknowledged,
  en_route: m.crew_state_en_route,
  on_scene: m.crew_state_on_scene,
  cleared: m.crew_state_cleared,
  declined: m.crew_state_declined,
  expired: m.crew_state_expired,
  withdrawn: m.crew_state_withdrawn,
};

export const actionWords: Record<ActionKind, () => string> = {
  acknowledge: m.crew_action_acknowledge,
  decline: m.crew_action_decline,
  "en-route": m.crew_action_en_route,
  "on-scene": m.crew_action_on_scene,
  note: m.crew_action_note,
  photo: m.crew_action_photo,
  clear: m.crew_action_clear,
  status: m.crew_action_status,
  post: m.crew_action_post,
};

export const dutyWords: Record<CrewStatus, () => string> = {
  available: m.crew_status_available,
  conditionally_available: m.crew_status_conditionally_available,
  not_available: m.crew_status_not_available,
};

export const dutyHints: Record<CrewStatus, () => string> = {
  available: m.crew_status_hint_available,
  conditionally_available: m.crew_status_hint_conditionally_available,
  not_available: m.crew_status_hint_not_available,
};

const priorities: Record<number, () => string> = {
  1: m.crew_priority_1,
  2: m.crew_priority_2,
  3: m.crew_priority_3,
};

export function priorityWord(priority: number): string {
  return priorities[priority]?.() ?? String(priority);
}

const turns: Record<string, () => string> = {
  depart: m.crew_turn_depart,
  straight: m.crew_turn_straight,
  slight_left: m.crew_turn_slight_left,
  left: m.crew_turn_left,
  sharp_left: m.crew_turn_sharp_left,
  slight_right: m.crew_turn_slight_right,
  right: m.crew_turn_right,
  sharp_right: m.crew_turn_sharp_right,
  uturn: m.crew_turn_uturn,
  roundabout: m.crew_turn_roundabout,
};

const arrows: Record<string, string> = {
  depart: "•",
  slight_left: "↖",
  left: "←",
  sharp_left: "↙",
  slight_right: "↗",
  right: "→",
  sharp_right: "↘",
  uturn: "↶",
  roundabout: "↻",
};

/** A sign beside the words, for a glance. */
export function turnArrow(turn: string): string {
  return arrows[turn] ?? "↑";
}

/** An unknown turn is told as straight on: the name of the street still guides. */
export function turnWords(turn: string): string {
  return (turns[turn] ?? m.crew_turn_straight)();
}

const fixRefusals: Record<string, () => string> = {
  not_a_position: m.crew_fix_not_a_position,
  out_of_region: m.crew_fix_out_of_region,
  future: m.crew_fix_future,
  too_old: m.crew_fix_too_old,
  jump: m.crew_fix_jump,
};

/** Why the server did not believe a position; its own sentence when it sent one. */
export function fixRefusalWords(reason: string): string {
  return fixRefusals[reason]?.() ?? reason;
}
