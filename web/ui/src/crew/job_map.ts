/** The crew's map: the way, the scene and the phone's own place drawn over the city. */

import type { Geometry, Polygon } from "geojson";
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import { setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { City } from "../live/entities.js";
import { canvasImage, type MapImage } from "../map/canvas_image.js";
import { type CityMap, type Look, openCityMap } from "../map/city_map.js";
import { addClosures, closureImage, type Piece, setClosures } from "../map/closure_layer.js";
import { type Fix, metresBetween } from "./arrival.js";

export interface Drawn {
  scene: { lon: number; lat: number };
  me: Fix | null;
  points: [number, number][];
  closed: readonly { id: string; stretches: readonly Piece[] }[];
}

const COLOURS = {
  light: { route: "#1459b3", casing: "#ffffff", scene: "#ad1f18", me: "#0a66c2", ring: "#ffffff" },
  dark: { route: "#6cb2ff", casing: "#0a1a2c", scene: "#ff8f80", me: "#8bc2ff", ring: "#0b1315" },
};

export interface JobMap {
  draw(next: Drawn): void;
  showAll(): void;
  centreOnMe(): void;
  setLook(look: Look): void;
  remove(): void;
}

/** Opens the map; drawing again only moves what changed. */
export async function openJobMap(
  container: HTMLElement,
  options: { city: City; look: Look; first: Drawn },
): Promise<JobMap> {
  let drawn = options.first;
  await keepWorkerAtHand();
  const city: CityMap = await openCityMap({
    city: options.city,
    container,
    ...options.look,
    center: drawn.scene,
    zoom: 15,
    overlay: (map, look) => {
      addWay(map, look);
      addClosures(map, look.theme);
      addSigns(map);
      show(map, drawn);
    },
    image: (id, look) => closureImage(id, look.theme) ?? drawSign(id, look),
  });
  const showAll = () => fitAll(city.map, drawn);
  showAll();
  return {
    draw(next) {
      const firstRoute = drawn.points.length === 0 && next.points.length > 0;
      const firstFix = drawn.me === null && next.me !== null;
      drawn = next;
      if (city.map.getSource("crew-way")) show(city.map, drawn);
      if (firstRoute || firstFix) showAll();
    },
    showAll,
    centreOnMe() {
      if (drawn.me !== null) {
        city.map.easeTo({ center: [drawn.me.lon, drawn.me.lat], zoom: 16.5 });
      }
    },
    setLook: (look) => city.setLook(look),
    remove: () => city.remove(),
  };
}

let atHand = false;

/**
 * A map worker's own script lies outside the crew page's scope, so the service worker never sees
 * its request. Fetched by the page and started from memory it opens without a network too.
 */
async function keepWorkerAtHand(): Promise<void> {
  if (atHand || !navigator.serviceWorker?.controller) return;
  const code = await fetch(workerUrl);
  if (!code.ok) return;
  setWorkerUrl(URL.createObjectURL(await code.blob()));
  atHand = true;
}

function fitAll(map: MapLibre, drawn: Drawn): void {
  const ends: [number, number][] = [...drawn.points, [drawn.scene.lon, drawn.scene.lat]];
  if (drawn.me !== null) ends.push([drawn.me.lon, drawn.me.lat]);
  const lons = ends.map(([lon]) => lon);
  const lats = ends.map(([, lat]) => lat);
  map.fitBounds(
    [
      [Math.min(...lons), Math.min(...lats)],
      [Math.max(...lons), Math.max(...lats)],
    ],
    { padding: { top: 56, bottom: 40, left: 48, right: 104 }, maxZoom: 16.5, duration: 0 },
  );
}

function show(map: MapLibre, drawn: Drawn): void {
  setData(map, "crew-way", { type: "LineString", coordinates: drawn.points });
  setClosures(
    map,
    drawn.closed.map(({ id, stretches }) => ({ id, pieces: stretches, selected: false })),
  );
  setData(map, "crew-scene", { type: "Point", coordinates: [drawn.scene.lon, drawn.scene.lat] });
  if (drawn.me === null) return;
  setData(map, "crew-me", { type: "Point", coordinates: [drawn.me.lon, drawn.me.lat] });
  setData(map, "crew-doubt", circle(drawn.me, drawn.me.accuracy_m ?? 0));
}

function setData(map: MapLibre, source: string, geometry: Geometry): void {
  map.getSource<GeoJSONSource>(source)?.setData({ type: "Feature", properties: {}, geometry });
}

/** A polygon of 48 corners around a place; metres are turned into degrees at its latitude. */
function circle(at: { lon: number; lat: number }, radius_m: number): Polygon {
  const perLon = Math.max(1, metresBetween(at, { lon: at.lon + 1, lat: at.lat }));
  const perLat = metresBetween(at, { lon: at.lon, lat: at.lat + 1 });
  const ring = Array.from({ length: 49 }, (_, corner) => {
    const angle = (corner / 48) * 2 * Math.PI;
    return [
      at.lon + (radius_m / perLon) * Math.cos(angle),
      at.lat + (radius_m / perLat) * Math.sin(angle),
    ];
  });
  return { type: "Polygon", coordinates: [ring] };
}

function addWay(map: MapLibre, { theme }: Look): void {
  const colours = COLOURS[theme];
  for (const id of ["crew-way", "crew-scene", "crew-me", "crew-doubt"]) {
    map.addSource(id, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  }
  map.addLayer({
    id: "crew-doubt",
    type: "fill",
    source: "crew-doubt",
    paint: { "fill-color": colours.me, "fill-opacity": 0.14 },
  });
  const round = { "line-cap": "round", "line-join": "round" } as const;
  map.addLayer({
    id: "crew-way-casing",
    type: "line",
    source: "crew-way",
    layout: round,
    paint: { "line-color": colours.casing, "line-width": 11 },
  });
  map.addLayer({
    id: "crew-way",
    type: "line",
    source: "crew-way",
    layout: round,
    paint: { "line-color": colours.route, "line-width": 6.5 },
  });
}

function addSigns(map: MapLibre): void {
  sign(map, "crew-scene", "bottom");
  sign(map, "crew-me", "center");
}

function sign(map: MapLibre, id: string, anchor: "bottom" | "center"): void {
  map.addLayer({
    id,
    type: "symbol",
    source: id,
    layout: {
      "icon-image": id,
      "icon-anchor": anchor,
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
    },
  });
}

function drawSign(id: string, { theme }: Look): MapImage | null {
  const colours = COLOURS[theme];
  if (id === "crew-me") {
    return canvasImage(26, 26, (pen) => {
      disc(pen, { x: 13, y: 13, radius: 12, colour: colours.ring });
      disc(pen, { x: 13, y: 13, radius: 9, colour: colours.me });
    });
  }
  if (id !== "crew-scene") return null;
  return canvasImage(40, 52, (pen) => {
    pen.beginPath();
    pen.arc(20, 20, 17, Math.PI * 0.85, Math.PI * 2.15);
    pen.lineTo(20, 50);
    pen.closePath();
    pen.fillStyle = colours.scene;
    pen.fill();
    pen.lineWidth = 2.5;
    pen.strokeStyle = colours.ring;
    pen.stroke();
    disc(pen, { x: 20, y: 20, radius: 6.5, colour: colours.ring });
  });
}

function disc(
  pen: CanvasRenderingContext2D,
  { x, y, radius, colour }: { x: number; y: number; radius: number; colour: string },
): void {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
}
