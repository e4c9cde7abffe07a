/** Where the phone is, and an honest word when it may not or cannot know. */
import type { Fix } from "./arrival.js";

export type PositionTrouble = "denied" | "unavailable" | "unsupported" | "insecure";

const seen = $state<{ fix: Fix | null; trouble: PositionTrouble | null }>({
  fix: null,
  trouble: null,
});
let watch: number | null = null;

export function position(): Fix | null {
  return seen.fix;
}

export function positionTrouble(): PositionTrouble | null {
  return seen.trouble;
}

/** Starts following the phone; `each` gets every fix. Safe to call again, also after a refusal. */
export function followPosition(each: (fix: Fix) => void): void {
  if (!window.isSecureContext) {
    seen.trouble = "insecure";
    return;
  }
  if (!("geolocation" in navigator)) {
    seen.trouble = "unsupported";
    return;
  }
  stopFollowing();
  watch = navigator.geolocation.watchPosition(
    (found) => {
      const fix = fixOf(found);
      seen.fix = fix;
      seen.trouble = null;
      each(fix);
    },
    (error) => {
      seen.trouble = error.code === error.PERMISSION_DENIED ? "denied" : "unavailable";
    },
    { enableHighAccuracy: true, maximumAge: 2000, timeout: 30_000 },
  );
}

export function stopFollowing(): void {
  if (watch !== null) navigator.geolocation.clearWatch(watch);
  watch = null;
}

function fixOf(found: GeolocationPosition): Fix {
  const { longitude, latitude, accuracy, heading, speed } = found.coords;
  return {
    lon: longitude,
    lat: latitude,
    accuracy_m: Math.round(accuracy),
    heading: heading === null || Number.isNaN(heading) ? null : heading,
    speed_ms: speed === null || Number.isNaN(speed) ? null : speed,
    fix_time: new Date(found.timestamp).toISOString(),
  };
}
