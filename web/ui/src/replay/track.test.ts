/** A replay goes along the fixes, and never through what nobody has seen. */
import { describe, expect, it } from "vitest";
import { type FixRow, gapOf, neighbour, piecesOf, readTrack, seenAt, shareOf } from "./track.js";

const row = (s: number, lon: number, mock = 0): FixRow => [
  new Date(s * 1000).toISOString(),
  lon,
  60,
  90,
  5,
  8,
  mock,
];
// Ten minutes of silence between the third and the fourth.
const track = readTrack([
  row(0, 24),
  row(10, 24.1),
  row(20, 24.2),
  row(620, 25, 1),
  row(630, 25.1),
]);
const GAP = gapOf(0);

describe("a replay", () => {
  it("is on the line between two fixes", () => {
    const seen = seenAt(track, 15_000, GAP);
    expect(seen?.lon).toBeCloseTo(24.15, 9);
    expect(seen).toMatchObject({ gap: false, age_ms: 5000, mock: false });
  });

  it("waits at the last fix through a gap, and says so", () => {
    const seen = seenAt(track, 300_000, GAP);
    expect(seen).toMatchObject({ lon: 24.2, gap: true, age_ms: 280_000 });
  });

  it("knows nothing before the first fix, and grows old after the last", () => {
    expect(seenAt(track, -1, GAP)).toBeNull();
    expect(seenAt([], 5, GAP)).toBeNull();
    expect(seenAt(track, 640_000, GAP)).toMatchObject({ lon: 25.1, gap: false, mock: false });
    expect(seenAt(track, 900_000, GAP)).toMatchObject({ lon: 25.1, gap: true });
  });

  it("stands exactly on a fix at its time", () => {
    expect(seenAt(track, 620_000, GAP)).toMatchObject({ lon: 25, age_ms: 0, mock: true });
  });

  it("is cut at its gaps, and a thinned one is not cut everywhere", () => {
    expect(piecesOf(track, GAP).map((piece) => piece.length)).toEqual([3, 2]);
    expect(piecesOf([], GAP)).toEqual([]);
    expect(gapOf(60)).toBe(180_000);
    expect(gapOf(1)).toBe(120_000);
  });
});

it("puts a moment on the slider", () => {
  expect([shareOf(5, 0, 10), shareOf(-5, 0, 10), shareOf(50, 0, 10), shareOf(5, 5, 5)]).toEqual([
    0.5, 0, 1, 0,
  ]);
});

it("steps from moment to moment", () => {
  expect(neighbour([10, 20, 30], 20, 1)).toBe(30);
  expect(neighbour([10, 20, 30], 20, -1)).toBe(10);
  expect(neighbour([10, 20, 30], 30, 1)).toBeNull();
});
