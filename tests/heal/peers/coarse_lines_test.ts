import assert from "node:assert/strict";
import { CoarseLines, knowledgeOf, type KnownLine } from "../../../lib/heal/peers/coarse_lines.ts";
import { LineSight } from "../../../lib/heal/peers/seen_line.ts";
import { lineAt } from "./peer_rig.ts";

const FLY = ',"flightlog":{"healed":"fly","id":"7"}';

function known(
  time: string,
  { message = "m", instance = "0e28" as string | null, more = FLY } = {},
): KnownLine {
  const bytes = new TextEncoder().encode(lineAt(time, message, { instance, more }));
  const seen = new LineSight(null).see(bytes, 0, bytes.length);
  assert.ok(seen.kind === "record");
  return { bytes, ...seen };
}

function whole(time: string, instance = "0e28"): KnownLine {
  return known(time, { instance, more: "" });
}

Deno.test("CoarseLines.take() takes what agrees in the decimals that both have, once", () => {
  const lines = new CoarseLines();
  const ours = known("10:00:00.123");
  lines.add(ours);
  assert.equal(lines.take(whole("10:00:00.124")), null);
  assert.equal(lines.take(whole("10:00:00.123456789")), ours.key);
  assert.equal(lines.take(whole("10:00:00.123456789")), null);
});

Deno.test("CoarseLines.take() compares six decimals where both have as many", () => {
  const lines = new CoarseLines();
  lines.add(whole("10:00:00.123456789"));
  assert.equal(lines.take(known("10:00:00.123457")), null);
  assert.notEqual(lines.take(known("10:00:00.123456")), null);
});

Deno.test("CoarseLines.take() tells instances apart where both know theirs", () => {
  const lines = new CoarseLines();
  lines.add(whole("10:00:00.123456789", "9999"));
  assert.equal(lines.take(known("10:00:00.123")), null);
  assert.notEqual(lines.take(known("10:00:00.123", { instance: null })), null);
});

Deno.test("CoarseLines.take() tells messages apart, and never takes one line of the stream for another", () => {
  const lines = new CoarseLines();
  lines.add(whole("10:00:00.123456789"));
  assert.equal(lines.take(known("10:00:00.123", { message: "other" })), null);
  assert.equal(lines.take(whole("10:00:00.123456780")), null);
});

Deno.test("CoarseLines.take() takes the line first that knows most", () => {
  const lines = new CoarseLines();
  const [little, much] = [known("10:00:00.123", { instance: null }), known("10:00:00.123456")];
  lines.add(little);
  lines.add(much);
  assert.equal(lines.take(whole("10:00:00.123456789")), much.key);
  assert.equal(lines.take(whole("10:00:00.123456789")), little.key);
});

Deno.test("knowledgeOf() is largest for a line of the stream", () => {
  const forms = [
    whole("10:00:00.1"),
    known("10:00:00.123456"),
    known("10:00:00.123"),
    known("10:00:00.1", { instance: null }),
  ];
  const numbers = forms.map(({ form }) => knowledgeOf(form));
  assert.deepEqual(numbers, numbers.toSorted((a, b) => b - a));
  assert.equal(new Set(numbers).size, 4);
});
