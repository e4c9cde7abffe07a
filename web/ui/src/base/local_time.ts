/** Moments in the form that a browser's own date-and-time field takes: local, to the minute. */

const two = (n: number): string => String(n).padStart(2, "0");

export function toLocal(iso: string | null): string {
  if (iso === null) return "";
  const at = new Date(iso);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Null for an empty field. */
export function fromLocal(value: string): string | null {
  return value === "" ? null : new Date(value).toISOString();
}
