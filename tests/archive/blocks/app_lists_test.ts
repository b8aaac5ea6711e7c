import assert from "node:assert/strict";
import { planRanges } from "../../../lib/archive/read/plan.ts";
import { parseTimestamp } from "../../../lib/timestamp.ts";
import type { FilterSpec } from "../../../lib/filter/filter.ts";
import { DAY, openArchive, record, type TestArchive, TestDirectory } from "../archive_rig.ts";
import { openVaried } from "../varied_archive.ts";

const ALL: FilterSpec = { apps: [], regions: [], instances: [], levels: [] };

async function listsOf(
  { archive }: TestArchive,
  filter: FilterSpec = ALL,
): Promise<(readonly string[] | null)[]> {
  const ranges = planRanges(archive.days(), filter, { day: null, start: null });
  return await Array.fromAsync(archive.lines.appLists(ranges, filter));
}

Deno.test("appLists() gives null for what no index knows yet", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  assert.deepEqual(await listsOf(test), []);
  test.archive.append(DAY, new TextEncoder().encode(record(1)), false, null);
  await test.archive.sync();
  assert.deepEqual(await listsOf(test), [null]);
});

Deno.test("appLists() gives the apps of every block, of sealed days and of today's, the newest first", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 31);
  const lists = await listsOf(test);
  assert.equal(lists[0], null, "the newest lines have no block");
  const known = lists.filter((list) => list !== null);
  assert.ok(known.length >= 5, "one for each day at least");
  assert.deepEqual([...new Set(known.flat())].sort(), ["api", "web", "web-canary", "wörker"]);
  const past = { ...ALL, until: parseTimestamp("2026-11-22T00:00:00Z") };
  const sealed = await listsOf(test, past);
  assert.ok(sealed.length < lists.length, "a span of time leaves out what lies outside");
});

Deno.test("appLists() tells nothing within a scope, whose lines it cannot tell from others", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 31);
  assert.deepEqual(await listsOf(test, { ...ALL, scope: { ...ALL, apps: ["web"] } }), [null]);
});
