/** Places in words are kept in Indonesian, as the radio says them; this reads them in English. */
import { getLocale } from "../paraglide/runtime.js";

const SIDES: Record<string, string> = {
  utara: "north",
  "timur laut": "northeast",
  timur: "east",
  tenggara: "southeast",
  selatan: "south",
  "barat daya": "southwest",
  barat: "west",
  "barat laut": "northwest",
};
const SIDE = "(utara|timur laut|timur|tenggara|selatan|barat daya|barat laut|barat)";
const FROM = new RegExp(`^(\\d+) m sebelah ${SIDE} (.+)$`);
const CORNER = /^Simpang (.+) – (.+)$/;
const NEAR = /^dekat (.+)$/;
/** What numbered things are called; geo/asset_words.py has the same words. */
const NUMBERED: Record<string, string> = {
  "Tiang PJU": "Lamp pole",
  Tiang: "Lamp pole",
  Pohon: "Tree",
  "Lampu lalu lintas": "Traffic light",
  Panel: "Panel",
  Hidran: "Hydrant",
  Saluran: "Drain",
  Jembatan: "Bridge",
  Reklame: "Billboard",
  "Titik wifi": "Wifi point",
  TPS: "Waste point",
};
const NUMBER = new RegExp(`^(${Object.keys(NUMBERED).join("|")}) (\\S*\\d.*)$`);

/** The phrase in English; what is no phrase of ours, such as a name, stays as it is. */
export function inEnglish(phrase: string): string {
  return phrase
    .split(", ")
    .map((part) => {
      const from = FROM.exec(part);
      if (from) return `${from[1]} m ${SIDES[from[2] ?? ""]} of ${from[3]}`;
      const corner = CORNER.exec(part);
      if (corner) return `Corner of ${corner[1]} and ${corner[2]}`;
      const near = NEAR.exec(part);
      if (near) return `near ${near[1]}`;
      const thing = NUMBER.exec(part);
      return thing ? `${NUMBERED[thing[1] ?? ""]} ${thing[2]}` : part;
    })
    .join(", ");
}

/** A place in words for whoever reads this screen; null where there is none. */
export function placeText(phrase: string | null | undefined): string | null {
  if (!phrase) return null;
  return getLocale() === "en" ? inEnglish(phrase) : phrase;
}
