/** Rings and shakes while an offer waits; browsers allow sound only after the first tap. */

let audio: AudioContext | null = null;
let ringing: ReturnType<typeof setInterval> | null = null;

/** Call from a tap; true when sound may be played from now on. */
export async function unlockSound(): Promise<boolean> {
  audio ??= new AudioContext();
  if (audio.state !== "running") await audio.resume();
  return soundUnlocked();
}

export function soundUnlocked(): boolean {
  return audio?.state === "running";
}

/** Rings every two seconds until `quiet()`; calling it again changes nothing. */
export function ring(): void {
  if (ringing !== null) return;
  once();
  ringing = setInterval(once, 2000);
}

export function quiet(): void {
  if (ringing === null) return;
  clearInterval(ringing);
  ringing = null;
  shake([0]);
}

/** Browsers complain about shaking a phone nobody has touched yet. */
function shake(pattern: number[]): void {
  if (navigator.userActivation?.hasBeenActive ?? true) navigator.vibrate?.(pattern);
}

/** A short double buzz that confirms a tap through a glove. */
export function buzz(): void {
  shake([60, 40, 60]);
}

/** One ring and one long shake. */
export function once(): void {
  shake([400, 150, 400]);
  if (audio === null || audio.state !== "running") return;
  const start = audio.currentTime;
  for (const [index, hertz] of [880, 1175, 880, 1175].entries()) {
    tone(audio, hertz, start + index * 0.18);
  }
}

function tone(context: AudioContext, hertz: number, at: number): void {
  const oscillator = context.createOscillator();
  const volume = context.createGain();
  oscillator.type = "square";
  oscillator.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.35, at + 0.02);
  volume.gain.linearRampToValueAtTime(0, at + 0.16);
  oscillator.connect(volume).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.17);
}
