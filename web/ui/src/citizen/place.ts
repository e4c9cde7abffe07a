/** The place part of the form: proposals while typing, "where I am", the pin, and who was here before. */

import type { Asset } from "../base/assets.js";
import type { Spot } from "./maps.js";
import { showMoments } from "./moments.js";
import { Numbered } from "./numbered.js";
import { note, picture } from "./picture.js";
import { PinMap } from "./pin_map.js";
import { say } from "./words.js";

interface Candidate extends Spot {
  label: string;
  kind: string;
  confidence: number;
  radius_m: number;
  reason: string;
  ward: string | null;
  district: string | null;
}

const TYPING_MS = 350;
const SHORTEST = 3;
/** The confidence from which the server, too, takes a proposal for the place meant. */
const SURE = 0.5;
/** Coordinates below this were put right: latitude and longitude had changed seats. */
const AS_WRITTEN = 0.9;
/** What may lie farther off gets no pin from the server either. */
const WIDE_M = 400;

export class Place {
  readonly #form: HTMLFormElement;
  readonly #city: string;
  readonly #typed: HTMLInputElement;
  readonly #choices: HTMLElement;
  readonly #map: PinMap | null;
  readonly #numbered: Numbered;
  #timer = 0;
  #asked: AbortController | null = null;
  /** Whether the pin came from a proposal for the words: new words make it void. */
  #fromWords = false;

  constructor(form: HTMLFormElement, city: string) {
    this.#form = form;
    this.#city = city;
    this.#typed = this.#one<HTMLInputElement>("#place_typed");
    this.#choices = this.#one("[data-place-choices]");
    const map = form.querySelector("pin-map");
    this.#map = map instanceof PinMap ? map : null;
    this.#numbered = new Numbered(form, city, this.#map, (asset) => this.#picked(asset));
    this.#one("[data-place-ways]").hidden = false;
    this.#connect();
  }

  /** The spot now in the form, or null. */
  get spot(): Spot | null {
    const [lon, lat] = [this.#hidden("lon").value, this.#hidden("lat").value];
    return lon && lat ? { lon: Number(lon), lat: Number(lat) } : null;
  }

  /** Offers the position a photo brought along. */
  offerPhotoSpot(spot: Spot, accuracy_m: number | null): void {
    if (this.spot) return;
    const line = note(say("form.place_from_photo") + accuracy(accuracy_m));
    const use = document.createElement("button");
    use.type = "button";
    use.className = "button small";
    use.textContent = say("form.place_from_photo_use");
    use.addEventListener("click", () => void this.#pin(spot, accuracy_m));
    line.append(use);
    this.#choices.replaceChildren(line);
  }

  #connect(): void {
    this.#typed.addEventListener("input", () => this.#wordsChanged());
    this.#typed.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      // Enter looks the place up; it must not send half a report.
      event.preventDefault();
      void this.#propose();
    });
    this.#one("[data-place-here]").addEventListener("click", () => this.#locate());
    const opener = this.#one<HTMLButtonElement>("[data-place-map]");
    opener.addEventListener("click", () => void this.#toggleMap(opener));
    this.#map?.addEventListener("use", (event) => {
      const spot = (event as CustomEvent<Spot>).detail;
      void this.#toggleMap(opener);
      if (spot.lon !== this.spot?.lon || spot.lat !== this.spot.lat) void this.#pin(spot);
    });
    this.#one("[data-unpin]").addEventListener("click", (event) => {
      event.preventDefault();
      this.#unpin();
    });
    for (const tile of this.#form.querySelectorAll("[name=service_code]")) {
      tile.addEventListener("change", () => void this.#showSimilar());
    }
    if (this.spot) void this.#showSimilar();
    this.#numbered.pinned(this.spot);
  }

  /** A numbered thing is the place itself; without it the pin that stood on it goes, too. */
  #picked(asset: Asset | null): void {
    this.#choices.replaceChildren();
    this.#fromWords = false;
    if (asset) this.#set(asset, asset.label, null);
    else this.#unpin();
  }

  #wordsChanged(): void {
    if (this.#fromWords) this.#unpin();
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#propose(), TYPING_MS);
  }

  async #propose(): Promise<void> {
    window.clearTimeout(this.#timer);
    this.#asked?.abort();
    this.#asked = new AbortController();
    const words = this.#typed.value.trim();
    if (words.length < SHORTEST) {
      this.#choices.replaceChildren();
      return;
    }
    const address = `/api/${this.#city}/geocode?q=${encodeURIComponent(words.slice(0, 200))}`;
    const found = await ask<{ candidates: Candidate[] }>(address, this.#asked.signal);
    if (!found) return;
    const [best] = found.candidates;
    if (!best) {
      const isLink = /^https?:\/\/\S+$/.test(words);
      this.#choices.replaceChildren(
        isLink ? note(say("error.place_short_link"), "warn") : note(say("form.place_unsure")),
      );
      return;
    }
    if (best.kind === "coordinates" && best.confidence < SURE) {
      // Nobody may be sent there: the reason instead of something to pick.
      this.#choices.replaceChildren(
        note(`${best.reason} ${say("form.place_bad_numbers")}`, "warn"),
      );
      return;
    }
    this.#list(found.candidates, howSure(best));
    // While somebody still types: who was here before, where the words most probably lead.
    if (best && best.confidence >= SURE && !this.spot) void this.#showSimilar(best);
  }

  /** `said`: how sure it is, and what to do next. */
  #list(candidates: readonly Candidate[], said: string): void {
    const list = document.createElement("div");
    list.className = "suggestions";
    const named = new Set<string>();
    for (const candidate of candidates) {
      const name = `${candidate.label}|${candidate.ward}`;
      if (named.has(name)) continue;
      named.add(name);
      const button = document.createElement("button");
      button.type = "button";
      const words = document.createElement("span");
      words.textContent = candidate.label;
      const area = [candidate.ward, candidate.district]
        .filter((part) => part && !candidate.label.includes(part))
        .join(", ");
      if (area) {
        const small = document.createElement("small");
        small.textContent = area;
        words.append(small);
      }
      button.append(picture("pin", 18), words);
      button.addEventListener("click", () => {
        this.#choices.replaceChildren();
        void this.#take(candidate);
      });
      list.append(button);
    }
    const head = document.createElement("p");
    head.className = "group-name";
    head.textContent = said;
    this.#choices.replaceChildren(head, list);
  }

  async #take(candidate: Candidate): Promise<void> {
    // Numbers say nothing to a reader: the pin is told by the street and the ward.
    if (isWritten(candidate)) await this.#pin(candidate);
    else this.#set(candidate, candidate.label, null);
    this.#fromWords = true;
  }

  #locate(): void {
    this.#choices.replaceChildren(note(say("form.place_locating")));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        this.#choices.replaceChildren();
        void this.#pin({ lon: coords.longitude, lat: coords.latitude }, coords.accuracy);
      },
      (error) => {
        const denied = error.code === GeolocationPositionError.PERMISSION_DENIED;
        const key = denied ? "form.place_denied" : "form.place_failed";
        this.#choices.replaceChildren(note(say(key), "warn"));
      },
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
    );
  }

  async #toggleMap(opener: HTMLButtonElement): Promise<void> {
    if (!this.#map) return;
    const open = this.#map.hidden;
    opener.setAttribute("aria-expanded", String(open));
    const words = opener.querySelector("span");
    if (words) words.textContent = say(open ? "form.place_map_close" : "form.place_map");
    if (open) await this.#map.show(this.#city, this.spot);
    else {
      this.#map.hidden = true;
      this.#numbered.pinned(this.spot);
    }
  }

  /** Puts the pin where the reader pointed, if the city is served there. */
  async #pin(spot: Spot, accuracy_m: number | null = null): Promise<void> {
    const address = `/api/${this.#city}/reverse?lon=${spot.lon}&lat=${spot.lat}`;
    const found = await ask<{ label: string | null; covered: boolean }>(address);
    if (found && !found.covered) {
      const city = this.#form.dataset.cityName ?? "";
      this.#choices.replaceChildren(note(say("form.place_outside", { city }), "warn"));
      return;
    }
    this.#fromWords = false;
    this.#choices.replaceChildren();
    this.#set(spot, found?.label ?? null, accuracy_m);
  }

  #set(spot: Spot, label: string | null, accuracy_m: number | null): void {
    this.#hidden("lon").value = String(spot.lon);
    this.#hidden("lat").value = String(spot.lat);
    this.#hidden("accuracy_m").value = accuracy_m === null ? "" : String(Math.round(accuracy_m));
    const shown = label ?? `${spot.lat.toFixed(5)}, ${spot.lon.toFixed(5)}`;
    this.#hidden("pin_label").value = shown;
    this.#one("[data-pinned-label]").textContent = shown + accuracy(accuracy_m);
    this.#one("[data-pinned]").hidden = false;
    this.#numbered.pinned({ lon: spot.lon, lat: spot.lat });
    void this.#showSimilar();
  }

  #unpin(): void {
    for (const name of ["lon", "lat", "accuracy_m", "pin_label"]) this.#hidden(name).value = "";
    this.#fromWords = false;
    this.#one("[data-pinned]").hidden = true;
    this.#one("[data-similar]").replaceChildren();
    this.#numbered.pinned(null);
  }

  async #showSimilar(spot: Spot | null = this.spot): Promise<void> {
    const box = this.#one("[data-similar]");
    if (!spot) return;
    const service = new FormData(this.#form).get("service_code") ?? "";
    const query = new URLSearchParams({
      lon: String(spot.lon),
      lat: String(spot.lat),
      service: String(service),
    });
    const answer = await fetch(`/${this.#city}/similar?${query}`).catch(() => null);
    // Only a hint: without it the report is just as good.
    if (!answer?.ok) return;
    box.innerHTML = await answer.text();
    showMoments(box);
  }

  #hidden(name: string): HTMLInputElement {
    return this.#one<HTMLInputElement>(`input[name="${name}"]`);
  }

  #one<E extends HTMLElement>(selector: string): E {
    const found = this.#form.querySelector<E>(selector);
    if (!found) throw new Error(`The form has no ${selector}.`);
    return found;
  }
}

/** How exact a device says its position is, in brackets; nothing where it says nothing. */
function accuracy(metres: number | null): string {
  if (metres === null || metres < 1) return "";
  return ` (${say("form.place_accuracy", { metres: Math.round(metres) })})`;
}

/** Coordinates, in numbers or in a link. */
const isWritten = ({ kind }: Candidate) => kind === "coordinates" || kind === "link";

/** What the list of proposals says first: how sure it is, and what to do next. */
function howSure(best: Candidate): string {
  if (isWritten(best) && best.confidence < AS_WRITTEN) {
    return `${best.reason} ${say("form.place_meant")}`;
  }
  if (best.confidence < SURE) return say("form.place_doubt");
  if (best.radius_m <= WIDE_M) return say("form.place_sure");
  return say("form.place_wide", { metres: Math.round(best.radius_m / 10) * 10 });
}

async function ask<T>(address: string, signal?: AbortSignal): Promise<T | null> {
  try {
    const answer = await fetch(address, { ...(signal ? { signal } : {}) });
    return answer.ok ? ((await answer.json()) as T) : null;
  } catch {
    // No network, or newer words were asked about: the form goes without.
    return null;
  }
}
