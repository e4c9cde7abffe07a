/** Writes every time of a page anew: in the reader's own time zone, and how long ago as it passes. */
import { language, say } from "./words.js";

const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const clock = new Intl.DateTimeFormat(language, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** 14.32, or 21 Nov 14.32 when it is not today. */
export function timeText(at: Date, now: Date): string {
  const time = clock.format(at);
  return at.toDateString() === now.toDateString() ? time : `${day.format(at)} ${time}`;
}

/** How long ago, in the largest unit that fits. */
export function agoText(at: Date, now: Date): string {
  const minutes = Math.floor((now.getTime() - at.getTime()) / 60_000);
  if (minutes < 1) return say("time.now");
  if (minutes < 60) return say("time.minutes", { count: minutes });
  if (minutes < 48 * 60) return say("time.hours", { count: Math.floor(minutes / 60) });
  return say("time.days", { count: Math.floor(minutes / (24 * 60)) });
}

/** How old the crew's dot is: a sentence, the words under the dot, and whether to doubt it. */
export function ageOf(
  seenAt: number,
  now: number,
  limits: { live_s: number; stale_s: number },
): { sentence: string; label: string; old: boolean } {
  const age_s = (now - seenAt) / 1000;
  const old = age_s > limits.stale_s;
  const ago = agoText(new Date(seenAt), new Date(now));
  return {
    sentence: say(old ? "track.crew_old" : "track.crew_seen", { ago }),
    label: age_s > limits.live_s ? ago : "",
    old,
  };
}

/** "in about 8–12 minutes", never more exact than it is known. */
export function leftText(soonest: Date, latest: Date, now: Date): string {
  // Whole minutes of the clock, so that the sentence agrees with the times beside it.
  const whole = (at: Date) => Math.floor(at.getTime() / 60_000);
  const minutes = (at: Date) => Math.max(0, whole(at) - whole(now));
  const [from, to] = [minutes(soonest), minutes(latest)];
  if (latest < now) return say("track.eta_past");
  if (to <= 1) return say("track.eta_any");
  if (from === to) return say("track.eta_about", { minutes: to });
  return say("track.eta_minutes", { from, to });
}

/** Brings all times inside `root` up to date. */
export function showMoments(root: ParentNode = document, now = new Date()): void {
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[data-show]")) {
    const at = new Date(element.dateTime);
    set(element, element.dataset.show === "ago" ? agoText(at, now) : timeText(at, now));
  }
  for (const element of root.querySelectorAll<HTMLElement>("[data-from][data-to]")) {
    const { from, to } = element.dataset;
    if (from && to) set(element, leftText(new Date(from), new Date(to), now));
  }
}

function set(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
