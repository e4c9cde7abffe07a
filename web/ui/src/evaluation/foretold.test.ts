import { expect, test } from "vitest";
import { m } from "../paraglide/messages.js";
import { biasText } from "./foretold.js";

test("on which side of what was told crews came is said in words, not by a sign", () => {
  const spoken = (seconds: number) => `${seconds} s`;
  expect(biasText(65, spoken)).toBe(m.eval_foretold_later({ duration: "65 s" }));
  expect(biasText(-65, spoken)).toBe(m.eval_foretold_earlier({ duration: "65 s" }));
  expect(biasText(0.2, spoken)).toBe(m.eval_foretold_even());
  expect(biasText(null, spoken)).toBe("–");
});
