import assert from "node:assert/strict";
import { eachOwnLine } from "../../../lib/heal/fly/own_lines.ts";
import type { Span } from "../../../lib/gaps/gap.ts";
import { dayOf } from "../../../lib/day.ts";
import { parseTimestamp } from "../../../lib/timestamp.ts";
import { openArchive, type TestArchive, TestDirectory } from "../../archive/archive_rig.ts";

const START_MS = Date.UTC(2026, 10, 22, 10);
const decoder = new TextDecoder();

function append({ archive }: TestArchive, timestamp: string, line: string, day = dayOf(START_MS)): void {
  archive.append(day, new TextEncoder().encode(line), false, parseTimestamp(timestamp));
}

function appendRecord(test: TestArchive, timestamp: string, app: string, day?: number): void {
  append(test, timestamp, `{"fly":{"app":{"name":"${app}"}},"message":"m","timestamp":"${timestamp}"}`, day);
}

async function read({ archive }: TestArchive, span: Span, limit = Infinity): Promise<string[]> {
  await archive.sync();
  const found: string[] = [];
  await eachOwnLine(archive, span, ({ app, atMs, bytes, start, end }) => {
    assert.ok(decoder.decode(bytes.subarray(start, end)).startsWith('{"fly"'));
    found.push(`${app} ${atMs - START_MS}`);
    return found.length < limit;
  });
  return found;
}

Deno.test("eachOwnLine() has the lines of a span, its end not in it, with app and moment", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  for (const second of ["00", "01.9999", "02", "03"]) {
    appendRecord(test, `2026-11-22T10:00:${second}Z`, "w\\u0065b");
  }
  assert.deepEqual(await read(test, { sinceMs: START_MS + 1000, untilMs: START_MS + 3000 }), [
    "web 1999",
    "web 2000",
  ]);
});

Deno.test("eachOwnLine() goes over midnight, and finds a line that was recorded a day late", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const midnightMs = Date.UTC(2026, 10, 23);
  appendRecord(test, "2026-11-22T23:59:59Z", "web");
  appendRecord(test, "2026-11-23T00:00:00Z", "web", dayOf(midnightMs));
  appendRecord(test, "2026-11-22T23:59:58Z", "late", dayOf(midnightMs));
  const found = await read(test, { sinceMs: midnightMs - 3000, untilMs: midnightMs + 1 });
  assert.deepEqual(found.map((line) => line.split(" ")[0]), ["web", "web", "late"]);
});

Deno.test("eachOwnLine() leaves out lines without a time, without an app, and those that are no records", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  append(test, "2026-11-22T10:00:00Z", '{"fly":{"app":{"name":"web"}},"message":"m"}');
  append(test, "2026-11-22T10:00:00Z", '{"message":"m","timestamp":"2026-11-22T10:00:00Z"}');
  append(test, "2026-11-22T10:00:00Z", '{"fly":1,"message":"m","timestamp":"2026-11-22T10:00:00Z"}');
  assert.deepEqual(await read(test, { sinceMs: START_MS, untilMs: START_MS + 1000 }), []);
});

Deno.test("eachOwnLine() has a line of which the scanner is not sure", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const time = "2026-11-22T10:00:00Z";
  append(test, time, `{"fly":{"\\u0061pp":{"name":"web"}},"message":"m","timestamp":"${time}"}`);
  assert.deepEqual(await read(test, { sinceMs: START_MS, untilMs: START_MS + 1000 }), ["web 0"]);
});

Deno.test("eachOwnLine() stops when it is told so, and when the signal aborts", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  for (let i = 0; i < 5; i++) appendRecord(test, `2026-11-22T10:00:0${i}Z`, "web");
  const span = { sinceMs: START_MS, untilMs: START_MS + 10_000 };
  assert.deepEqual(await read(test, span, 2), ["web 0", "web 1000"]);
  const aborted = AbortSignal.abort(new Error("stop"));
  await assert.rejects(eachOwnLine(test.archive, span, () => {}, aborted));
  assert.equal(test.archive.lines.readers, 0);
});
