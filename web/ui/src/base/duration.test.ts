import { expect, test } from "vitest";
import { m } from "../paraglide/messages.js";
import { durationRange } from "./words.js";

test("a time of arrival is a range, in both languages", () => {
  expect(m.minutes_range({ from: 8, to: 13 }, { locale: "id" })).toBe("8–13 mnt");
  expect(m.minutes_range({ from: 8, to: 13 }, { locale: "en" })).toBe("8–13 min");
  expect(durationRange(480, 780)).toBe(m.minutes_range({ from: 8, to: 13 }));
  expect(durationRange(30, 200)).toBe(m.minutes_range({ from: 1, to: 3 }));
});

test("where both ends are alike, or one is unknown, it is a single time", () => {
  expect(durationRange(480, 490)).toBe(m.minutes_short({ n: 8 }));
  expect(durationRange(480, null)).toBe(m.minutes_short({ n: 8 }));
  expect(durationRange(20, 25)).toBe(m.seconds_short({ n: 20 }));
  expect(durationRange(7300, 9000)).toBe(m.hours_short({ n: 2 }));
});
