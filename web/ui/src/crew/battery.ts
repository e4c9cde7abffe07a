/** The phone's battery, 0..1, where the browser tells it. */

interface Battery {
  readonly level: number;
}

let known: Battery | null = null;
const asked = navigator as Navigator & { getBattery?: () => Promise<Battery> };
void asked.getBattery?.().then((found) => {
  known = found;
});

export function battery(): number | null {
  return known === null ? null : Math.round(known.level * 100) / 100;
}
