/** Keeps what was typed in this tab until it is sent: a reload or a lost network costs nothing. */

const FIELDS = ["description", "place_typed", "asset_code", "name", "phone", "email"] as const;
const TICKS = ["anonymous", "secret"] as const;

const keyOf = (city: string) => `sigap_draft_${city}`;

/** Writes the form down whenever it changes. */
export function keepDraft(form: HTMLFormElement, city: string): void {
  form.addEventListener("input", () => {
    const data = new FormData(form);
    const kept = Object.fromEntries(
      [...FIELDS, ...TICKS, "service_code"].map((name) => [name, String(data.get(name) ?? "")]),
    );
    store()?.setItem(keyOf(city), JSON.stringify(kept));
  });
}

/** Fills an empty form with the draft; true when there was one. */
export function restoreDraft(form: HTMLFormElement, city: string): boolean {
  const kept = read(city);
  const empty = FIELDS.every((name) => field(form, name)?.value === "");
  if (!kept || !empty || !FIELDS.some((name) => kept[name])) return false;
  for (const name of FIELDS) {
    const input = field(form, name);
    if (input) input.value = kept[name] ?? "";
  }
  for (const name of TICKS) {
    const input = form.querySelector<HTMLInputElement>(`[name="${name}"]`);
    if (input) input.checked = kept[name] === "1";
  }
  for (const tile of form.querySelectorAll<HTMLInputElement>("[name=service_code]")) {
    tile.checked = tile.value === kept.service_code;
  }
  return true;
}

/** The report was sent: the draft is done. */
export function dropDraft(city: string): void {
  store()?.removeItem(keyOf(city));
}

function read(city: string): Record<string, string> | null {
  try {
    return JSON.parse(store()?.getItem(keyOf(city)) ?? "null");
  } catch {
    return null;
  }
}

function field(form: HTMLFormElement, name: string): HTMLInputElement | HTMLTextAreaElement | null {
  return form.querySelector(`input[name="${name}"], textarea[name="${name}"]`);
}

function store(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    // A browser that keeps nothing: the page works, only a reload starts anew.
    return null;
  }
}
