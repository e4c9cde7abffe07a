/** How a crew, an incident or a report looks on the map: shape and icon carry the meaning, colour helps. */
import { icons } from "../base/icons.js";
import { serviceIcon } from "../base/service_icons.js";
import type { Theme } from "../base/theme.svelte.js";
import { canvasImage, type MapImage } from "./canvas_image.js";

export type CrewLook =
  | "available"
  | "conditional"
  | "offered"
  | "driving"
  | "on_scene"
  | "not_available";
export type Urgency = "calm" | "soon" | "late" | "done";
export type IncidentLook = "pending" | "dispatched" | "on_scene" | "done";

const TONES: Record<Theme, Record<CrewLook | Urgency | "report" | "ink" | "paper", string>> = {
  light: {
    available: "#0b6b66",
    conditional: "#5a6b00",
    offered: "#9a5b00",
    driving: "#1b5596",
    on_scene: "#166b3c",
    not_available: "#66757a",
    calm: "#0b5a56",
    soon: "#b36b00",
    late: "#b3211a",
    done: "#66757a",
    report: "#5b3fa0",
    ink: "#12201f",
    paper: "#ffffff",
  },
  dark: {
    available: "#128a83",
    conditional: "#7a8a1a",
    offered: "#b9770f",
    driving: "#2f74c0",
    on_scene: "#1f8a50",
    not_available: "#5f6f76",
    calm: "#12807a",
    soon: "#b97410",
    late: "#d0382e",
    done: "#5f6f76",
    report: "#7b61c9",
    ink: "#0b1315",
    paper: "#f4fafa",
  },
};

const CREW_ICON: Record<CrewLook, string> = {
  available: icons.crew,
  conditional: icons.pause,
  offered: icons.bell,
  driving: icons.crew,
  on_scene: icons.wrench,
  not_available: icons.minus,
};

export const CREW_SIZE = 48;
export const CREW_LOOKS = Object.keys(CREW_ICON) as CrewLook[];

/** Strokes a 24×24 icon of `size` pixels centred on (x, y). */
function stroke(
  g: CanvasRenderingContext2D,
  d: string,
  [x, y, size]: [number, number, number],
  color: string,
  weight = 2.2,
): void {
  g.save();
  g.translate(x - size / 2, y - size / 2);
  g.scale(size / 24, size / 24);
  g.lineWidth = weight;
  g.lineCap = "round";
  g.lineJoin = "round";
  g.strokeStyle = color;
  g.stroke(new Path2D(d));
  g.restore();
}

/** Draws a crew's body into a CREW_SIZE square: a disc, a square on scene, a hollow disc off duty. */
export function drawCrew(g: CanvasRenderingContext2D, look: CrewLook, theme: Theme): void {
  const tones = TONES[theme];
  const c = CREW_SIZE / 2;
  const hollow = look === "not_available";
  g.beginPath();
  if (look === "on_scene") g.roundRect(c - 12, c - 12, 24, 24, 6);
  else if (look === "offered") g.roundRect(c - 12.5, c - 12.5, 25, 25, 9);
  else g.arc(c, c, 12.5, 0, 2 * Math.PI);
  g.shadowColor = "rgb(0 20 20 / 0.45)";
  g.shadowBlur = 5;
  g.shadowOffsetY = 1.5;
  g.fillStyle = hollow ? tones.paper : tones[look];
  g.fill();
  g.shadowColor = "transparent";
  g.lineWidth = 2;
  g.strokeStyle = hollow ? tones.not_available : tones.paper;
  g.stroke();
  stroke(g, CREW_ICON[look], [c, c, 15], hollow ? tones.not_available : tones.paper, 2.4);
}

/** The nose of a driving crew, pointing north; the layer turns it to the heading. */
export function drawNose(g: CanvasRenderingContext2D, theme: Theme): void {
  const c = CREW_SIZE / 2;
  g.beginPath();
  g.moveTo(c, 1.5);
  g.lineTo(c + 9, 14);
  g.lineTo(c - 9, 14);
  g.closePath();
  g.fillStyle = TONES[theme].driving;
  g.fill();
  g.lineWidth = 1.2;
  g.strokeStyle = TONES[theme].paper;
  g.stroke();
}

/** The ring around what is selected. */
export function drawRing(g: CanvasRenderingContext2D, theme: Theme): void {
  const c = CREW_SIZE / 2;
  g.beginPath();
  g.arc(c, c, 17.5, 0, 2 * Math.PI);
  g.lineWidth = 3.5;
  g.strokeStyle = TONES[theme].paper;
  g.stroke();
  g.lineWidth = 2;
  g.strokeStyle = theme === "dark" ? "#7ad9d0" : "#084643";
  g.stroke();
}

/** The broken ring around a crew whose position is too old to trust. */
export function drawStale(g: CanvasRenderingContext2D, theme: Theme): void {
  const c = CREW_SIZE / 2;
  g.beginPath();
  g.arc(c, c, 17, 0, 2 * Math.PI);
  g.lineWidth = 4;
  g.strokeStyle = TONES[theme].paper;
  g.stroke();
  g.setLineDash([5, 4]);
  g.lineWidth = 2.5;
  g.strokeStyle = TONES[theme].soon;
  g.stroke();
  g.setLineDash([]);
}

/** A crew that nobody has heard of for long: where it was, not where it is. */
export function drawLost(g: CanvasRenderingContext2D, theme: Theme): void {
  const c = CREW_SIZE / 2;
  g.beginPath();
  g.arc(c, c, 12.5, 0, 2 * Math.PI);
  g.fillStyle = TONES[theme].paper;
  g.fill();
  g.lineWidth = 2;
  g.strokeStyle = TONES[theme].not_available;
  g.stroke();
  const question = "M8 9a4 4 0 1 1 5.5 3.7c-1 .6-1.5 1.2-1.5 2.3M12 19.5v.1";
  stroke(g, question, [c, c, 19], TONES[theme].late, 2.6);
}

/** A crew's name plate, drawn from the left edge; returns its width in CSS pixels. */
export function drawPlate(
  g: CanvasRenderingContext2D,
  text: string,
  theme: Theme,
  limit: number,
): number {
  g.font = "600 11px 'Inter SemiBold', sans-serif";
  const width = Math.min(limit, Math.ceil(g.measureText(text).width) + 10);
  g.beginPath();
  g.roundRect(0.5, 0.5, width - 1, 17, 5);
  g.fillStyle = theme === "dark" ? "rgb(11 19 21 / 0.86)" : "rgb(255 255 255 / 0.92)";
  g.fill();
  g.lineWidth = 1;
  g.strokeStyle = theme === "dark" ? "rgb(255 255 255 / 0.18)" : "rgb(8 40 40 / 0.22)";
  g.stroke();
  g.fillStyle = theme === "dark" ? "#e8f0f0" : "#12201f";
  g.textBaseline = "middle";
  g.fillText(text, 5, 9.5, width - 10);
  return width;
}

/** `incident|<icon>|<look>|<urgency>` or `report|<icon>`; null for any other name. */
export function markerImage(id: string, theme: Theme): MapImage | null {
  const [thing, icon, look, urgency] = id.split("|");
  if (thing === "incident") {
    return incidentPin(icon, look as IncidentLook, urgency as Urgency, theme);
  }
  if (thing === "report") return reportBubble(icon, theme);
  return null;
}

/** A drop pin; badges say “crew sent”, “crew there”, “promise broken”. */
function incidentPin(
  icon: string | undefined,
  look: IncidentLook,
  urgency: Urgency,
  theme: Theme,
): MapImage {
  const tones = TONES[theme];
  return canvasImage(44, 50, (g) => {
    g.beginPath();
    g.moveTo(22, 47);
    g.bezierCurveTo(16, 40, 7, 33, 7, 21);
    g.arc(22, 21, 15, Math.PI, 0);
    g.bezierCurveTo(37, 33, 28, 40, 22, 47);
    g.closePath();
    g.shadowColor = "rgb(0 20 20 / 0.4)";
    g.shadowBlur = 5;
    g.shadowOffsetY = 1.5;
    g.fillStyle = tones[urgency];
    g.fill();
    g.shadowColor = "transparent";
    g.lineWidth = 2;
    g.strokeStyle = tones.paper;
    g.stroke();
    stroke(g, serviceIcon(icon), [22, 21, 17], tones.paper, 2.3);
    if (urgency === "late") badge(g, [9, 9], tones.late, tones.paper, "M12 4v11M12 20v.1");
    else if (urgency === "soon") badge(g, [9, 9], tones.soon, tones.paper, "M12 4v8l5 3");
    if (look === "dispatched") badge(g, [35, 9], tones.driving, tones.paper, icons.arrow_right);
    if (look === "on_scene") badge(g, [35, 9], tones.on_scene, tones.paper, icons.check);
  });
}

function badge(
  g: CanvasRenderingContext2D,
  [x, y]: [number, number],
  fill: string,
  paper: string,
  d: string,
): void {
  g.beginPath();
  g.arc(x, y, 8, 0, 2 * Math.PI);
  g.fillStyle = paper;
  g.fill();
  g.beginPath();
  g.arc(x, y, 6.6, 0, 2 * Math.PI);
  g.fillStyle = fill;
  g.fill();
  stroke(g, d, [x, y, 9.5], paper, 3.6);
}

/** A speech bubble: somebody says so, nobody has verified it yet. */
function reportBubble(icon: string | undefined, theme: Theme): MapImage {
  const tones = TONES[theme];
  return canvasImage(40, 42, (g) => {
    g.beginPath();
    g.roundRect(5, 4, 30, 28, 8);
    g.moveTo(15, 32);
    g.lineTo(20, 39);
    g.lineTo(25, 32);
    g.shadowColor = "rgb(0 20 20 / 0.4)";
    g.shadowBlur = 4;
    g.shadowOffsetY = 1.5;
    g.fillStyle = tones.report;
    g.fill();
    g.shadowColor = "transparent";
    g.beginPath();
    g.roundRect(7, 6, 26, 24, 6);
    g.fillStyle = tones.paper;
    g.fill();
    stroke(g, serviceIcon(icon), [20, 18, 17], tones.report, 2.3);
  });
}
