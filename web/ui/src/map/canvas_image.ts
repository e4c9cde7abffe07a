/** Draws the map's icons on a canvas at twice their size, sharp on phone screens. */

export const RATIO = 2;

export interface MapImage {
  data: ImageData;
  pixelRatio: number;
}

/** An image of `width`×`height` CSS pixels; `draw` works in CSS pixels. */
export function canvasImage(
  width: number,
  height: number,
  draw: (context: CanvasRenderingContext2D) => void,
): MapImage {
  const canvas = document.createElement("canvas");
  canvas.width = width * RATIO;
  canvas.height = height * RATIO;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("This browser cannot draw on a canvas.");
  context.scale(RATIO, RATIO);
  draw(context);
  return { data: context.getImageData(0, 0, canvas.width, canvas.height), pixelRatio: RATIO };
}
