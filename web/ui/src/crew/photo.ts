/** Makes a camera picture small enough for a bad network before it is queued. */

const LONGEST_SIDE_PX = 1600;
const QUALITY = 0.8;

/** Width and height that fit into a square of `longest` pixels, never enlarged. */
export function fitted(width: number, height: number, longest = LONGEST_SIDE_PX) {
  const scale = Math.min(1, longest / Math.max(width, height, 1));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** A JPEG of at most 1600 px a side, turned upright; rejects when the file is no picture. */
export async function smaller(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    const { width, height } = fitted(picture.width, picture.height);
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext("2d");
    if (pen === null) throw new Error("no 2d canvas");
    pen.drawImage(picture, 0, 0, width, height);
    return await asJpeg(canvas);
  } finally {
    picture.close();
  }
}

function asJpeg(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error("no jpeg")) : resolve(blob)),
      "image/jpeg",
      QUALITY,
    );
  });
}
