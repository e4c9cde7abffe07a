/** `<city-map>`: the public reports of a city as dots that lead into the list. */
import type { GeoJSONSource, MapMouseEvent } from "maplibre-gl";
import type { CityMap, Look } from "../map/city_map.js";
import { openMap } from "./maps.js";
import { showMoments } from "./moments.js";
import { note } from "./picture.js";

interface PublicReport {
  ticket: string;
  lon: number;
  lat: number;
  open: boolean;
}

const SOURCE = "reports";

class CityMapElement extends HTMLElement {
  async connectedCallback(): Promise<void> {
    const canvas = document.createElement("div");
    canvas.className = "map-canvas";
    this.replaceChildren(canvas);
    try {
      const reports = await this.#reports();
      const opened = await openMap(this.dataset.city ?? "", canvas, {
        overlay: (map, look) => draw(map, reports, look),
      });
      opened.map.getCanvas().setAttribute("aria-label", this.dataset.label ?? "");
      this.#connect(opened);
      frame(opened, reports);
    } catch {
      this.replaceWith(note(this.dataset.failed ?? "", "warn"));
    }
  }

  async #reports(): Promise<PublicReport[]> {
    const { city = "", service = "", status = "" } = this.dataset;
    const query = new URLSearchParams({ service_code: service, status });
    const answer = await fetch(`/api/${city}/public/reports?${query}`);
    if (!answer.ok) throw new Error(`The public reports: ${answer.status}`);
    return ((await answer.json()) as { reports: PublicReport[] }).reports;
  }

  #connect({ map }: CityMap): void {
    map.on(
      "click",
      "reports",
      (event: MapMouseEvent & { features?: { properties: unknown }[] }) => {
        const found = event.features?.[0]?.properties as { ticket?: string } | undefined;
        if (found?.ticket) location.hash = found.ticket;
      },
    );
    map.on("mouseenter", "reports", () => {
      map.getCanvas().style.cursor = "pointer";
    });
    map.on("mouseleave", "reports", () => {
      map.getCanvas().style.cursor = "";
    });
  }
}

function draw(map: CityMap["map"], reports: readonly PublicReport[], { theme }: Look): void {
  const data = {
    type: "FeatureCollection" as const,
    features: reports.map(({ ticket, lon, lat, open }) => ({
      type: "Feature" as const,
      properties: { ticket, open },
      geometry: { type: "Point" as const, coordinates: [lon, lat] },
    })),
  };
  const known = map.getSource<GeoJSONSource>(SOURCE);
  if (known) known.setData(data);
  else map.addSource(SOURCE, { type: "geojson", data });
  if (map.getLayer("reports")) return;
  const dark = theme === "dark";
  map.addLayer({
    id: "reports",
    type: "circle",
    source: SOURCE,
    paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 5, 16, 11],
      "circle-color": [
        "case",
        ["get", "open"],
        dark ? "#f6b94f" : "#c2410c",
        dark ? "#62d196" : "#166b3c",
      ],
      "circle-stroke-width": 2,
      "circle-stroke-color": dark ? "#0b1315" : "#ffffff",
    },
  });
}

function frame({ map }: CityMap, reports: readonly PublicReport[]): void {
  if (reports.length === 0) return;
  const lons = reports.map(({ lon }) => lon);
  const lats = reports.map(({ lat }) => lat);
  map.fitBounds(
    [
      [Math.min(...lons), Math.min(...lats)],
      [Math.max(...lons), Math.max(...lats)],
    ],
    { padding: 48, maxZoom: 15, animate: false },
  );
}

showMoments();
customElements.define("city-map", CityMapElement);
