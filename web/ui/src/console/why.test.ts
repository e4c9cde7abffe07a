import { describe, expect, it } from "vitest";
import type { Decision } from "../api/shapes.js";
import { decisionOf } from "./why.js";

const made = (t: string, at: string, assignment_id: string | null): Decision =>
  ({ t, at, assignment_id }) as Decision;

describe("the decision somebody asks about", () => {
  const log = [
    made("RecommendationMade", "1", null),
    made("AssignmentOffered", "2", "a"),
    made("RecommendationMade", "3", null),
    made("AssignmentOffered", "4", "b"),
  ];
  it("is the offer itself, the recommendation of a moment, or the newest one", () => {
    expect(decisionOf(log, { assignment: "b" })?.at).toBe("4");
    expect(decisionOf(log, { at: "1" })?.at).toBe("1");
    expect(decisionOf(log, "newest")?.at).toBe("3");
    expect(decisionOf(log, { assignment: "c" })).toBeNull();
    expect(decisionOf([], "newest")).toBeNull();
  });
});
