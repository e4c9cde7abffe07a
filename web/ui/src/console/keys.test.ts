/** One key is one command, and never while somebody writes. */
import { expect, it } from "vitest";
import { commandOf } from "./keys.js";

const press = (key: string, more = {}) =>
  commandOf({
    key,
    ctrlKey: false,
    altKey: false,
    metaKey: false,
    on: "body",
    repeat: false,
    ...more,
  });

it("knows its keys", () => {
  expect(["v", "V", "s", "Enter", "/", "?", "Escape"].map((key) => press(key))).toEqual([
    "verify",
    "verify",
    "send",
    "main",
    "search",
    "help",
    "close",
  ]);
  expect(press("q")).toBeNull();
});

it("leaves writing and the browser's own shortcuts alone", () => {
  expect(press("a", { on: "textarea" })).toBeNull();
  expect(press("/", { on: "input" })).toBeNull();
  expect(press("a", { ctrlKey: true })).toBeNull();
});

it("leaves Enter to the focused button and does nothing twice for a held key", () => {
  expect(press("Enter", { on: "button" })).toBeNull();
  expect(press("s", { repeat: true })).toBeNull();
  expect(press("j", { repeat: true })).toBe("next");
});
