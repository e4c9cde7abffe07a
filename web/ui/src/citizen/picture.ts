/** The strokes of the few icons that scripts draw themselves; the same shapes as the pages'. */

const PATHS = {
  close: "M5 5l14 14M19 5L5 19",
  crew: "M2.5 16V7h11v9M13.5 10h4.5l3.5 3.5V16M2.5 16H5M9 16h6M19 16h2.5M7 14a2.2 2.2 0 1 0 0 4.4A2.2 2.2 0 0 0 7 14zM17 14a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5.5M12 7.5v.1",
  pin: "M12 2.5a7 7 0 0 0-7 7c0 5 7 12 7 12s7-7 7-12a7 7 0 0 0-7-7zM12 7a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
} as const;

const SVG = "http://www.w3.org/2000/svg";

/** One decorative icon. */
export function picture(name: keyof typeof PATHS, size = 20): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const attributes: Record<string, string> = {
    class: "icon",
    width: String(size),
    height: String(size),
    viewBox: "0 0 24 24",
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "2",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": "true",
  };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A line of words with an icon before it. */
export function note(text: string, kind: "info" | "warn" = "info"): HTMLParagraphElement {
  const line = document.createElement("p");
  line.className = kind === "warn" ? "note warn" : "note";
  const words = document.createElement("span");
  words.textContent = text;
  line.append(picture("info", 18), words);
  return line;
}
