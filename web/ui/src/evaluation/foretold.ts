/** On which side of what was told crews came. */
import { m } from "../paraglide/messages.js";

/** `1 mnt 05 dtk lebih lambat`; `spoken` says a duration. */
export function biasText(seconds: number | null, spoken: (seconds: number) => string): string {
  if (seconds === null) return "–";
  if (Math.abs(seconds) < 0.5) return m.eval_foretold_even();
  const duration = spoken(Math.abs(seconds));
  return seconds > 0 ? m.eval_foretold_later({ duration }) : m.eval_foretold_earlier({ duration });
}
