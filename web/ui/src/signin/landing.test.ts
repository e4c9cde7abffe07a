import { expect, it } from "vitest";
import { landing } from "./landing.js";

const at = (next: string | null) => ({ city: "helsinki", next, origin: "https://sigap.example" });

it.each([
  ["dispatcher", "/helsinki/console"],
  ["officer", "/helsinki/agency"],
  ["supervisor", "/helsinki/evaluation"],
  ["administrator", "/helsinki/console"],
  ["crew", "/helsinki/crew"],
] as const)("a %s lands on %s", (role, path) => {
  expect(landing(role, at(null))).toBe(path);
});

it("goes where the person wanted to be", () => {
  expect(landing("supervisor", at("/helsinki/console?x=1#top"))).toBe("/helsinki/console?x=1#top");
});

it.each([
  "https://evil.example/",
  "//evil.example/",
  "/\\evil.example/",
  "/\t/evil.example/",
  "javascript:alert(1)",
  "console",
  "//",
  "",
])("never leaves the origin for %j", (next) => {
  expect(landing("dispatcher", at(next))).toBe("/helsinki/console");
});
