/** Where a person lands after signing in. */
import type { Role } from "../live/entities.js";

const HOME: Record<Role, string> = {
  dispatcher: "console",
  officer: "agency",
  supervisor: "evaluation",
  administrator: "console",
  crew: "crew",
};

/**
 * The wished page when it is a path of this origin, else the home of the role. Anything a browser
 * could read as another origin (`//host`, `/\host`, `https:`) is no path.
 */
export function landing(
  role: Role,
  { city, next, origin }: { city: string; next: string | null; origin: string },
): string {
  const home = `/${encodeURIComponent(city)}/${HOME[role]}`;
  if (next === null || !next.startsWith("/")) return home;
  let wished: URL;
  try {
    wished = new URL(next, origin);
  } catch (error) {
    if (error instanceof TypeError) return home;
    throw error;
  }
  if (wished.origin !== origin) return home;
  return wished.pathname + wished.search + wished.hash;
}
