/** The evaluation's words: intervals, their ends, groups and durations. */
import { localName } from "../base/language.svelte.js";
import { channelName } from "../base/words.js";
import type { City } from "../live/entities.js";
import { m } from "../paraglide/messages.js";
import { getLocale } from "../paraglide/runtime.js";
import type { Group, Grouping, Interval } from "./figures.js";

const intervals: Record<Interval, () => string> = {
  total_response: m.eval_total_response,
  processing: m.eval_processing,
  turnout: m.eval_turnout,
  travel: m.eval_travel,
  on_scene: m.eval_on_scene,
  commitment: m.eval_commitment,
};

const times: Record<string, () => string> = {
  received_at: m.eval_time_received_at,
  dispatched_at: m.eval_time_dispatched_at,
  enroute_at: m.eval_time_enroute_at,
  arrived_at: m.eval_time_arrived_at,
  cleared_at: m.eval_time_cleared_at,
  available_at: m.eval_time_available_at,
};

export const groupingWords: Record<Grouping, () => string> = {
  service: m.eval_by_service,
  district: m.eval_by_district,
  channel: m.eval_by_channel,
};

export function intervalName(name: Interval): string {
  return intervals[name]();
}

/** `diterima → regu pertama tiba`; a time without a word is shown as the log calls it. */
export function definitionText(definition: { from: string; to: string }): string {
  return m.eval_definition({ from: timeName(definition.from), to: timeName(definition.to) });
}

function timeName(name: string): string {
  return times[name]?.() ?? name;
}

export function groupName(group: Group, by: Grouping, city: City | null): string {
  if (group.key === "") return m.eval_group_none();
  if (by === "channel") return channelName(group.key);
  const service =
    by === "service" ? city?.services.find((one) => one.service_code === group.key) : undefined;
  if (service) return localName(service);
  return localName({ name: group.label || group.key, name_en: group.label_en ?? null });
}

/** A duration as it is spoken: `10 mnt 12 dtk`, above an hour `1 j 05 mnt`; a dash when unknown. */
export function spoken(seconds: number | null): string {
  if (seconds === null) return "–";
  const total = Math.round(seconds);
  if (total < 60) return m.eval_seconds({ s: total });
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return m.eval_minutes({ m: minutes, s: total % 60 });
  return m.eval_hours({ h: Math.floor(minutes / 60), m: String(minutes % 60).padStart(2, "0") });
}

export function dayTimeYear(iso: string): string {
  return new Intl.DateTimeFormat(getLocale(), {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(new Date(iso));
}

export function zoneName(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
