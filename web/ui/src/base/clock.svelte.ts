/** The server's time, ticking once a second, so that a wrong clock on this machine shows no wrong minutes. */
const state = $state({ now: Date.now(), skew_ms: 0 });

setInterval(() => {
  state.now = Date.now() + state.skew_ms;
}, 1000);

/** Milliseconds since the epoch by the server's clock; components that read it follow each second. */
export function now(): number {
  return state.now;
}

/** Server time at this very moment, without following it. */
export function serverNow(): number {
  return Date.now() + state.skew_ms;
}

/** Learns the difference from a response's Date header (1 s resolution; small ones are noise). */
export function learnServerTime(date: string | null): void {
  if (!date) return;
  const skew = Date.parse(date) + 500 - Date.now();
  if (Number.isFinite(skew)) state.skew_ms = Math.abs(skew) > 2500 ? skew : 0;
}
