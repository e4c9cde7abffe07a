/** Small round icons for places people know: hospital, school, market, bus stop. */
import type { Theme } from "../base/theme.svelte.js";
import { canvasImage, type MapImage } from "./canvas_image.js";

const files = import.meta.glob<string>(
  "/node_modules/@mapbox/maki/icons/{airport,attraction,bank,bus,cafe,college,doctor,ferry,fire-station,fuel,grocery,hospital,library,lodging,museum,park,parking,pharmacy,place-of-worship,playground,police,post,rail,rail-light,restaurant,school,shop,stadium,theatre,toilet,town-hall}.svg",
  { query: "?raw", import: "default", eager: true },
);

const RED = "#d6453d";
const GREEN = "#3d8a4a";
const INDIGO = "#4a56a6";
const AMBER = "#b76a12";
const VIOLET = "#7a4aa6";
const BROWN = "#8a5a3a";
const GREY = "#66707a";

/** OpenStreetMap kind → maki file and colour. */
const KINDS: Record<string, [file: string, color: string]> = {
  aerodrome: ["airport", INDIGO],
  attraction: ["attraction", GREY],
  bank: ["bank", GREY],
  bus_station: ["bus", INDIGO],
  bus_stop: ["bus", INDIGO],
  cafe: ["cafe", AMBER],
  clinic: ["doctor", RED],
  department_store: ["shop", VIOLET],
  ferry_terminal: ["ferry", INDIGO],
  fire_station: ["fire-station", "#c8501e"],
  fuel: ["fuel", GREY],
  hospital: ["hospital", RED],
  hotel: ["lodging", "#a6507a"],
  library: ["library", GREY],
  mall: ["shop", VIOLET],
  marketplace: ["grocery", VIOLET],
  museum: ["museum", BROWN],
  park: ["park", GREEN],
  parking: ["parking", GREY],
  pharmacy: ["pharmacy", RED],
  place_of_worship: ["place-of-worship", GREY],
  playground: ["playground", GREEN],
  police: ["police", "#2f5fb3"],
  post_office: ["post", GREY],
  restaurant: ["restaurant", AMBER],
  school: ["school", GREY],
  stadium: ["stadium", GREEN],
  station: ["rail", INDIGO],
  supermarket: ["grocery", VIOLET],
  theatre: ["theatre", BROWN],
  toilets: ["toilet", GREY],
  townhall: ["town-hall", GREY],
  tram_stop: ["rail-light", INDIGO],
  university: ["college", GREY],
};

const SIZE = 20;

/** The image for `poi-<kind>`, or null for a kind without one. */
export function poiImage(id: string, theme: Theme): MapImage | null {
  const known = KINDS[id.slice("poi-".length)];
  if (!id.startsWith("poi-") || !known) return null;
  const [file, color] = known;
  const svg = files[`/node_modules/@mapbox/maki/icons/${file}.svg`];
  if (!svg) return null;
  return canvasImage(SIZE, SIZE, (g) => {
    g.beginPath();
    g.arc(SIZE / 2, SIZE / 2, SIZE / 2 - 1, 0, 2 * Math.PI);
    g.fillStyle = color;
    g.fill();
    g.lineWidth = 1.2;
    g.strokeStyle = theme === "dark" ? "#10161a" : "#ffffff";
    g.stroke();
    g.translate(4.5, 4.5);
    g.scale(11 / 15, 11 / 15);
    g.fillStyle = "#ffffff";
    for (const path of pathsOf(svg)) g.fill(new Path2D(path));
  });
}

function pathsOf(svg: string): string[] {
  return [...svg.matchAll(/\sd="([^"]+)"/g)].map((found) =>
    (found[1] ?? "").replace(/&#x[0-9A-Fa-f]+;/g, " "),
  );
}
