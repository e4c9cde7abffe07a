/** Times are written for the reader, and no more exact than they are known. */
import { beforeAll, describe, expect, it, vi } from "vitest";

const sentences = {
  "time.now": "just now",
  "time.minutes": "{count} min ago",
  "time.hours": "{count} h ago",
  "time.days": "{count} days ago",
  "track.eta_past": "past",
  "track.eta_any": "any moment",
  "track.eta_about": "about {minutes}",
  "track.eta_minutes": "{from}-{to}",
};

let moments: typeof import("./moments.js");
beforeAll(async () => {
  vi.stubGlobal("document", {
    querySelector: () => ({ content: { textContent: JSON.stringify(sentences) } }),
    documentElement: { lang: "en" },
  });
  moments = await import("./moments.js");
});

const at = (clock: string) => new Date(`2026-11-22T${clock}Z`);

describe("agoText", () => {
  it.each([
    ["11:59:30", "just now"],
    ["11:45:00", "15 min ago"],
    ["09:00:00", "3 h ago"],
  ])("%s", (clock, text) => {
    expect(moments.agoText(at(clock), at("12:00:00"))).toBe(text);
  });

  it("counts days from two on", () => {
    expect(moments.agoText(new Date("2026-11-19T12:00:00Z"), at("12:00:00"))).toBe("3 days ago");
  });
});

describe("leftText", () => {
  const now = at("12:00:40");
  it.each([
    ["12:08:10", "12:12:50", "8-12"],
    ["12:05:00", "12:05:30", "about 5"],
    ["12:00:50", "12:01:10", "any moment"],
    ["11:50:00", "12:04:00", "0-4"],
    ["11:50:00", "11:59:00", "past"],
  ])("%s to %s", (soonest, latest, text) => {
    expect(moments.leftText(at(soonest), at(latest), now)).toBe(text);
  });
});
