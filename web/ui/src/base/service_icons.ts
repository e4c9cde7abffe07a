/** One drawing per kind of problem (24×24 strokes); the names come from the city's policy. */
export const serviceIcons: Record<string, string> = {
  tree: "M12 21.5V14M12 2.5l5 6.5h-2.5l4 6h-13l4-6H7z",
  flood:
    "M5 11.5l7-6.5 7 6.5M2.5 15c2.4 0 2.4 1.6 4.75 1.6S9.6 15 12 15s2.4 1.6 4.75 1.6S19.1 15 21.5 15M2.5 19.5c2.4 0 2.4 1.6 4.75 1.6s2.35-1.6 4.75-1.6 2.4 1.6 4.75 1.6 2.35-1.6 4.75-1.6",
  bridge:
    "M2.5 9h19M2.5 13h6l1.5 3M21.5 13h-6l-1.5 3M5.5 9v4M18.5 9v4M5.5 13v7M18.5 13v7M12 3v3M12 19v2.5",
  traffic_light: "M8 2.5h8v15H8zM12 17.5V22M12 6v.1M12 10v.1M12 14v.1",
  street_light:
    "M6 22V6.5a3.5 3.5 0 0 1 7 0V8M9.3 11.5a3.7 3.7 0 0 1 7.4 0zM13 15v2.5M9.5 14.5l-1 2M16.5 14.5l1 2",
  pothole:
    "M3.5 21L8 3M20.5 21L16 3M12 3v3.5M7.8 15.5c0-1.7 1.9-2.7 4.2-2.7s4.2 1 4.2 2.7-1.9 2.7-4.2 2.7-4.2-1-4.2-2.7z",
  drain: "M3.5 4.5h17v6h-17zM8 4.5v6M12 4.5v6M16 4.5v6M7.5 14v4M12 14v6.5M16.5 14v4",
  water: "M12 2.5s6.5 7.2 6.5 12a6.5 6.5 0 0 1-13 0c0-4.8 6.5-12 6.5-12z",
  waste: "M4.5 7h15M9.5 7V4h5v3M6.5 7l1 14h9l1-14M10 11v6M14 11v6",
  order: "M12 2.5l8 3v6c0 5-3.5 8.5-8 10-4.5-1.5-8-5-8-10v-6zM12 7.5v5M12 16v.1",
  parking: "M8 21.5V3.5h5.5a4.8 4.8 0 0 1 0 9.6H8",
  billboard: "M3 4h18v10H3zM8 14v7.5M16 14v7.5M7 9h10",
  wifi: "M2.5 9.5a14 14 0 0 1 19 0M6 13.3a9 9 0 0 1 12 0M9.3 16.9a4.2 4.2 0 0 1 5.4 0M12 20.3v.1",
  other: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.5 9.5A2.5 2.5 0 1 1 12 12.5V14M12 17v.1",
};

/** The strokes for a service's icon name; an unknown name gets the neutral dots. */
export function serviceIcon(name: string | undefined): string {
  return serviceIcons[name ?? "other"] ?? serviceIcons.other ?? "";
}
