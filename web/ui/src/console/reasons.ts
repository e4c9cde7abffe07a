/** The reasons dispatchers give most, offered as one tap; anything else is typed. */
import { m } from "../paraglide/messages.js";

export const reasonsFor: Record<string, (() => string)[]> = {
  postpone: [m.reason_waiting_info, m.reason_unclear_place, m.reason_planned],
  refuse: [m.reason_national, m.reason_province, m.reason_private, m.reason_other_city],
  archive: [m.reason_prank, m.reason_test, m.reason_no_content],
  join: [m.reason_duplicate],
  withdraw: [m.reason_closer_crew, m.reason_not_moving, m.reason_needed_elsewhere],
  cancel: [m.reason_solved_itself, m.reason_prank, m.reason_duplicate],
  reopen: [m.reason_not_fixed],
  close_road: [
    m.closure_reason_tree,
    m.closure_reason_flood,
    m.closure_reason_works,
    m.closure_reason_event,
    m.closure_reason_accident,
  ],
  lift: [
    m.closure_reason_clear,
    m.closure_reason_dry,
    m.closure_reason_over,
    m.closure_reason_mistake,
  ],
  raise_alarm: [m.reason_bigger, m.reason_spreading, m.reason_people, m.reason_traffic],
  out_of_service: [m.reason_vehicle, m.reason_tool, m.reason_radio, m.reason_called_away],
  cancel_round: [m.reason_needed_elsewhere, m.reason_weather, m.reason_planned_anew],
  reprioritise: [m.reason_danger, m.reason_less_urgent],
};
