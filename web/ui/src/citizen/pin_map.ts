/** `<pin-map>`: the reader moves the map until the mark is on the spot, then uses it. */
import type { CityMap } from "../map/city_map.js";
import { openMap, type Spot } from "./maps.js";
import { note, picture } from "./picture.js";
import { say } from "./words.js";

/** Says `use` with the spot as detail. */
export class PinMap extends HTMLElement {
  #map: CityMap | null = null;
  #opening: Promise<void> | null = null;

  /** Shows the map, centred on `spot` if there is one. */
  async show(city: string, spot: Spot | null): Promise<void> {
    this.hidden = false;
    this.#opening ??= this.#open(city, spot);
    await this.#opening;
    if (spot) this.#map?.map.jumpTo({ center: [spot.lon, spot.lat], zoom: 17 });
  }

  async #open(city: string, spot: Spot | null): Promise<void> {
    const canvas = document.createElement("div");
    canvas.className = "map-canvas";
    this.append(canvas);
    try {
      this.#map = await openMap(city, canvas, spot ? { center: spot, zoom: 17 } : { zoom: 14 });
    } catch {
      this.replaceChildren(note(say("form.place_map_failed"), "warn"));
      this.classList.add("failed");
      return;
    }
    this.#map.map.getCanvas().setAttribute("aria-label", this.dataset.label ?? "");
    this.append(this.#mark(), this.#controls());
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
    this.#map?.map.once("movestart", () => tip.remove());
    return box;
  }

  #use(): void {
    const center = this.#map?.map.getCenter();
    if (!center) return;
    const spot: Spot = { lon: round(center.lng), lat: round(center.lat) };
    this.dispatchEvent(new CustomEvent<Spot>("use", { detail: spot }));
  }
}

/** A tenth of a metre is enough. */
const round = (degrees: number) => Math.round(degrees * 1e6) / 1e6;

customElements.define("pin-map", PinMap);
