/** A mark on the map: the place of the report, or the crew on its way. */
import type { Map as MapLibre } from "maplibre-gl";
import type { Spot } from "./maps.js";
import { picture } from "./picture.js";

export class Marker {
  readonly #map: MapLibre;
  readonly #element = document.createElement("div");
  readonly #label = document.createElement("span");
  #spot: Spot;
  readonly #place = () => this.#put();

  constructor(map: MapLibre, kind: "place" | "crew", spot: Spot) {
    this.#map = map;
    this.#spot = spot;
    this.#element.className = `map-dot map-${kind}`;
    this.#element.append(picture(kind === "crew" ? "crew" : "pin", 20));
    this.#label.className = "map-dot-label";
    this.#label.hidden = true;
    this.#element.append(this.#label);
    map.getCanvasContainer().append(this.#element);
    map.on("move", this.#place);
    map.on("resize", this.#place);
    this.#put();
  }

  move(spot: Spot): void {
    this.#spot = spot;
    this.#put();
  }

  /** `words` stand under the mark; an old one is shown pale with a broken edge. */
  tell(words: string, old: boolean): void {
    this.#element.classList.toggle("old", old);
    this.#label.textContent = words;
    this.#label.hidden = words === "";
  }

  remove(): void {
    this.#map.off("move", this.#place);
    this.#map.off("resize", this.#place);
    this.#element.remove();
  }

  #put(): void {
    const { x, y } = this.#map.project([this.#spot.lon, this.#spot.lat]);
    this.#element.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
  }
}
