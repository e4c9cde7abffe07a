/** Which key means what; a key pressed while writing, or with Ctrl, Alt or ⌘, means nothing. */

export type Command =
  | "next"
  | "previous"
  | "main"
  | "verify"
  | "join"
  | "postpone"
  | "refuse"
  | "archive"
  | "locate"
  | "send"
  | "undo"
  | "search"
  | "city"
  | "coverage"
  | "close_road"
  | "new_report"
  | "close"
  | "help";

const KEYS: Record<string, Command> = {
  j: "next",
  k: "previous",
  enter: "main",
  v: "verify",
  g: "join",
  t: "postpone",
  b: "refuse",
  a: "archive",
  l: "locate",
  s: "send",
  z: "undo",
  "/": "search",
  c: "coverage",
  h: "city",
  x: "close_road",
  n: "new_report",
  escape: "close",
  "?": "help",
};

interface Pressed {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  /** What has the focus: its tag name in lower case. */
  on: string;
  repeat: boolean;
}

export function commandOf(pressed: Pressed): Command | null {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return null;
  if (["input", "textarea", "select"].includes(pressed.on)) return null;
  const command = KEYS[pressed.key.toLowerCase()] ?? null;
  // Enter on a button or link is that button's own.
  if (command === "main" && ["button", "a", "summary"].includes(pressed.on)) return null;
  if (pressed.repeat && command !== "next" && command !== "previous") return null;
  return command;
}
