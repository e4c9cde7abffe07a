import { describe, expect, it } from "vitest";
import { overwriteGetLocale } from "../paraglide/runtime.js";
import { partsOf, sumOf, termsWords } from "./terms.js";

overwriteGetLocale(() => "id");

describe("the bar of a cost", () => {
  const terms = { late: 0.5, tardy: 0, travel: 0.25, switch: -0.1 };
  it("shows what costs something, by its share of the dearest candidate", () => {
    expect(sumOf(terms)).toBe(0.75);
    expect(partsOf(terms, 1.5)).toEqual([
      { term: "late", value: 0.5, width: 0.5 / 1.5 },
      { term: "travel", value: 0.25, width: 0.25 / 1.5 },
    ]);
  });
  it("says every term that is not nothing", () => {
    expect(termsWords(terms)).toMatch(/0[.,]50.*0[.,]25.*-?0[.,]10/);
    expect(sumOf(null)).toBe(0);
  });
});
