/** Numbered things of the city, such as lamp poles: which stand near, and which has this number. */

type Point = { lon: number; lat: number };

export interface Asset extends Point {
  code: string;
  sort: string;
  label: string;
}

export interface Near {
  assets: Asset[];
  more: boolean;
}

export type Box = readonly [west: number, south: number, east: number, north: number];

/** From this zoom on single poles can be told apart on the map. */
export const CLOSE_ZOOM = 15.5;
/** So far around a place is looked; the server answers for small boxes only. */
const MOST_M = 450;
const DEGREE_M = 111_195;

/** The box around a place. */
export function boxAround({ lon, lat }: Point): Box {
  const high = MOST_M / DEGREE_M;
  const wide = high / Math.max(Math.cos((lat * Math.PI) / 180), 0.01);
  return [lon - wide, lat - high, lon + wide, lat + high];
}

/** The query of what stands in a box and concerns a service. */
export function boxQuery([west, south, east, north]: Box, service: string): string {
  const degrees = (value: number) => value.toFixed(6);
  const query = new URLSearchParams({ service });
  for (const [name, value] of Object.entries({ west, south, east, north })) {
    query.set(name, degrees(value));
  }
  return query.toString();
}

/** Metres between two places that lie near each other. */
export function metresBetween(a: Point, b: Point): number {
  const x = (b.lon - a.lon) * Math.cos((((a.lat + b.lat) / 2) * Math.PI) / 180);
  return Math.hypot(x, b.lat - a.lat) * DEGREE_M;
}

/** The nearest few with how far each is, the nearest first; ties by number. */
export function nearest(
  assets: readonly Asset[],
  to: Point,
  most: number,
): (Asset & { m: number })[] {
  return assets
    .map((asset) => ({ ...asset, m: Math.round(metresBetween(asset, to)) }))
    .sort((a, b) => a.m - b.m || (a.code < b.code ? -1 : 1))
    .slice(0, most);
}
