/** What the server's doors take and give, by the names its own description uses. */
import type { components } from "./openapi.js";

type Schemas = components["schemas"];

export type PairingCode = Schemas["PairingCode"];
export type DeviceView = Schemas["DeviceView"];
export type DeviceMade = Schemas["DeviceMade"];
export type LogLine = Schemas["LogLine"];
export type IncidentFile = Schemas["IncidentFile"];
export type ClosurePreview = Schemas["ClosurePreview"];
export type Decision = Schemas["Decision"];
export type Decisions = Schemas["Decisions"];
export type PlanBegun = Schemas["PlanBegun"];
export type PlanView = Schemas["PlanView"];
export type RoundFile = Schemas["RoundFile"];
export type SignedIn = Schemas["SignedIn"];

/** What each wish of a dispatcher carries, by the last part of its path. */
export interface Wishes {
  verify: Schemas["Verify"];
  join: Schemas["Join"];
  postpone: Schemas["Because"];
  refuse: Schemas["Because"];
  archive: Schemas["Because"];
  undo: Record<string, never>;
  locate: Schemas["Locate"];
  send: Schemas["Send"];
  close: Schemas["Close"];
  cancel: Schemas["Because"];
  reopen: Schemas["Because"];
  reprioritise: Schemas["Reprioritise"];
  alarm: Schemas["Alarm"];
  shift: Schemas["CrewShift"];
  staff: Schemas["CrewStaff"];
  equipment: Schemas["CrewEquipment"];
  "out-of-service": Schemas["Because"];
  "back-in-service": Record<string, never>;
  withdraw: Schemas["Because"];
  status: Schemas["CrewStatus"];
  "move-up": Schemas["MoveUp"];
  closures: Schemas["CloseRoad"];
  plan: Schemas["PlanRounds"];
  start: Record<string, never>;
  cancel_round: Schemas["MaybeBecause"];
  lift: Schemas["Because"];
}

export type Coverage = Schemas["Coverage"];
export type Reach = Schemas["Reach"];
export type FoundPlace = Schemas["FoundPlace"];
