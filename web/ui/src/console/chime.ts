/** A short chime for a new report or an alarm; off until wanted, remembered. */

const KEY = "sigap_sound";

export function soundWanted(): boolean {
  return localStorage.getItem(KEY) === "on";
}

export function rememberSound(on: boolean): void {
  localStorage.setItem(KEY, on ? "on" : "off");
}

let audio: AudioContext | null = null;

/** Three falling tones: a promise is about to be missed. */
export const ALARM = [880, 740, 590];
const NEWS = [660, 880];

export async function chime(tones: readonly number[] = NEWS): Promise<void> {
  audio ??= new AudioContext();
  if (audio.state === "suspended") await audio.resume();
  const start = audio.currentTime + 0.02;
  for (const [index, pitch] of tones.entries()) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = start + index * 0.16;
    tone.type = "sine";
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.14, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.32);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.35);
  }
}
