import assert from "node:assert/strict";
import { createRandom } from "../rig/random.ts";
import { RepeatedLines } from "./repeated_lines.ts";

function make(count: number, within: number): { lines: RepeatedLines; text: string[] } {
  const lines = new RepeatedLines(createRandom(1), within);
  return { lines, text: lines.take(count).map(({ payload }) => payload) };
}

function numberOf(line: string): number {
  return Number(/"line=(\d+) /.exec(line)![1]);
}

for (const within of [1, 20]) {
  Deno.test(`RepeatedLines makes one line in ten a repeat of one of the last ${within}, and finds nothing wrong`, async () => {
    const { lines, text } = make(10_000, within);
    const repeats = text.length - new Set(text).size;
    assert.ok(repeats > 900 && repeats < 1100, `${repeats} repeats`);
    assert.equal(lines.count, 10_000);
    const isSorted = text.every((line, index) => index === 0 || numberOf(line) >= numberOf(text[index - 1]!));
    assert.equal(isSorted, within === 1);
    await lines.judge(text);
    await lines.judge(text.toSorted((a, b) => numberOf(a) - numberOf(b)));
  });
}

Deno.test("RepeatedLines finds a line that is missing, too often there, changed, unknown or out of order", async () => {
  const { lines, text } = make(1000, 1);
  const repeated = text.findIndex((line, index) => text.indexOf(line) < index);
  const single = text.findIndex((line) => text.indexOf(line) === text.lastIndexOf(line));
  const without = (index: number) => text.toSpliced(index, 1);
  await assert.rejects(lines.judge(without(single)), /is there 0 times, published 1 times/);
  await assert.rejects(lines.judge(without(repeated)), /is there 1 times, published 2 times/);
  await assert.rejects(lines.judge([...text, text.at(-1)!]), /is there 2 times, published 1 times/);
  const changed = text.with(single, text[single]!.replace('"region":"', '"region":"x'));
  await assert.rejects(lines.judge(changed), /line \d+ is another one/);
  await assert.rejects(lines.judge([...text, '{"message":"line=1000 "}']), /a line that nobody published/);
  await assert.rejects(lines.judge([...text, "not a line"]), /a line that nobody published/);
  const swapped = text.with(repeated, text[repeated + 1]!).with(repeated + 1, text[repeated]!);
  await assert.rejects(lines.judge(swapped), /line \d+ stands after line \d+/);
});
