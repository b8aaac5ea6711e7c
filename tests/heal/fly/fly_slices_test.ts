import assert from "node:assert/strict";
import { FlyApi } from "../../../lib/heal/fly/fly_api.ts";
import { FlyApps } from "../../../lib/heal/fly/fly_apps.ts";
import { FlyComparison } from "../../../lib/heal/fly/fly_comparison.ts";
import { FlyReader } from "../../../lib/heal/fly/fly_reader.ts";
import { FlySlices, type FlySlicesOptions, type HealProgress } from "../../../lib/heal/fly/fly_slices.ts";
import { OverlapIdentities } from "../../../lib/heal/fly/overlap_identities.ts";
import { WantedRows } from "../../../lib/heal/fly/wanted_rows.ts";
import type { Span } from "../../../lib/gaps/gap.ts";
import { dayName } from "../../../lib/day.ts";
import { openArchive, TestDirectory } from "../../archive/archive_rig.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { FlyApiServer, TEST_TOKEN } from "../../rig/fly_api.ts";
import { WaitsClock } from "../../rig/waits.ts";

const HOUR_MS = 3_600_000;
const TEN_MS = Date.UTC(2026, 10, 22, 22);

Deno.test("FlySlices.heal() ends a slice at each full hour, so that it is within one day, overlaps with it", async () => {
  const gap = { sinceMs: TEN_MS + 1_800_000, untilMs: TEN_MS + 3.5 * HOUR_MS };
  const { progress, insertions } = await heal(gap, {
    sinceMs: gap.sinceMs - 5000,
    untilMs: gap.untilMs + 5000,
  });
  assert.deepEqual(progress.map(({ doneUntilMs }) => doneUntilMs - TEN_MS), [
    HOUR_MS,
    2 * HOUR_MS,
    3 * HOUR_MS,
    3.5 * HOUR_MS,
  ]);
  // A line each ten minutes, from 22:30 to 01:20.
  assert.deepEqual(insertions, ["2026-11-22 3", "2026-11-22 6", "2026-11-23 6", "2026-11-23 3"]);
  assert.deepEqual(progress.map(({ lines }) => lines), [3, 9, 15, 18]);
});

Deno.test("FlySlices.heal() inserts nothing of an overlap alone, and tells of no progress", async () => {
  const gap = { sinceMs: TEN_MS, untilMs: TEN_MS + HOUR_MS };
  const { progress, insertions } = await heal(gap, { sinceMs: TEN_MS - HOUR_MS, untilMs: TEN_MS });
  assert.deepEqual([progress, insertions], [[], []]);
});

Deno.test("FlySlices.heal() ends a slice when so many lines are missing", async () => {
  const gap = { sinceMs: TEN_MS, untilMs: TEN_MS + HOUR_MS };
  const { insertions } = await heal(gap, gap, { linesLimit: 2, rows: 2 });
  assert.equal(insertions.length, 3);
});

Deno.test("FlySlices.heal() leaves out a day that was removed, or cannot be read, and says so", async () => {
  const gap = { sinceMs: TEN_MS, untilMs: TEN_MS + 3 * HOUR_MS };
  const removed = await heal(gap, gap, { wasRemoved: (day) => dayName(day) === "2026-11-22" });
  assert.deepEqual(removed.insertions, ["2026-11-23 6"]);
  assert.equal(removed.skipped, "2026-11-22 was removed to make room, so nothing of it was brought back");
  const untouched = await heal(gap, gap, { untouched: new Map([[20_780, "it is of a newer version"]]) });
  assert.deepEqual(untouched.insertions, ["2026-11-22 6", "2026-11-22 6"]);
  assert.equal(untouched.skipped, "2026-11-23 cannot be read here, so nothing of it was brought back");
  assert.equal(untouched.progress.at(-1)!.doubt, untouched.skipped);
});

Deno.test("FlySlices.heal() says when a slice was too old by the time it was asked for", async () => {
  const gap = { sinceMs: TEN_MS, untilMs: TEN_MS + 3 * HOUR_MS };
  assert.equal((await heal(gap, gap, { oldestMs: TEN_MS })).tooOld, null);
  const { tooOld, progress } = await heal(gap, gap, { oldestMs: TEN_MS + HOUR_MS + 1000 });
  assert.equal(
    tooOld,
    "Fly no longer has all of what was before 2026-11-22T23:00:01.000000000Z: it keeps about seven days",
  );
  assert.equal(progress.at(-1)!.doubt, tooOld);
});

Deno.test("FlySlices.heal() returns why it has ended before the end", async () => {
  const gap = { sinceMs: TEN_MS, untilMs: TEN_MS + 3 * HOUR_MS };
  const { failure, insertions, progress } = await heal(gap, gap, { failAfter: 2 });
  assert.equal(failure?.name, "FlyApiError");
  assert.deepEqual([insertions.length, progress.length], [2, 2]);
});

type Options = Partial<Pick<FlySlicesOptions["archive"], "untouched" | "wasRemoved">> & {
  linesLimit?: number;
  rows?: number;
  failAfter?: number;
  oldestMs?: number;
};

/** Heals `span` of a gap, while Fly has a line each ten minutes; returns the day and the lines of each insertion. */
async function heal(gap: Span, span: Span, options: Options = {}) {
  using directory = new TestDirectory();
  const clock = new FakeClock(TEN_MS + 10 * HOUR_MS);
  await using test = await openArchive(directory, { clock });
  await using server = FlyApiServer.start({ clock });
  for (let minute = -120; minute < 600; minute += 10) {
    server.store.add({
      app: "web",
      atNs: BigInt(TEN_MS + minute * 60_000) * 1_000_000n,
      message: `${minute}`,
    });
  }
  if (options.failAfter !== undefined) server.failAfter(options.failAfter, { status: 503 });
  const api = new FlyApi({ url: server.url, token: TEST_TOKEN, clock: new WaitsClock(clock, 30_000) });
  const { archive } = test;
  const names = ["web"];
  const rules = { subject: "logs.>", ownApp: null, excludeApps: [], includeApps: [], excludeText: [] };
  const wanted = new WantedRows(rules);
  const overlaps = new OverlapIdentities();
  const insertions: string[] = [];
  const progress: HealProgress[] = [];
  const slices = new FlySlices({
    reader: new FlyReader({
      logs: api,
      apps: new FlyApps(api),
      wanted,
      names,
      limits: { rows: options.rows },
    }),
    comparison: new FlyComparison({ archive, wanted, names, gap, overlaps }),
    overlaps,
    archive: {
      untouched: options.untouched ?? archive.untouched,
      wasRemoved: options.wasRemoved ?? (() => false),
      insert: (found) => {
        insertions.push(`${dayName(found.day)} ${found.lines}`);
        return Promise.resolve({ lines: found.lines, bytes: 0 });
      },
    },
    directory: directory.path,
    gap,
    oldestMs: () => options.oldestMs ?? 0,
    linesLimit: options.linesLimit,
    onProgress: (done) => void progress.push(done),
  });
  const failure = await slices.heal(span);
  return { failure, insertions, progress, skipped: slices.skipped, tooOld: slices.tooOld };
}
