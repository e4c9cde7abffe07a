import { describe, expect, it } from "vitest";
import { claimsTime, doorName, freshnessOf, onlyHere, placeText, refusalReason } from "./words.js";

describe("words of devices", () => {
  it("says how fresh a message is, and never calls an old one live", () => {
    const now = Date.parse("2026-03-02T12:10:00Z");
    expect(freshnessOf("2026-03-02T12:09:30Z", now, 300)).toBe("live");
    expect(freshnessOf("2026-03-02T12:06:00Z", now, 300)).toBe("old");
    expect(freshnessOf("2026-03-02T12:04:00Z", now, 300)).toBe("silent");
    expect(freshnessOf(null, now, 300)).toBe("never");
  });

  it("shows places and codes a person can read", () => {
    expect(placeText(111.5231, -7.6291)).toBe("-7.62910, 111.52310");
    expect(placeText(null, 1)).toBe("–");
    expect(refusalReason("something_new")).toBe("something new");
    expect(refusalReason("zero")).not.toBe("zero");
    expect(doorName("owntracks")).toBe("OwnTracks");
  });

  it("tells a refused time from a refused place", () => {
    expect(["future", "too_old", "zero", "jump"].filter(claimsTime)).toEqual(["future", "too_old"]);
  });

  it("knows the addresses that no phone can reach", () => {
    const hosts = [
      "127.0.0.1",
      "localhost",
      "[::1]",
      "sigap.example",
      "192.168.1.4",
      "127.example",
    ];
    expect(hosts.filter(onlyHere)).toEqual(["127.0.0.1", "localhost", "[::1]"]);
  });
});
