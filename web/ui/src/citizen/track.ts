/** `<live-report>`: keeps a report's page as fresh as one just opened, over the one socket. */

import { openLive } from "../live/browser.js";
import type { Fix, Link } from "../live/client.js";
import type { CityMap } from "../map/city_map.js";
import { openMap, type Spot } from "./maps.js";
import { Marker } from "./marker.js";
import { ageOf, showMoments } from "./moments.js";
import { note } from "./picture.js";
import { connectSharing } from "./sharing.js";
import { say } from "./words.js";

const TICK_MS = 15_000;
const AGE_TICK_MS = 5_000;
/** Several events of one step arrive together; the page is asked for once. */
const GATHER_MS = 150;

class LiveReport extends HTMLElement {
  #link: Link = { phase: "connecting" };
  #timer = 0;
  #asking = false;
  #again = false;
  #map: CityMap | null = null;
  #crew: Marker | null = null;
  /** When the crew was where it is shown, by this device's clock; null while nobody knows. */
  #seenAt: number | null = null;

  connectedCallback(): void {
    const ticket = this.dataset.ticket ?? "";
    const token = new URLSearchParams(location.search).get("k") ?? "";
    showMoments();
    window.setInterval(() => showMoments(), TICK_MS);
    this.#readAge();
    window.setInterval(() => this.#showAge(), AGE_TICK_MS);
    this.#connectMap();
    const client = openLive((link) => {
      this.#link = link;
      this.#showLink();
    });
    client.subscribe(`report/${ticket}`, {
      token,
      onState: () => this.#refreshSoon(),
      onPositions: (fixes) => this.#moveCrew(fixes),
    });
  }

  #refreshSoon(): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#refresh(), GATHER_MS);
  }

  /** Asks the server for the changing part; what the reader is writing and watching stays. */
  async #refresh(): Promise<void> {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    try {
      const answer = await fetch(`${location.pathname}/live${location.search}`);
      if (answer.ok) this.#replace(await answer.text());
    } catch {
      // The network went away: the socket comes back with it and asks anew.
    } finally {
      this.#asking = false;
    }
    if (this.#again) {
      this.#again = false;
      this.#refreshSoon();
    }
  }

  #replace(html: string): void {
    const live = this.querySelector("#live");
    if (!live) return;
    const map = this.querySelector(".track-map");
    const words = this.querySelector<HTMLTextAreaElement>("#answer-text")?.value ?? "";
    const focused = document.activeElement?.id ?? "";
    live.innerHTML = html;
    this.#readAge();
    const text = this.querySelector<HTMLTextAreaElement>("#answer-text");
    if (text) text.value = words;
    this.#connectMap();
    if (map) this.#keepMap(map);
    showMoments(live);
    this.#showLink();
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  #showLink(): void {
    const state = this.querySelector("[data-link-state]");
    const line = this.querySelector(".as-of");
    if (!state || !line) return;
    const live = this.#link.phase === "live";
    line.classList.toggle("live-now", live);
    const waiting = this.#link.phase === "offline" ? (this.dataset.offline ?? "") : "";
    state.textContent = live ? (this.dataset.live ?? "") : waiting;
  }

  // --- the map ---------------------------------------------------------------

  #connectMap(): void {
    const box = this.querySelector<HTMLElement>("[data-map-box]");
    const opener = box?.querySelector<HTMLButtonElement>("[data-map-open]");
    if (!box || !opener) return;
    box.hidden = false;
    opener.dataset.open = opener.querySelector("span")?.textContent ?? "";
    opener.addEventListener("click", () => void this.#toggleMap(box, opener));
  }

  #keepMap(map: Element): void {
    const box = this.querySelector<HTMLElement>("[data-map-box]");
    const opener = box?.querySelector<HTMLButtonElement>("[data-map-open]");
    if (!box || !opener) {
      this.#map?.remove();
      this.#map = null;
      return;
    }
    box.append(map);
    this.#label(opener, !(map as HTMLElement).hidden);
    const crew = spotOf(this.querySelector<HTMLElement>(".state")?.dataset.crew);
    if (crew) this.#showCrew(crew);
    else this.#crew?.remove();
    if (!crew) this.#crew = null;
  }

  async #toggleMap(box: HTMLElement, opener: HTMLButtonElement): Promise<void> {
    let frame = box.querySelector<HTMLElement>(".track-map");
    if (frame) {
      frame.hidden = !frame.hidden;
      this.#label(opener, !frame.hidden);
      return;
    }
    frame = document.createElement("div");
    frame.className = "track-map";
    frame.id = "track-map";
    const canvas = document.createElement("div");
    canvas.className = "map-canvas";
    frame.append(canvas);
    box.append(frame);
    this.#label(opener, true);
    const state = this.querySelector<HTMLElement>(".state");
    const place = spotOf(`${state?.dataset.lon},${state?.dataset.lat}`);
    try {
      this.#map = await openMap(this.dataset.city ?? "", canvas, {
        ...(place ? { center: place } : {}),
        zoom: 15.5,
      });
    } catch {
      frame.replaceWith(note(say("map.failed"), "warn"));
      return;
    }
    this.#map.map.getCanvas().setAttribute("aria-label", say("track.map_label"));
    if (place) new Marker(this.#map.map, "place", place);
    const crew = spotOf(state?.dataset.crew);
    if (crew) this.#showCrew(crew);
    if (crew && place) this.#frameBoth(crew, place);
  }

  #frameBoth(a: Spot, b: Spot): void {
    this.#map?.map.fitBounds(
      [
        [Math.min(a.lon, b.lon), Math.min(a.lat, b.lat)],
        [Math.max(a.lon, b.lon), Math.max(a.lat, b.lat)],
      ],
      { padding: 64, maxZoom: 16.5, animate: false },
    );
  }

  #label(opener: HTMLButtonElement, open: boolean): void {
    opener.setAttribute("aria-expanded", String(open));
    const words = opener.querySelector("span");
    if (words) words.textContent = (open ? opener.dataset.close : opener.dataset.open) ?? "";
  }

  #moveCrew(fixes: readonly Fix[]): void {
    const fix = fixes[0];
    // On scene the crew's place is the report's: no more dot is shown than the page speaks of.
    if (!fix || !this.querySelector<HTMLElement>(".state")?.dataset.crew) return;
    this.#seenAt = Date.now() - fix[4] * 1000;
    this.#showCrew({ lon: fix[1], lat: fix[2] });
  }

  #showCrew(spot: Spot): void {
    if (this.#map) {
      this.#crew ??= new Marker(this.#map.map, "crew", spot);
      this.#crew.move(spot);
    }
    this.#showAge();
  }

  /** The page says how old the crew's place was when it was made; a frame may know a newer one. */
  #readAge(): void {
    const age = this.querySelector<HTMLElement>(".state")?.dataset.crewAge;
    const read = age === undefined ? null : Date.now() - Number(age) * 1000;
    this.#seenAt = read === null ? null : Math.max(read, this.#seenAt ?? read);
    this.#showAge();
  }

  /** In words beside the name and under the mark: never an old dot as a live one. */
  #showAge(): void {
    const state = this.querySelector<HTMLElement>(".state");
    const line = this.querySelector("[data-crew-seen]");
    if (!state || !line || this.#seenAt === null) return;
    const told = ageOf(this.#seenAt, Date.now(), {
      live_s: Number(state.dataset.liveS),
      stale_s: Number(state.dataset.staleS),
    });
    if (line.textContent !== told.sentence) line.textContent = told.sentence;
    this.#crew?.tell(told.label, told.old);
  }
}

function spotOf(text: string | undefined): Spot | null {
  const [lon, lat] = (text ?? "").split(",").map(Number.parseFloat);
  if (lon === undefined || lat === undefined) return null;
  return Number.isFinite(lon) && Number.isFinite(lat) ? { lon, lat } : null;
}

customElements.define("live-report", LiveReport);
connectSharing();
