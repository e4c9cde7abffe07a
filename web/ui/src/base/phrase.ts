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
      return near ? `near ${near[1]}` : part;
    })
    .join(", ");
}

/** A place in words for whoever reads this screen; null where there is none. */
export function placeText(phrase: string | null | undefined): string | null {
  if (!phrase) return null;
  return getLocale() === "en" ? inEnglish(phrase) : phrase;
}
