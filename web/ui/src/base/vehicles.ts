/** What a crew drives, by the city's own table: its name, and the roads it cannot use. */
import type { City } from "../live/entities.js";
import { m } from "../paraglide/messages.js";

export type Vehicle = City["vehicles"][number];

const ROADS: Record<string, () => string> = {
  motorway: m.road_motorway,
  trunk: m.road_trunk,
  primary: m.road_primary,
  secondary: m.road_secondary,
  tertiary: m.road_tertiary,
  unclassified: m.road_unclassified,
  residential: m.road_residential,
  living_street: m.road_living_street,
  service: m.road_service,
  alley: m.road_alley,
  track: m.road_track,
  road: m.road_road,
  path: m.road_path,
  low: m.road_low,
  narrow: m.road_narrow,
  weak: m.road_weak,
  no_trucks: m.road_no_trucks,
  no_cars: m.road_no_cars,
  no_motorbikes: m.road_no_motorbikes,
};

/** The vehicle meant by what stands at a crew, as the server finds it; null for any other. */
export function vehicleOf(vehicles: readonly Vehicle[], written: string | null): Vehicle | null {
  const words = (written ?? "").toLowerCase();
  const meant = ({ kind, keywords }: Vehicle) =>
    words === kind || keywords.some((word) => words.includes(word));
  return vehicles.find(meant) ?? null;
}

/** The roads it cannot use, in words; empty when it goes wherever a car goes. */
export function avoided(vehicle: Vehicle | null): string {
  return (vehicle?.avoids ?? []).map((each) => ROADS[each]?.() ?? each).join(", ");
}
