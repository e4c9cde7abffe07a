/** Opens a city's map from its one basemap file, in the reader's theme and language. */
import { AttributionControl, addProtocol, Map as MapLibre, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { Protocol } from "pmtiles";
import "./map.css";
import type { Language } from "../base/language.svelte.js";
import type { Theme } from "../base/theme.svelte.js";
import type { City } from "../live/entities.js";
import { m } from "../paraglide/messages.js";
import type { MapImage } from "./canvas_image.js";
import { poiImage } from "./poi_images.js";
import { basemapStyle, OSM_ATTRIBUTION } from "./style.js";

setWorkerUrl(workerUrl);
addProtocol("pmtiles", new Protocol().tile);

const BROKEN_OFF = /Failed to fetch|NetworkError|Load failed/;

export interface Look {
  theme: Theme;
  language: Language;
}

export interface CityMapOptions extends Look {
  /** Without a basemap the overlay is drawn on plain ground. */
  city: Pick<City, "basemap" | "bbox"> & { center: { lon: number; lat: number } };
  container: HTMLElement;
  zoom?: number;
  center?: { lon: number; lat: number };
  /** Puts this screen's own sources and layers on the map; called again after a change of look. */
  overlay?: (map: MapLibre, look: Look) => void;
  /** Draws images the overlay names; POI icons are already known. */
  image?: (id: string, look: Look) => MapImage | null;
  /** False for a picture that only shows a place. */
  interactive?: boolean;
}

export interface CityMap {
  map: MapLibre;
  setLook(look: Look): void;
  remove(): void;
}

/** Waits for the fonts (the map draws names with them), then opens the map. */
export async function openCityMap(options: CityMapOptions): Promise<CityMap> {
  await Promise.all([
    document.fonts.load("500 16px 'Inter Medium'", "Aä"),
    document.fonts.load("600 16px 'Inter SemiBold'", "Aä"),
  ]);
  const { city, container } = options;
  let look: Look = { theme: options.theme, language: options.language };
  const url = city.basemap ? `pmtiles://${new URL(city.basemap, location.href).href}` : null;
  const center = options.center ?? city.center;
  const map = new MapLibre({
    container,
    style: basemapStyle(look.theme, { url, language: look.language }),
    center: [center.lon, center.lat],
    zoom: options.zoom ?? 13.5,
    minZoom: 7,
    maxZoom: 19.5,
    maxBounds: padded(city.bbox),
    attributionControl: false,
    fadeDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 200,
    interactive: options.interactive ?? true,
    locale: {
      "Map.Title": m.map_title(),
      "AttributionControl.ToggleAttribution": m.map_attribution(),
    },
    dragRotate: false,
    pitchWithRotate: false,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new AttributionControl({ compact: false, customAttribution: [] }), "bottom-right");
  map.setMissingStyleImageResolver((id) => {
    const drawn = options.image?.(id, look) ?? poiImage(id, look.theme);
    if (drawn && !map.hasImage(id)) {
      map.addImage(id, drawn.data, { pixelRatio: drawn.pixelRatio });
    }
  });
  map.on("error", ({ error }) => {
    // A lost network or a left page breaks off what a map was asking for; it asks again by itself.
    if (BROKEN_OFF.test(error.message)) console.warn(error.message);
    else console.error(error);
  });
  map.on("style.load", () => options.overlay?.(map, look));
  // Not a diff: images are drawn per theme, and after a lost graphics context layers of our own too.
  const redraw = () =>
    map.setStyle(basemapStyle(look.theme, { url, language: look.language }), { diff: false });
  map.on("webglcontextrestored", redraw);
  return {
    map,
    setLook(next) {
      if (next.theme === look.theme && next.language === look.language) return;
      look = next;
      redraw();
      nameControls(map);
    },
    remove: () => map.remove(),
  };
}

/** The map's own names, which it takes only once by itself: for those who hear the screen. */
function nameControls(map: MapLibre): void {
  map.getCanvas().setAttribute("aria-label", m.map_title());
  const button = map.getContainer().querySelector(".maplibregl-ctrl-attrib-button");
  button?.setAttribute("title", m.map_attribution());
  button?.setAttribute("aria-label", m.map_attribution());
}

/** The box a person may pan over: the city and as much again around it. */
function padded([west, south, east, north]: City["bbox"]): [number, number, number, number] {
  const dx = Math.max(east - west, 0.05);
  const dy = Math.max(north - south, 0.05);
  return [west - dx, Math.max(south - dy, -85), east + dx, Math.min(north + dy, 85)];
}

export { OSM_ATTRIBUTION };
