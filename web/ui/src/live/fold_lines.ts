/** Folds JSON lines `{state, messages, now?}` from standard input and prints each folded state. */
import { createInterface } from "node:readline";
import { type Durable, foldRow, prune, type Recovery, type Row, recover } from "./fold.js";

interface Line {
  state: Record<string, Row>;
  /** Durable messages, or answers to a subscription, in the order they arrived. */
  messages: (Durable | Recovery)[];
  /** When present (ISO 8601), the result is pruned as a screen would prune it. */
  now?: string;
}

function folded({ state, messages, now }: Line): Record<string, Row> {
  let known: Record<string, Row> = state;
  for (const message of messages) {
    known =
      "recovered" in message
        ? { ...recover({ epoch: null, offset: -1, state: known }, message).state }
        : { ...known, [message.k]: foldRow(known[message.k], message) };
  }
  return now ? { ...prune(known, Date.parse(now)) } : known;
}

for await (const text of createInterface({ input: process.stdin })) {
  if (text.trim()) process.stdout.write(`${JSON.stringify(folded(JSON.parse(text) as Line))}\n`);
}
