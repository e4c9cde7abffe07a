/** What a dispatcher can decide in the detail pane, before any question is asked back. */

export type Decision =
  | "verify"
  | "join"
  | "postpone"
  | "refuse"
  | "archive"
  | { join: string }
  | "send"
  | "close"
  | "cancel"
  | "reopen"
  | "reprioritise"
  | "raise_alarm"
  | "close_road"
  | { withdraw: string };
