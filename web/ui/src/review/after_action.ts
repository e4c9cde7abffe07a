/** The after-action record of a missed promise: its pieces, its words, and what a bar is drawn from. */
import type { components } from "../api/openapi.js";
import { roughDuration, whyNot } from "../base/words.js";
import { m } from "../paraglide/messages.js";

type Schemas = components["schemas"];
export type AfterAction = Schemas["AfterAction"];
export type MissedPromise = Schemas["MissedPromise"];
export type AfterActions = Schemas["AfterActions"];
export type Cause = AfterAction["cause"];

/** In the order in which the pieces can come. */
export const CAUSES: readonly Cause[] = [
  "verification",
  "queue",
  "declined",
  "expired",
  "withdrawn",
  "diverted",
  "turnout",
  "travel",
  "slip",
];

const KINDS: Record<Cause, () => string> = {
  verification: m.aa_kind_verification,
  queue: m.aa_kind_queue,
  declined: m.aa_kind_declined,
  expired: m.aa_kind_expired,
  withdrawn: m.aa_kind_withdrawn,
  diverted: m.aa_kind_diverted,
  turnout: m.aa_kind_turnout,
  travel: m.aa_kind_travel,
  slip: m.aa_kind_slip,
};

export function causeName(cause: Cause): string {
  return KINDS[cause]();
}

const SOONER: Record<string, () => string> = {
  by_hand: m.sooner_by_hand,
  nearest: m.sooner_nearest,
  only_suitable: m.sooner_only_suitable,
  keeps_skills: m.sooner_keeps_skills,
  keeps_cover: m.sooner_keeps_cover,
  best_for_all: m.sooner_best_for_all,
  diverted: m.sooner_diverted_away,
  declined: m.sooner_declined,
  expired: m.sooner_expired,
  withdrawn: m.sooner_withdrawn,
};

/** Why a crew that would have been there sooner did not go. */
export function soonerWhy(code: string | null): string {
  if (code === null) return m.sooner_unknown();
  return SOONER[code]?.() ?? whyNot(code).toLowerCase();
}

export interface Piece {
  cause: Cause;
  from: string;
  s: number;
  crew_id: string | null;
  /** Shares of the whole bar, 0..1. */
  start: number;
  width: number;
}

export interface Bar {
  pieces: Piece[];
  /** Where the promise ended, as a share of the bar. */
  target: number;
  /** True when the wait was longer than the bar shows. */
  cut: boolean;
}

/** Seconds from the first report to the end of the wait. */
export function lasted(record: AfterAction): number {
  return (Date.parse(record.ended_at) - Date.parse(record.starts_at)) / 1000;
}

/** The pieces on one line that is `scale_s` long, or as long as the wait was. */
export function barOf(record: AfterAction, scale_s: number = lasted(record)): Bar {
  const start = Date.parse(record.starts_at);
  const whole = Math.max(1, scale_s * 1000);
  return {
    pieces: record.segments
      .filter(({ s }) => s > 0)
      .map((segment) => ({
        cause: segment.kind,
        from: segment.from,
        s: segment.s,
        crew_id: segment.crew_id,
        start: (Date.parse(segment.from) - start) / whole,
        width: (segment.s * 1000) / whole,
      })),
    target: Math.min(1, Math.max(0, (Date.parse(record.due_at) - start) / whole)),
    cut: lasted(record) > scale_s,
  };
}

/** The bar as one sentence, for those who do not see it. */
export function barWords(record: AfterAction): string {
  const pieces = barOf(record).pieces.map(
    ({ cause, s }) => `${causeName(cause)} ${roughDuration(s)}`,
  );
  return m.aa_bar_label({ pieces: pieces.join(", ") });
}

/** `terlambat 5 mnt`, or that no crew ever came. */
export function lateWords(record: AfterAction): string {
  const duration = roughDuration(record.late_s);
  return record.arrived_at === null ? m.aa_never({ duration }) : m.aa_late_by({ duration });
}

export interface Choice {
  cause: string;
  district: string;
  service: string;
}

/** The cases that fit; an empty choice fits all, `-` the district of those without one. */
export function chosen(all: readonly MissedPromise[], choice: Choice): MissedPromise[] {
  return all.filter(
    (one) =>
      (!choice.cause || one.after_action.cause === choice.cause) &&
      (!choice.service || one.service_code === choice.service) &&
      (!choice.district || (one.district ?? "-") === choice.district),
  );
}
