/** Keeps the phone's screen on during a job, where the browser can. */

let wanted = false;
let lock: WakeLockSentinel | null = null;

export async function stayAwake(want: boolean): Promise<void> {
  wanted = want;
  if (!want) {
    const held = lock;
    lock = null;
    await held?.release();
    return;
  }
  if (lock !== null || !("wakeLock" in navigator) || document.visibilityState !== "visible") return;
  try {
    lock = await navigator.wakeLock.request("screen");
  } catch (error) {
    // A phone saving its battery refuses; the job goes on, the screen may dim.
    if (!(error instanceof DOMException)) throw error;
    return;
  }
  lock.addEventListener("release", () => {
    lock = null;
  });
}

/** The system takes the lock whenever the app is hidden: ask again on return. */
document.addEventListener("visibilitychange", () => {
  if (wanted && document.visibilityState === "visible") void stayAwake(true);
});
