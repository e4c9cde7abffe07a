/** Lost permission reaches the dispatcher, also from a dead zone, and so does its return. */
import { expect, it } from "vitest";
import type { Outcome } from "./outbox.js";
import { TroubleTeller } from "./trouble_teller.js";

type Trouble = "denied" | "unavailable";

function phone(answers: Outcome["kind"][] = []) {
  const sent: [Trouble | null, string][] = [];
  let later: (() => void) | null = null;
  let keys = 0;
  const teller = new TroubleTeller<Trouble>({
    async send(trouble, _at, key) {
      sent.push([trouble, key]);
      return { kind: answers.shift() ?? "done" } as Outcome;
    },
    newKey: () => `key-${++keys}`,
    chance: () => 0,
    after(_ms, run) {
      later = run;
      return () => {
        later = null;
      };
    },
    now: () => 0,
  });
  return { teller, sent, wait: () => later?.(), waits: () => later !== null };
}
const settle = () => new Promise((done) => setTimeout(done));

it("tells a change once, and its end", async () => {
  const { teller, sent } = phone();
  teller.heard(null);
  teller.say(null);
  teller.say("denied");
  teller.say("denied");
  await settle();
  teller.say("denied");
  teller.say(null);
  await settle();
  expect(sent.map(([trouble]) => trouble)).toEqual(["denied", null]);
});

it("repeats what got no answer under the same key", async () => {
  const { teller, sent, wait, waits } = phone(["later"]);
  teller.say("denied");
  await settle();
  expect(waits()).toBe(true);
  wait();
  await settle();
  expect(sent).toEqual([
    ["denied", "key-1"],
    ["denied", "key-1"],
  ]);
  expect(waits()).toBe(false);
});

it("lets the newest news overtake what was not told yet", async () => {
  const { teller, sent, wait } = phone(["later"]);
  teller.say("denied");
  await settle();
  teller.say("unavailable");
  wait();
  await settle();
  expect(sent.at(-1)).toEqual(["unavailable", "key-2"]);
});

it("believes the server when another phone has told it", async () => {
  const { teller, sent } = phone();
  teller.heard("denied");
  teller.say("denied");
  await settle();
  expect(sent).toEqual([]);
  teller.say(null);
  await settle();
  expect(sent.map(([trouble]) => trouble)).toEqual([null]);
});
