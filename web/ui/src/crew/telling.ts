/** Carries the phone's trouble with its position to the server, for the crew that is signed in. */
import { cityPath, post } from "../api/client.js";
import { randomId } from "../base/identifier.js";
import { known } from "./known.svelte.js";
import type { PositionTrouble } from "./position.svelte.js";
import { outcomeFrom, within } from "./transport.js";
import { TroubleTeller } from "./trouble_teller.js";

const TELL_MS = 10_000;
type Told = PositionTrouble | "off";

function send(trouble: Told | null, at: string, key: string) {
  const path = cityPath(`/crews/${known.user?.crew_id}/position-trouble`);
  const body = { trouble, device_time: at };
  return outcomeFrom(() => post(path, body, { idempotencyKey: key, signal: within(TELL_MS) }));
}

const teller = new TroubleTeller<Told>({
  send,
  newKey: randomId,
  chance: Math.random,
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  now: Date.now,
});

/** What the phone knows now; nothing is said while it is still looking for its first position. */
export function tellTrouble(trouble: PositionTrouble | null, found: boolean): void {
  const crew = known.view?.crew;
  if (!crew || known.user?.crew_id !== crew.id) return;
  teller.heard((crew.position_trouble ?? null) as Told | null);
  if (trouble !== null || found) teller.say(trouble);
}

export function tellAgain(): void {
  teller.hurry();
}

/** Whoever signs out on duty is not followed any more; the dispatcher must not wait for a dot. */
export async function tellOff(): Promise<void> {
  const crew = known.view?.crew;
  if (!crew || crew.status === "not_available") return;
  await send("off", new Date().toISOString(), randomId());
}
