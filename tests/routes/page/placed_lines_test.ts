import assert from "node:assert/strict";
import { EVERY_LINE } from "../../../lib/archive/read/line_chunk.ts";
import { planRanges } from "../../../lib/archive/read/plan.ts";
import { firstLines, lastLines } from "../../../routes/page/placed_lines.ts";
import { ListedDays } from "../rig.ts";

const DAY = 20_779; // 2026-11-22

/** Two days of three lines of eight bytes each. */
const ARCHIVE = new ListedDays({
  "2026-11-21": { text: '{"a":0}\n{"a":1}\n{"a":2}\n' },
  "2026-11-22": { text: '{"a":3}\n{"a":4}\n{"a":5}\n' },
});
const RANGES = planRanges(ARCHIVE.days(), EVERY_LINE, { day: null, start: null });
const never = new AbortController().signal;

const LINES = [0, 1, 2, 3, 4, 5].map((number) => ({
  place: { day: number < 3 ? DAY - 1 : DAY, offset: number % 3 * 8, edition: 0 },
  text: `{"a":${number}}`,
}));

Deno.test("firstLines() finds the first lines with their places, and where the next page begins", async () => {
  const request = { ranges: RANGES, filter: EVERY_LINE, limit: 4 };
  assert.deepEqual(await firstLines(ARCHIVE.lines, request, never), {
    lines: LINES.slice(0, 4),
    next: { day: DAY, offset: 8, edition: 0 },
  });
  assert.deepEqual(await firstLines(ARCHIVE.lines, { ...request, limit: 7 }, never), {
    lines: LINES,
    next: null,
  });
});

Deno.test("lastLines() finds the last lines with their places", async () => {
  const request = { ranges: RANGES, filter: EVERY_LINE, limit: 4 };
  assert.deepEqual(await lastLines(ARCHIVE.lines, request, never), { lines: LINES.slice(2), next: null });
});

Deno.test("lastLines() reads them once more where they are too large to hold", async () => {
  const request = { ranges: RANGES, filter: EVERY_LINE, limit: 2 };
  const { lines } = ARCHIVE;
  const reader = {
    read: lines.read.bind(lines),
    readTail: () => Promise.resolve({ start: LINES[4]!.place, chunks: null, [Symbol.dispose]: () => {} }),
  };
  assert.deepEqual((await lastLines(reader, request, never)).lines, LINES.slice(4));
});
