/** Hands the destination to a navigation app on the phone. */

export interface Destination {
  lon: number;
  lat: number;
  label: string;
}

/** RFC 5870 with the `q` query that Android's map apps read as a labelled pin. */
export function geoLink({ lon, lat, label }: Destination): string {
  const at = `${lat.toFixed(6)},${lon.toFixed(6)}`;
  // Brackets end the label in the map apps that read it.
  const name = label.replaceAll(/[()]/g, " ").trim();
  return `geo:${at}?q=${at}(${encodeURIComponent(name)})`;
}

/** Google's universal directions link: the app where installed, else the web page. */
export function googleLink({ lon, lat }: Destination): string {
  const to = encodeURIComponent(`${lat.toFixed(6)},${lon.toFixed(6)}`);
  return `https://www.google.com/maps/dir/?api=1&destination=${to}&travelmode=driving&dir_action=navigate`;
}

/** `-7.629800, 111.523900`: what people read over a radio. */
export function coordinates({ lon, lat }: { lon: number; lat: number }): string {
  return `${lat.toFixed(6)}, ${lon.toFixed(6)}`;
}
