/** How much a crew's position still says, in words: by its age, its battery and what its phone complains of. */
import type { City } from "../live/entities.js";
import { m } from "../paraglide/messages.js";
import type { IconName } from "./icons.js";
import { roughDuration, type Shown } from "./words.js";

export type Freshness = "live" | "old" | "stale" | "lost";
export type Limits = City["positions"];

/** What is known of where a crew is; `age_s` null: nothing at all. */
export interface Known {
  age_s: number | null;
  battery: number | null;
  mock: boolean;
  /** Why the crew's phone cannot say where it is; null: nothing is wrong. */
  trouble: string | null;
}

/** A position up to its limit is still of the better kind, as the server judges it. */
export function freshnessOf(age_s: number, limits: Limits): Freshness {
  if (age_s <= limits.live_s) return "live";
  if (age_s <= limits.stale_s) return "old";
  return age_s <= limits.lost_s ? "stale" : "lost";
}

const AGES: Record<Freshness, [words: (age: { age: string }) => string, IconName, Shown["tone"]]> =
  {
    live: [m.fix_age, "pin", "ok"],
    old: [m.fix_age, "clock", "plain"],
    stale: [m.fix_old, "clock", "warn"],
    lost: [m.fix_lost, "pin_off", "late"],
  };

/** The age of a position as a badge; never a silent dot. */
export function ageShown(age_s: number | null, limits: Limits): Shown {
  if (age_s === null) return { words: m.fix_none(), icon: "pin_off", tone: "warn" };
  const [words, icon, tone] = AGES[freshnessOf(age_s, limits)];
  return { words: words({ age: m.ago({ duration: roughDuration(age_s) }) }), icon, tone };
}

const TROUBLES: Record<string, () => string> = {
  denied: m.trouble_denied,
  unavailable: m.trouble_unavailable,
  unsupported: m.trouble_unsupported,
  insecure: m.trouble_insecure,
  off: m.trouble_off,
};

export function troubleWords(trouble: string): string {
  return TROUBLES[trouble]?.() ?? trouble.replaceAll("_", " ");
}

/** What a dispatcher must see beside the age. */
export function alarmsShown(known: Known, limits: Limits): Shown[] {
  const found: Shown[] = [];
  if (known.trouble)
    found.push({ words: troubleWords(known.trouble), icon: "pin_off", tone: "late" });
  if (known.mock) found.push({ words: m.fix_mock(), icon: "alert", tone: "late" });
  if (known.battery !== null && known.battery <= limits.low_battery) {
    const share = Math.round(known.battery * 100);
    found.push({ words: m.battery_low({ share }), icon: "battery", tone: "warn" });
  }
  return found;
}

/** Why somebody should think again before sending this crew, as sentences; empty: no reason. */
export function doubts(known: Known, limits: Limits): string[] {
  const found: string[] = [];
  if (known.age_s === null) found.push(m.doubt_none());
  else if (known.age_s > limits.stale_s)
    found.push(
      m.doubt_stale({
        age: roughDuration(known.age_s),
        limit: roughDuration(limits.stale_s),
      }),
    );
  if (known.trouble) found.push(m.doubt_trouble({ trouble: troubleWords(known.trouble) }));
  if (known.mock) found.push(m.doubt_mock());
  return found;
}
