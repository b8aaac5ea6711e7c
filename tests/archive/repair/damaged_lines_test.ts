import assert from "node:assert/strict";
import { DAMAGED_SPANS_LIMIT, spansOfDamagedLines } from "../../../lib/archive/repair/damaged_lines.ts";
import { DAY, record, TestDirectory } from "../archive_rig.ts";

const UNTIMED = '{"message":"no time"}';

/** The times that may be lost in a file of `lines`, of which those with a number are records of that second. */
function lostIn(lines: (number | string)[], before: string | null = null): string[] {
  using directory = new TestDirectory();
  const text = lines.map((line) => (typeof line === "string" ? line : record(line)) + "\n").join("");
  directory.write("plain", text);
  const path = directory.file("plain");
  return spansOfDamagedLines({ day: DAY, path, start: 0, end: text.length, before }).map((span) =>
    [span.sinceMs, span.untilMs].map((ms) => new Date(ms).toISOString().slice(11, 23)).join(" ")
  );
}

Deno.test("spansOfDamagedLines() names the times between the lines around each run of damaged ones", () => {
  assert.deepEqual(lostIn([1, 2, 3]), []);
  assert.deepEqual(lostIn([1, "\0\0\0", "garbage", 5, "\0", 7]), [
    "10:00:01.500 10:00:05.501",
    "10:00:05.500 10:00:07.501",
  ]);
});

Deno.test("spansOfDamagedLines() looks beyond lines without a time, and takes those that overtook others", () => {
  assert.deepEqual(lostIn([1, UNTIMED, "\0", UNTIMED, 5]), ["10:00:01.500 10:00:05.501"]);
  assert.deepEqual(lostIn([5, "\0", 3]), ["10:00:03.500 10:00:05.501"]);
});

Deno.test("spansOfDamagedLines() begins with what stands before, and has the ends of the day where nothing does", () => {
  assert.deepEqual(lostIn(["\0", 5], "2026-11-22T09:59:00.000000000Z"), ["09:59:00.000 10:00:05.501"]);
  assert.deepEqual(lostIn(["\0", 5]), ["00:00:00.000 10:00:05.501"]);
  assert.deepEqual(lostIn([5, "\0", UNTIMED]), ["10:00:05.500 00:00:00.000"]);
});

Deno.test("spansOfDamagedLines() tells of a bounded number of spans that leave nothing out", () => {
  const lines = Array.from({ length: 1000 }, (_, number) => [0, "\0", 1 + number % 58]).flat();
  const spans = lostIn(lines);
  assert.equal(spans.length, DAMAGED_SPANS_LIMIT);
  assert.equal(spans.at(-1), "10:00:00.500 10:00:58.501");
});
