/** The language of the screen: remembered in the cookie the server reads too, switchable without a reload. */
import { getLocale, overwriteGetLocale, setLocale } from "../paraglide/runtime.js";

export type Language = "id" | "en";

const chosen = $state({ language: getLocale() as Language });
overwriteGetLocale(() => chosen.language);
document.documentElement.lang = chosen.language;

/** The language now shown; reading it in a component makes the component follow a switch. */
export function language(): Language {
  return chosen.language;
}

export function setLanguage(next: Language): void {
  // The cookie is written while the old language still counts as current: setLocale skips no-ops.
  void setLocale(next, { reload: false });
  chosen.language = next;
  document.documentElement.lang = next;
}

/** `name` in Indonesian, `name_en` in English: how the server sends named things. */
export function localName(thing: { name: string; name_en?: string | null }): string {
  return chosen.language === "en" ? thing.name_en || thing.name : thing.name;
}
