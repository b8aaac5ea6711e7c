import assert from "node:assert/strict";
import type { FoundLines } from "../../../lib/archive/found_lines.ts";
import { LineRules } from "../../../lib/filter/rules.ts";
import { ComparedMinutes } from "../../../lib/heal/peers/compared_minutes.ts";
import { Peer } from "../../../lib/heal/peers/peer.ts";
import { LINES_MARGIN, linesLimitOf, PeerComparison } from "../../../lib/heal/peers/peer_comparison.ts";
import { PeerError } from "../../../lib/heal/peers/peer_error.ts";
import { DAY } from "../../archive/archive_rig.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { healedArchive, lineAt, momentOf, ServedRecorder } from "./peer_rig.ts";

const { signal } = new AbortController();
const HOUR = { sinceMs: momentOf("10:00:00"), untilMs: momentOf("11:00:00") };
const LINES = Array.from({ length: 10 }, (_, n) => lineAt(`10:0${n}:00`, `minute ${n}`));

function comparisonOf(
  here: ServedRecorder,
  there: ServedRecorder,
  { batchBytes, insert }: { batchBytes?: number; insert?: (found: FoundLines) => Promise<never> } = {},
): PeerComparison {
  const archive = healedArchive(here.archive);
  return new PeerComparison(new Peer({ url: there.url, token: null, clock: new FakeClock(0) }), {
    archive: insert === undefined ? archive : Object.create(archive, { insert: { value: insert } }),
    directory: here.directory.path,
    rules: new LineRules({ ownApp: null, excludeApps: [], includeApps: [], excludeText: [] }),
    compared: new ComparedMinutes(),
    org: null,
    batchBytes,
  });
}

Deno.test("PeerComparison.compare() inserts lines in batches where there are many, and loses none", async () => {
  await using here = await ServedRecorder.start();
  await using there = await ServedRecorder.start();
  await here.record(LINES.filter((_, n) => n % 2 === 0));
  await there.record(LINES);
  const comparison = comparisonOf(here, there, { batchBytes: 1 });
  await comparison.compare(DAY, { span: HOUR, again: false }, signal);
  assert.equal(comparison.lines, 5);
  assert.deepEqual(await here.lines(), LINES.toSorted());
  assert.deepEqual(comparison.found.spans.reduce((sum, { lines }) => sum + lines, 0), 5);
});

Deno.test("PeerComparison.compare() leaves no file behind, also when lines cannot be inserted", async () => {
  await using here = await ServedRecorder.start();
  await using there = await ServedRecorder.start();
  await there.record(LINES);
  const names = here.directory.names();
  const insert = () => Promise.reject(new Error("Cannot insert: the disk is full"));
  const failed = comparisonOf(here, there, { insert });
  await assert.rejects(failed.compare(DAY, { span: HOUR, again: false }, signal), {
    message: "Cannot insert: the disk is full",
  });
  assert.equal(failed.lines, 0);
  assert.deepEqual(here.directory.names(), names);
});

Deno.test("PeerComparison.addKeys() stops where there are too many", async () => {
  await using here = await ServedRecorder.start();
  await using there = await ServedRecorder.start();
  for (const recorder of [here, there]) await recorder.record(LINES);
  const comparison = comparisonOf(here, there);
  const keys = { ours: [], theirs: [] };
  assert.equal(await comparison.addKeys(keys, 20, DAY, HOUR, signal), true);
  assert.deepEqual(keys.ours, keys.theirs);
  assert.equal(await comparison.addKeys({ ours: [], theirs: [] }, 19, DAY, HOUR, signal), false);
});

Deno.test("PeerComparison.confirmSameStream() refuses a peer with other lines of the same time", async () => {
  await using here = await ServedRecorder.start();
  await using there = await ServedRecorder.start();
  await here.record(LINES);
  await there.record(LINES.map((line) => line.replace("minute", "other")));
  const comparison = comparisonOf(here, there);
  comparison.confirmSameStream();
  await comparison.addKeys({ ours: [], theirs: [] }, 100, DAY, HOUR, signal);
  assert.throws(
    () => comparison.confirmSameStream(),
    (error) =>
      error instanceof PeerError && /has 10 lines of the same time, but none of the 10/.test(error.message),
  );
});

Deno.test("PeerComparison.refusalOf() names days that take no lines here", async () => {
  await using here = await ServedRecorder.start();
  const comparison = comparisonOf(here, here);
  assert.equal(comparison.refusalOf(DAY), null);
  here.archive.wasRemoved = (day) => day === DAY;
  assert.equal(comparison.refusalOf(DAY), "2026-11-22 was removed here to make room");
});

Deno.test("linesLimitOf() is twice what the digest has of the slice's minutes, and those without a time, and a margin", () => {
  const minute = HOUR.sinceMs / 60_000;
  const digest = {
    minutes: new Map([[minute, { lines: 3, sum: "" }], [minute + 1, { lines: 4, sum: "" }]]),
    distantLines: 9,
    withoutIdentity: 5,
  };
  const slice = { sinceMs: HOUR.sinceMs + 59_999, untilMs: HOUR.sinceMs + 60_000 };
  assert.equal(linesLimitOf(digest, slice), LINES_MARGIN + 2 * 8);
  assert.equal(linesLimitOf(digest, { ...slice, untilMs: slice.untilMs + 1 }), LINES_MARGIN + 2 * 12);
});
