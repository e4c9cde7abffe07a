/** Draws all crews in one call: bodies, noses and name plates glide together between two fixes. */
import type { CustomLayerInterface, Map as MapLibre } from "maplibre-gl";
import type { Freshness } from "../base/freshness.js";
import type { Theme } from "../base/theme.svelte.js";
import { RATIO } from "./canvas_image.js";
import type { Motion } from "./motion.js";
import {
  CREW_LOOKS,
  CREW_SIZE,
  type CrewLook,
  drawCrew,
  drawLost,
  drawNose,
  drawPlate,
  drawRing,
  drawStale,
} from "./shapes.js";

/** What the layer must know of a crew beside its position. */
export interface CrewMark {
  look: CrewLook;
  freshness: Freshness;
  /** Call sign, and the age of the position unless it is live. */
  label: string;
}

const ATLAS = 2048;
const CELL = CREW_SIZE * RATIO;
const PLATE_W = 100;
const PLATE_H = 18;
const PLATE_COLUMNS = Math.floor(ATLAS / (PLATE_W * RATIO));
const PLATE_ROWS = Math.floor((ATLAS - CELL) / (PLATE_H * RATIO));
const PLATES_FROM_ZOOM = 13.2;
const ALPHA: Record<Freshness, number> = { live: 1, old: 0.8, stale: 0.6, lost: 0.75 };
const OFF_DUTY_ALPHA = 0.5;
/** Cells of the atlas behind the bodies. */
const NOSE = CREW_LOOKS.length;
const RING = NOSE + 1;
const STALE = NOSE + 2;
const LOST = NOSE + 3;
/** Floats per quad: centre, half size, atlas origin, atlas size, turn, alpha. */
const STRIDE = 10;
/** Pictures a second while crews move, when the machine keeps up. */
const FASTEST_MS = 33;
const SLOWEST_MS = 1000;
/** A picture that costs no more than this is drawn at full pace; a dearer one takes an eighth of the time. */
const EASY_MS = 22;
const COST_SHARE = 8;
const PICK_PX = 20;

const VERTEX = `#version 300 es
in vec2 corner; in vec2 centre; in vec2 extent; in vec2 origin; in vec2 size; in vec2 turn_alpha;
uniform vec2 view;
out vec2 uv; out float alpha;
void main() {
  float s = sin(turn_alpha.x), c = cos(turn_alpha.x);
  vec2 offset = mat2(c, s, -s, c) * (corner * extent);
  vec2 clip = (centre + offset) / view * 2.0 - 1.0;
  gl_Position = vec4(clip.x, -clip.y, 0.0, 1.0);
  uv = origin + (corner * 0.5 + 0.5) * size;
  alpha = turn_alpha.y;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D atlas;
in vec2 uv; in float alpha; out vec4 color;
void main() { color = texture(atlas, uv) * alpha; }`;

interface Plate {
  text: string;
  slot: number;
  width: number;
}

export class CrewLayer implements CustomLayerInterface {
  readonly id = "crews";
  readonly type = "custom" as const;
  readonly renderingMode = "2d" as const;
  readonly #motion: Motion;
  readonly #theme: Theme;
  #marks: ReadonlyMap<string, CrewMark> = new Map();
  #selected: string | null = null;
  #map: MapLibre | null = null;
  #program: WebGLProgram | null = null;
  #texture: WebGLTexture | null = null;
  #quads: WebGLBuffer | null = null;
  #vertices: WebGLVertexArrayObject | null = null;
  #data = new Float32Array(512 * STRIDE);
  #count = 0;
  readonly #plates = new Map<string, Plate>();
  readonly #dirtyPlates = new Set<string>();
  #screen = new Map<string, { x: number; y: number }>();
  #timer = 0;
  #pace = FASTEST_MS;

  constructor(motion: Motion, theme: Theme) {
    this.#motion = motion;
    this.#theme = theme;
  }

  /** Replaces what is known of all crews; those missing are no longer drawn. */
  setMarks(marks: ReadonlyMap<string, CrewMark>): void {
    this.#marks = marks;
    for (const id of this.#plates.keys()) if (!marks.has(id)) this.#plates.delete(id);
    for (const [id, { label }] of marks) this.#letter(id, label);
    this.#map?.triggerRepaint();
  }

  select(id: string | null): void {
    this.#selected = id;
    this.#map?.triggerRepaint();
  }

  /** New fixes were taken: keep drawing until every crew has arrived at its own. */
  moved(): void {
    this.#map?.triggerRepaint();
  }

  /** The crew drawn nearest to a point of the map (CSS pixels), if it is under the finger. */
  pick(point: { x: number; y: number }): string | null {
    let best: string | null = null;
    let nearest = PICK_PX;
    for (const [id, { x, y }] of this.#screen) {
      const distance = Math.hypot(x - point.x, y - point.y);
      if (distance < nearest) [best, nearest] = [id, distance];
    }
    return best;
  }

  onAdd(map: MapLibre, gl: WebGL2RenderingContext): void {
    this.#map = map;
    this.#program = link(gl);
    this.#texture = gl.createTexture();
    this.#quads = gl.createBuffer();
    this.#vertices = layOut(gl, this.#program, this.#quads);
    this.#paintBodies(gl);
    for (const id of this.#plates.keys()) this.#dirtyPlates.add(id);
  }

  onRemove(_map: MapLibre, gl: WebGL2RenderingContext): void {
    window.clearTimeout(this.#timer);
    gl.deleteProgram(this.#program);
    gl.deleteTexture(this.#texture);
    gl.deleteBuffer(this.#quads);
    gl.deleteVertexArray(this.#vertices);
    this.#map = null;
  }

  render(gl: WebGL2RenderingContext): void {
    const map = this.#map;
    if (!map || !this.#program) return;
    const now = performance.now();
    this.#place(map, now);
    gl.useProgram(this.#program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    this.#paintPlates(gl);
    gl.uniform1i(gl.getUniformLocation(this.#program, "atlas"), 0);
    const { clientWidth, clientHeight } = map.getCanvas();
    gl.uniform2f(gl.getUniformLocation(this.#program, "view"), clientWidth, clientHeight);
    gl.bindVertexArray(this.#vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#quads);
    gl.bufferData(gl.ARRAY_BUFFER, this.#data.subarray(0, this.#count * STRIDE), gl.DYNAMIC_DRAW);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.#count);
    gl.bindVertexArray(null);
    if (this.#motion.isMoving(now)) this.#again(map, now);
  }

  /** Asks for the next picture, slower on a machine that cannot draw pictures fast. */
  #again(map: MapLibre, drawnAt: number): void {
    if (this.#timer) return;
    this.#timer = window.setTimeout(
      () => {
        this.#timer = 0;
        const asked = performance.now();
        map.once("render", () => {
          window.requestAnimationFrame(() => {
            const cost = performance.now() - asked;
            this.#pace = cost < EASY_MS ? FASTEST_MS : Math.min(SLOWEST_MS, cost * COST_SHARE);
          });
        });
        map.triggerRepaint();
      },
      Math.max(0, this.#pace - (performance.now() - drawnAt)),
    );
  }

  #place(map: MapLibre, now: number): void {
    this.#count = 0;
    const screen = new Map<string, { x: number; y: number }>();
    const plates = map.getZoom() >= PLATES_FROM_ZOOM;
    for (const [id, mark] of this.#marks) {
      const shown = this.#motion.at(id, now);
      if (!shown) continue;
      const { x, y } = map.project([shown.lon, shown.lat]);
      screen.set(id, { x, y });
      const off = mark.look === "not_available";
      const doubtful = !off && (mark.freshness === "stale" || mark.freshness === "lost");
      const alpha = off ? OFF_DUTY_ALPHA : ALPHA[mark.freshness];
      const half = CREW_SIZE / 2;
      const selected = id === this.#selected;
      if (selected) this.#cell(x, y, RING, 0, 1);
      if (mark.look === "driving" && shown.heading !== null && !doubtful) {
        const turn = ((shown.heading - map.getBearing()) * Math.PI) / 180;
        this.#cell(x, y, NOSE, turn, alpha);
      }
      const body = doubtful && mark.freshness === "lost" ? LOST : CREW_LOOKS.indexOf(mark.look);
      this.#cell(x, y, body, 0, alpha);
      if (doubtful) this.#cell(x, y, STALE, 0, 1);
      if (plates || selected || doubtful) this.#plate(id, x, y + half + 1, Math.max(alpha, 0.8));
    }
    this.#screen = screen;
  }

  #cell(x: number, y: number, index: number, turn: number, alpha: number): void {
    const half = CREW_SIZE / 2;
    this.#quad([
      x,
      y,
      half,
      half,
      (index * CELL) / ATLAS,
      0,
      CELL / ATLAS,
      CELL / ATLAS,
      turn,
      alpha,
    ]);
  }

  #plate(id: string, x: number, y: number, alpha: number): void {
    const plate = this.#plates.get(id);
    if (!plate) return;
    const [u, v] = plateOrigin(plate.slot);
    const width = (plate.width * RATIO) / ATLAS;
    const height = (PLATE_H * RATIO) / ATLAS;
    this.#quad([x, y, plate.width / 2, PLATE_H / 2, u / ATLAS, v / ATLAS, width, height, 0, alpha]);
  }

  #quad(values: number[]): void {
    if ((this.#count + 1) * STRIDE > this.#data.length) {
      const larger = new Float32Array(this.#data.length * 2);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data.set(values, this.#count * STRIDE);
    this.#count += 1;
  }

  #letter(id: string, text: string): void {
    const known = this.#plates.get(id);
    if (known?.text === text) return;
    const slot = known?.slot ?? this.#freeSlot();
    if (slot === null) return;
    this.#plates.set(id, { text, slot, width: 0 });
    this.#dirtyPlates.add(id);
  }

  #freeSlot(): number | null {
    const taken = new Set([...this.#plates.values()].map(({ slot }) => slot));
    for (let slot = 0; slot < PLATE_COLUMNS * PLATE_ROWS; slot++) if (!taken.has(slot)) return slot;
    return null;
  }

  #paintBodies(gl: WebGL2RenderingContext): void {
    const canvas = document.createElement("canvas");
    canvas.width = ATLAS;
    canvas.height = CELL;
    const g = context(canvas);
    const draws = [
      ...CREW_LOOKS.map((look) => () => drawCrew(g, look, this.#theme)),
      () => drawNose(g, this.#theme),
      () => drawRing(g, this.#theme),
      () => drawStale(g, this.#theme),
      () => drawLost(g, this.#theme),
    ];
    draws.forEach((draw, index) => {
      g.setTransform(RATIO, 0, 0, RATIO, index * CELL, 0);
      draw();
    });
    gl.bindTexture(gl.TEXTURE_2D, this.#texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, ATLAS, ATLAS, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    upload(gl, canvas, 0, 0);
  }

  #paintPlates(gl: WebGL2RenderingContext): void {
    for (const id of this.#dirtyPlates) {
      const plate = this.#plates.get(id);
      if (!plate) continue;
      const canvas = document.createElement("canvas");
      canvas.width = PLATE_W * RATIO;
      canvas.height = PLATE_H * RATIO;
      const g = context(canvas);
      g.scale(RATIO, RATIO);
      plate.width = drawPlate(g, plate.text, this.#theme, PLATE_W);
      upload(gl, canvas, ...plateOrigin(plate.slot));
    }
    this.#dirtyPlates.clear();
  }
}

function plateOrigin(slot: number): [number, number] {
  return [
    (slot % PLATE_COLUMNS) * PLATE_W * RATIO,
    CELL + Math.floor(slot / PLATE_COLUMNS) * PLATE_H * RATIO,
  ];
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const g = canvas.getContext("2d");
  if (!g) throw new Error("This browser cannot draw on a canvas.");
  return g;
}

function upload(gl: WebGL2RenderingContext, canvas: HTMLCanvasElement, x: number, y: number): void {
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
  gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
  gl.texSubImage2D(gl.TEXTURE_2D, 0, x, y, gl.RGBA, gl.UNSIGNED_BYTE, canvas);
}

function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind);
    if (!shader) throw new Error("The map lost its drawing context.");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`The crew layer cannot be drawn: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}

/** Four corners shared by all quads, and per quad STRIDE floats. */
function layOut(
  gl: WebGL2RenderingContext,
  program: WebGLProgram,
  quads: WebGLBuffer | null,
): WebGLVertexArrayObject {
  const vertices = gl.createVertexArray();
  gl.bindVertexArray(vertices);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
  const corner = gl.getAttribLocation(program, "corner");
  gl.enableVertexAttribArray(corner);
  gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
  gl.bindBuffer(gl.ARRAY_BUFFER, quads);
  ["centre", "extent", "origin", "size", "turn_alpha"].forEach((name, index) => {
    const location = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, 2, gl.FLOAT, false, STRIDE * 4, index * 8);
    gl.vertexAttribDivisor(location, 1);
  });
  gl.bindVertexArray(null);
  return vertices;
}
