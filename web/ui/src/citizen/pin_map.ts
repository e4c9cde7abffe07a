/** `<pin-map>`: the reader moves the map until the mark is on the spot, then uses it. */
import { type Asset, CLOSE_ZOOM, metresBetween } from "../base/assets.js";
import type { CityMap } from "../map/city_map.js";
import { openMap, type Spot } from "./maps.js";
import { note, picture } from "./picture.js";
import { say } from "./words.js";

type AssetLayer = typeof import("../map/asset_layer.js");

/** What the reader looks at, and whether single poles can be told apart there. */
export interface View {
  center: Spot;
  close: boolean;
}

/**
 * Says `use` with the spot as detail, `pick` with the number of a tapped pole, and `look` with the
 * View whenever the map came to rest.
 */
export class PinMap extends HTMLElement {
  #map: CityMap | null = null;
  #opening: Promise<void> | null = null;
  #layer: AssetLayer | null = null;
  #assets: readonly Asset[] = [];
  #picked: Asset | null = null;
  #tip: HTMLElement | null = null;

  /** Shows the map, centred on `spot` if there is one. */
  async show(city: string, spot: Spot | null): Promise<void> {
    this.hidden = false;
    this.#opening ??= this.#open(city, spot);
    await this.#opening;
    if (spot) this.#map?.map.jumpTo({ center: [spot.lon, spot.lat], zoom: 17 });
    this.#look();
  }

  /** Draws these numbered things; `tip` says what may be done with them. */
  showAssets(assets: readonly Asset[], picked: Asset | null, tip: string): void {
    this.#assets = assets;
    if (picked && picked.code !== this.#picked?.code) {
      this.#map?.map.easeTo({ center: [picked.lon, picked.lat] });
    }
    this.#picked = picked;
    this.#draw();
    if (this.#tip) {
      this.#tip.textContent = tip;
      this.#tip.hidden = tip === "";
    }
  }

  async #open(city: string, spot: Spot | null): Promise<void> {
    const canvas = document.createElement("div");
    canvas.className = "map-canvas";
    this.append(canvas);
    try {
      const layer = await import("../map/asset_layer.js");
      this.#layer = layer;
      this.#map = await openMap(city, canvas, {
        ...(spot ? { center: spot, zoom: 17 } : { zoom: 14 }),
        overlay: (map, look) => {
          layer.addAssets(map, look.theme);
          layer.setAssets(map, this.#assets, this.#picked?.code ?? null);
        },
      });
    } catch {
      this.replaceChildren(note(say("form.place_map_failed"), "warn"));
      this.classList.add("failed");
      return;
    }
    const { map } = this.#map;
    map.getCanvas().setAttribute("aria-label", this.dataset.label ?? "");
    map.on("moveend", () => this.#look());
    map.on("click", ({ point }) => {
      const code = map.getLayer("assets") ? this.#layer?.assetAt(map, point) : null;
      if (code) this.dispatchEvent(new CustomEvent<string>("pick", { detail: code }));
    });
    this.append(this.#mark(), this.#controls());
  }

  #draw(): void {
    if (this.#map && this.#layer) {
      this.#layer.setAssets(this.#map.map, this.#assets, this.#picked?.code ?? null);
    }
  }

  #look(): void {
    const map = this.#map?.map;
    if (!map || this.hidden) return;
    const { lng: lon, lat } = map.getCenter();
    const close = map.getZoom() >= CLOSE_ZOOM;
    this.dispatchEvent(new CustomEvent<View>("look", { detail: { center: { lon, lat }, close } }));
  }

  #mark(): HTMLElement {
    const mark = document.createElement("span");
    mark.className = "map-mark";
    mark.append(picture("pin", 48));
    return mark;
  }

  #controls(): HTMLElement {
    const box = document.createElement("div");
    box.className = "map-use";
    const tip = document.createElement("p");
    tip.className = "map-tip";
    tip.textContent = say("form.place_map_hint");
    const use = document.createElement("button");
    use.type = "button";
    use.className = "button strong";
    use.append(picture("pin", 18), say("form.place_map_use"));
    use.addEventListener("click", () => this.#use());
    box.append(tip, use);
    this.#tip = tip;
    this.#map?.map.once("movestart", () => {
      if (tip.textContent === say("form.place_map_hint")) tip.hidden = true;
    });
    return box;
  }

  #use(): void {
    const center = this.#map?.map.getCenter();
    if (!center) return;
    const spot: Spot = { lon: round(center.lng), lat: round(center.lat) };
    // The mark stands on the thing that was picked: it stays picked.
    const picked = this.#picked && metresBetween(this.#picked, spot) < SAME_M ? this.#picked : spot;
    this.dispatchEvent(new CustomEvent<Spot>("use", { detail: picked }));
  }
}

const SAME_M = 3;
/** A tenth of a metre is enough. */
const round = (degrees: number) => Math.round(degrees * 1e6) / 1e6;

customElements.define("pin-map", PinMap);
