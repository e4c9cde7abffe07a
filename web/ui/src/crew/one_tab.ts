/** Lets one tab at a time send, so that two open tabs keep the order of the taps. */

let chain: Promise<void> = Promise.resolve();

/** Runs the work after any other of this browser; without Web Locks (plain http) after this tab's. */
export function exclusively(name: string, work: () => Promise<void>): Promise<void> {
  if ("locks" in navigator) return navigator.locks.request(name, work);
  const turn = chain.then(work);
  chain = turn.catch(() => undefined);
  return turn;
}
