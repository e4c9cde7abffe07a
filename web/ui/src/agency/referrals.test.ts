import { expect, it } from "vitest";
import { type Handed, isStuck, orderedNumbers, sorted } from "./referrals.js";

function handed(id: string, status: Handed["status"], minute: number, priority = 2): Handed {
  const at = new Date(Date.UTC(2026, 10, 22, 5, minute)).toISOString();
  return {
    id,
    status,
    referred_at: at,
    changed_at: at,
    accepted_at: null,
    finished_at: null,
    reason: null,
    incident: { priority },
  } as unknown as Handed;
}

const ids = (list: Handed[]) => list.map((one) => one.id);

it("puts urgent before old and the newest ending first", () => {
  const { made, accepted, ended } = sorted([
    handed("new", "made", 20),
    handed("old", "made", 1),
    handed("urgent", "made", 30, 1),
    handed("run", "accepted", 5),
    handed("first", "finished", 2),
    handed("last", "refused", 9),
    handed("gone", "withdrawn", 4),
  ]);
  expect(ids(made)).toEqual(["urgent", "old", "new"]);
  expect(ids(accepted)).toEqual(["run"]);
  expect(ids(ended)).toEqual(["last", "gone", "first"]);
});

it("breaks ties by id", () => {
  expect(ids(sorted([handed("b", "made", 1), handed("a", "made", 1)]).made)).toEqual(["a", "b"]);
});

it("calls only an unanswered referral stuck", () => {
  const later = Date.UTC(2026, 10, 22, 5, 31);
  expect(isStuck(handed("a", "made", 0), later)).toBe(true);
  expect(isStuck(handed("a", "made", 2), later)).toBe(false);
  expect(isStuck(handed("a", "accepted", 0), later)).toBe(false);
});

it("orders the numbers as an officer reads them", () => {
  expect(orderedNumbers({ zebra: 1, finished: 2, made: 3 }).map(([key]) => key)).toEqual([
    "made",
    "finished",
    "zebra",
  ]);
});
