/** What a round comes to: how far it is, which stop is next, in words. */

import type { Round, RoundStop } from "../live/entities.js";
import { m } from "../paraglide/messages.js";
import type { IconName } from "./icons.js";
import { timeRange } from "./time.js";
import type { Shown } from "./words.js";

export interface Progress {
  done: number;
  /** Stops done or still to be reached; what was left out does not count. */
  all: number;
}

export function isOpenRound(status: Round["status"]): boolean {
  return status === "proposed" || status === "active" || status === "paused";
}

export function progressOf(stops: readonly Pick<RoundStop, "state">[]): Progress {
  const driven = stops.filter(({ state }) => state !== "dropped");
  return { done: driven.filter(({ state }) => state === "done").length, all: driven.length };
}

/** The stops with their numbers: those left out have none. */
export function numbered<Stop extends Pick<RoundStop, "state">>(
  stops: readonly Stop[],
): { stop: Stop; n: number | null }[] {
  let n = 0;
  return stops.map((stop) => ({ stop, n: stop.state === "dropped" ? null : ++n }));
}

export function nextStop<Stop extends Pick<RoundStop, "state">>(
  stops: readonly Stop[],
): Stop | null {
  return stops.find(({ state }) => state === "waiting") ?? null;
}

/** Incidents still to be reached, each with its round and the number of its stop. */
export function stopsBy(rounds: readonly Round[]): Map<string, { round: Round; n: number }> {
  const found = new Map<string, { round: Round; n: number }>();
  for (const round of rounds) {
    for (const { stop, n } of numbered(round.stops)) {
      if (n !== null && stop.state === "waiting") found.set(stop.incident_id, { round, n });
    }
  }
  return found;
}

const STATUS: Record<Round["status"], [() => string, IconName, Shown["tone"]]> = {
  proposed: [m.round_status_proposed, "spark", "info"],
  active: [m.round_status_active, "route", "ok"],
  paused: [m.round_status_paused, "pause", "warn"],
  done: [m.round_status_done, "check_circle", "plain"],
  cancelled: [m.round_status_cancelled, "close", "plain"],
};

export function roundStatus(status: Round["status"]): Shown {
  const [words, icon, tone] = STATUS[status];
  return { words: words(), icon, tone };
}

const REASONS: Record<string, () => string> = {
  closed: m.stop_reason_closed,
  taken: m.stop_reason_taken,
  urgent: m.stop_reason_urgent,
  declined: m.stop_reason_declined,
  unreachable: m.stop_reason_unreachable,
  skill: m.stop_reason_skill,
};

/** What became of a stop, or when it is planned. */
export function stopWords(
  stop: Pick<RoundStop, "state" | "eta" | "reason"> & Partial<Pick<RoundStop, "eta_latest">>,
): string {
  if (stop.state === "done") return m.stop_done();
  if (stop.state === "dropped") {
    const why = stop.reason ? REASONS[stop.reason]?.() : undefined;
    return why ? `${m.stop_dropped()}: ${why}` : m.stop_dropped();
  }
  return stop.eta ? timeRange(stop.eta, stop.eta_latest) : m.stop_waiting();
}

const PAUSES: Record<string, () => string> = {
  unanswered: m.round_pause_unanswered,
  withdrawn: m.round_pause_withdrawn,
  off_duty: m.round_pause_off_duty,
};

/** Why a round stands still; `what` names the work that came first. */
export function pauseWords(round: Pick<Round, "pause_reason">, what: string | null): string | null {
  if (!round.pause_reason) return null;
  if (round.pause_reason === "interrupted") {
    return m.round_pause_interrupted({ what: what ?? m.round_pause_other() });
  }
  return (PAUSES[round.pause_reason] ?? m.round_pause_unable)();
}
