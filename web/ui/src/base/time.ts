/** Durations and moments as people read them. */
import { getLocale } from "../paraglide/runtime.js";

/** How numbers and dates are written: day before month in English too. */
function writing(): string {
  return getLocale() === "en" ? "en-GB" : "id-ID";
}

/** Whole minutes and seconds, `18:04`; over an hour `1:02:09`; negative values carry a minus sign. */
export function minutesSeconds(seconds: number): string {
  const total = Math.floor(Math.abs(seconds));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const rest = String(total % 60).padStart(2, "0");
  const text = hours
    ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}`
    : `${minutes}:${rest}`;
  return seconds < 0 ? `−${text}` : text;
}

/** The moment as a time of day in the reader's zone, `14:05` (Indonesian: `14.05`). */
export function timeOfDay(iso: string): string {
  return new Intl.DateTimeFormat(writing(), {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(new Date(iso));
}

/** From the median to the p90, as a range: `14:05–14:20`; a single time where both read alike. */
export function timeRange(half: string, most: string | null | undefined): string {
  const [from, to] = [timeOfDay(half), timeOfDay(most ?? half)];
  return from === to || Date.parse(most ?? half) < Date.parse(half) ? from : `${from}–${to}`;
}

/** Day and time, for moments that may not be today. */
export function dayAndTime(iso: string): string {
  return new Intl.DateTimeFormat(writing(), {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(new Date(iso));
}

/** Day, year and time, for moments that may be years away. */
export function dated(iso: string): string {
  return new Intl.DateTimeFormat(writing(), {
    dateStyle: "medium",
    timeStyle: "short",
    hourCycle: "h23",
  }).format(new Date(iso));
}

/** Seconds from `from` to `to` (ISO or milliseconds). */
export function secondsBetween(from: string | number, to: string | number): number {
  return (new Date(to).getTime() - new Date(from).getTime()) / 1000;
}

/** Metres as `80 m` or `1,2 km`. */
export function distanceText(metres: number): string {
  if (metres < 995) return `${Math.round(metres / 5) * 5} m`;
  const kilometres = new Intl.NumberFormat(writing(), { maximumFractionDigits: 1 });
  return `${kilometres.format(metres / 1000)} km`;
}

/** A share 0..1 as a whole percentage; never rounds a doubt up to certainty. */
export function percent(share: number): string {
  const whole = Math.round(share * 100);
  const honest = share < 1 && whole === 100 ? 99 : share > 0 && whole === 0 ? 1 : whole;
  return `${honest}%`;
}

/** Day and time to the second, for clocks that are compared with each other. */
export function dayAndSeconds(iso: string): string {
  return new Intl.DateTimeFormat(writing(), {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(new Date(iso));
}
