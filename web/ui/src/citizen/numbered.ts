/** The number on a pole or a tree: typed, picked from the nearest, or tapped on the map. */
import { type Asset, boxAround, boxQuery, type Near, nearest } from "../base/assets.js";
import type { Spot } from "./maps.js";
import { note, picture } from "./picture.js";
import type { PinMap, View } from "./pin_map.js";
import { say } from "./words.js";

const TYPING_MS = 500;
const LISTED = 6;

/** Calls `onpick` with what was picked, and with null when its number was taken away again. */
export class Numbered {
  readonly #form: HTMLFormElement;
  readonly #city: string;
  readonly #map: PinMap | null;
  readonly #input: HTMLInputElement;
  readonly #state: HTMLElement;
  readonly #list: HTMLElement;
  readonly #onpick: (asset: Asset | null) => void;
  #timer = 0;
  #asked: AbortController | null = null;
  #near: Near = { assets: [], more: false };
  #picked: Asset | null = null;
  #around: Spot | null = null;
  #view: View | null = null;

  constructor(
    form: HTMLFormElement,
    city: string,
    map: PinMap | null,
    onpick: (asset: Asset | null) => void,
  ) {
    this.#form = form;
    this.#city = city;
    this.#map = map;
    this.#onpick = onpick;
    this.#input = one(form, "#asset_code");
    this.#state = one(form, "[data-asset-state]");
    this.#list = one(form, "[data-asset-near]");
    this.#connect();
  }

  /** The pin stands here now (null: nowhere); unless it is on the picked thing, that is let go. */
  pinned(spot: Spot | null): void {
    const on = this.#picked;
    if (on && (spot === null || spot.lon !== on.lon || spot.lat !== on.lat)) this.#forget();
    this.#around = spot;
    void this.#look();
  }

  #connect(): void {
    this.#input.addEventListener("input", () => {
      window.clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => void this.#find(), TYPING_MS);
    });
    this.#input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      // Enter looks the number up; it must not send half a report.
      event.preventDefault();
      void this.#find();
    });
    this.#map?.addEventListener("look", (event) => {
      this.#view = (event as CustomEvent<View>).detail;
      void this.#look();
    });
    this.#map?.addEventListener("pick", (event) => {
      const code = (event as CustomEvent<string>).detail;
      const asset = this.#near.assets.find((each) => each.code === code);
      if (asset) this.#pick(asset);
    });
    for (const tile of this.#form.querySelectorAll("[name=service_code]")) {
      tile.addEventListener("change", () => void this.#look());
    }
    // A kept draft or a page shown again: the number stands there already.
    if (this.#input.value) void this.#find();
  }

  get #service(): string | null {
    const tile = this.#form.querySelector<HTMLInputElement>(".tile[data-numbered] :checked");
    return tile?.value ?? null;
  }

  /** Looks the typed number up. */
  async #find(): Promise<void> {
    window.clearTimeout(this.#timer);
    const code = this.#input.value.trim();
    if (code === "") {
      this.#state.replaceChildren();
      if (this.#picked) this.#letGo();
      return;
    }
    if (!this.#service || code === this.#picked?.code) return;
    const query = new URLSearchParams({ service: this.#service });
    const address = `/api/${this.#city}/assets/${encodeURIComponent(code)}?${query}`;
    const answer = await fetch(address).catch(() => null);
    if (code !== this.#input.value.trim()) return;
    if (answer?.ok) this.#pick((await answer.json()) as Asset);
    else if (answer?.status === 422) {
      const { errors } = (await answer.json()) as { errors?: { message?: string }[] };
      if (this.#picked) this.#letGo();
      this.#state.replaceChildren(note(errors?.[0]?.message ?? say("error.asset_unknown"), "warn"));
    }
  }

  #pick(asset: Asset): void {
    this.#picked = asset;
    this.#input.value = asset.code;
    this.#state.replaceChildren(note(say("form.asset_picked", { label: asset.label })));
    this.#onpick(asset);
    this.#show();
  }

  #letGo(): void {
    this.#picked = null;
    this.#onpick(null);
    this.#show();
  }

  #forget(): void {
    this.#picked = null;
    this.#input.value = "";
    this.#state.replaceChildren();
  }

  /** Asks what stands around the middle of the map, or around the pin while the map is closed. */
  async #look(): Promise<void> {
    const [service, view] = [this.#service, this.#map?.hidden === false ? this.#view : null];
    const middle = view ? view.center : this.#around;
    this.#asked?.abort();
    if (!service || !middle || (view && !view.close)) {
      this.#near = { assets: [], more: false };
      this.#show();
      return;
    }
    this.#asked = new AbortController();
    const box = boxQuery(boxAround(middle), service);
    try {
      const answer = await fetch(`/api/${this.#city}/assets?${box}`, {
        signal: this.#asked.signal,
      });
      if (!answer.ok) return;
      this.#near = (await answer.json()) as Near;
    } catch {
      // No network, or the map moved on: the number can still be typed.
      return;
    }
    this.#show();
  }

  #show(): void {
    const view = this.#map?.hidden === false ? this.#view : null;
    const middle = view ? view.center : this.#around;
    const { assets, more } = this.#near;
    this.#map?.showAssets(this.#service ? assets : [], this.#picked, this.#tip(view));
    this.#list.hidden = !middle || !this.#service || view?.close === false;
    // The list is drawn anew: whoever came by keyboard stays where they were.
    const focused = this.#list.querySelector<HTMLElement>(":focus")?.dataset.code;
    this.#list.replaceChildren();
    if (this.#list.hidden || !middle) return;
    if (assets.length === 0) {
      this.#list.append(note(say("form.asset_none")));
      return;
    }
    const head = document.createElement("p");
    head.className = "group-name";
    head.id = "asset-near";
    head.textContent = say(view ? "form.asset_near_map" : "form.asset_near");
    this.#list.append(head, this.#choices(nearest(assets, middle, LISTED)));
    if (more) this.#list.append(note(say("form.asset_more")));
    if (focused)
      this.#list.querySelector<HTMLElement>(`[data-code="${CSS.escape(focused)}"]`)?.focus();
  }

  #tip(view: View | null): string {
    if (!this.#service) return "";
    if (view && !view.close) return say("form.asset_zoom");
    if (this.#picked) return say("form.asset_picked", { label: this.#picked.label });
    return this.#near.assets.length ? say("form.asset_tap") : "";
  }

  #choices(assets: readonly (Asset & { m: number })[]): HTMLElement {
    const list = document.createElement("div");
    list.className = "suggestions";
    list.setAttribute("role", "group");
    list.setAttribute("aria-labelledby", "asset-near");
    for (const asset of assets) {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(asset.code === this.#picked?.code));
      const words = document.createElement("span");
      words.textContent = asset.label;
      const far = document.createElement("span");
      far.className = "far";
      far.textContent = say("form.asset_distance", { metres: asset.m });
      button.append(picture("pin", 18), words, far);
      button.dataset.code = asset.code;
      button.addEventListener("click", () => this.#pick(asset));
      list.append(button);
    }
    return list;
  }
}

function one<E extends HTMLElement>(form: HTMLElement, selector: string): E {
  const found = form.querySelector<E>(selector);
  if (!found) throw new Error(`The form has no ${selector}.`);
  return found;
}
