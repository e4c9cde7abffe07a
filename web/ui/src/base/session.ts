/** Who is signed in on a desk screen; nobody leads to the sign-in page and back. */
import { ApiError, get } from "../api/client.js";
import type { Role, User } from "../live/entities.js";
import { city } from "./place.js";

/** The address of the sign-in page that returns here afterwards. */
export function signInAddress(): string {
  const next = encodeURIComponent(location.pathname + location.search);
  return `/${encodeURIComponent(city)}/signin?next=${next}`;
}

/**
 * The signed-in person and whether the page is theirs; null when on the way to the sign-in page.
 * Throws ApiError when the server cannot be asked.
 */
export async function whoIsThere(
  allowed: readonly Role[],
): Promise<{ user: User; allowed: boolean } | null> {
  try {
    const { user } = await get<{ user: User }>("/api/session?as=staff");
    return { user, allowed: allowed.includes(user.role) };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    location.replace(signInAddress());
    return null;
  }
}
