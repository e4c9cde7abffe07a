/** Opens the city's map when somebody asks for it; until then not a byte of it is loaded. */
import type { CityMap, CityMapOptions } from "../map/city_map.js";
import { language } from "./words.js";

export interface Spot {
  lon: number;
  lat: number;
}

interface CityFacts {
  basemap: string | null;
  bbox: [number, number, number, number];
  center: Spot;
}

/** Light or dark, as the page shows itself. */
export function theme(): "light" | "dark" {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Loads the map's code and the city's facts, then draws. Rejects when either cannot be had. */
export async function openMap(
  city: string,
  container: HTMLElement,
  more: Partial<Pick<CityMapOptions, "center" | "zoom" | "interactive" | "overlay" | "image">> = {},
): Promise<CityMap> {
  const [{ openCityMap }, facts] = await Promise.all([
    import("../map/city_map.js"),
    fetch(`/api/${encodeURIComponent(city)}`).then((answer) => {
      if (!answer.ok) throw new Error(`The city's facts: ${answer.status}`);
      return answer.json() as Promise<CityFacts>;
    }),
  ]);
  if (!facts.basemap) throw new Error("This city has no basemap.");
  const opened = await openCityMap({
    city: { ...facts, basemap: facts.basemap },
    container,
    theme: theme(),
    language,
    ...more,
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    opened.setLook({ theme: theme(), language }),
  );
  return opened;
}
