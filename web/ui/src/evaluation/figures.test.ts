import { expect, it } from "vitest";
import {
  csv,
  type Evaluation,
  type Figure,
  type Figures,
  hits,
  scaleEnd,
  ticks,
} from "./figures.js";
import { dayOf, namedPeriod, ownPeriod } from "./period.js";

const some: Figure = { n: 8, missing: 2, p50_s: 612.5, p90_s: 1500, mean_s: 700.12345 };
const none: Figure = { n: 0, missing: 3, p50_s: null, p90_s: null, mean_s: null };
const figures: Figures = {
  total_response: { ...some, within_target: 0.75 },
  processing: some,
  turnout: some,
  travel: some,
  on_scene: none,
  commitment: none,
};
const evaluation: Evaluation = {
  from: "2026-11-21T00:00:00Z",
  to: "2026-11-22T00:00:00Z",
  offset: 4711,
  target_s: 1200,
  definitions: [{ name: "total_response", from: "received_at", to: "arrived_at" }],
  overall: figures,
  arrivals: [],
  foretold: { n: 0, left_out: 0, mae_s: null, bias_s: null, within_p50: null, within_p90: null },
  groups: [{ key: "tree", ...figures }],
  log_hash: "abc",
};

it("turns a share back into incidents", () => {
  expect(hits(figures.total_response)).toBe(6);
  expect(hits(some)).toBeNull();
});

it("ends the scale beyond every figure and the target", () => {
  expect(scaleEnd([none], 1200)).toBe(25 * 60);
  expect(scaleEnd([{ ...some, p90_s: 3700 }], 1200)).toBe(75 * 60);
  expect(ticks(25 * 60)).toEqual([0, 5, 10, 15, 20, 25].map((minute) => minute * 60));
});

it("writes every interval of every group with its source", () => {
  const lines = csv(evaluation, "service", () => 'Pohon "besar", tumbang').split("\r\n");
  expect(lines).toHaveLength(1 + 12 + 1);
  expect(lines[1]).toBe(
    "all,,,total_response,received_at,arrived_at,8,2,612.5,1500,700.1235,0.75,1200," +
      "2026-11-21T00:00:00Z,2026-11-22T00:00:00Z,4711,abc",
  );
  expect(lines[7]).toContain('service,tree,"Pohon ""besar"", tumbang",total_response,');
  expect(lines[5]).toContain(",on_scene,,,0,3,,,,,");
});

it("disarms what a spreadsheet would run", () => {
  expect(csv(evaluation, "district", () => "=HYPERLINK(1)")).toContain(",'=HYPERLINK(1),");
});

it("knows periods by whole days and minutes", () => {
  const now = Date.UTC(2026, 10, 22, 5, 0, 30);
  expect(namedPeriod("24h", now)).toEqual({
    from: "2026-11-21T05:01:00Z",
    to: "2026-11-22T05:01:00Z",
  });
  const one = ownPeriod("2026-11-01", "2026-11-01");
  expect(one).not.toBeNull();
  expect(Date.parse(one?.to ?? "") - Date.parse(one?.from ?? "")).toBe(24 * 3600 * 1000);
  expect(ownPeriod("2026-11-02", "2026-11-01")).toBeNull();
  expect(ownPeriod("2026-02-31", "2026-03-01")).toBeNull();
  expect(ownPeriod("", "2026-03-01")).toBeNull();
  expect(dayOf(new Date(2026, 0, 5).getTime())).toBe("2026-01-05");
});
