import assert from "node:assert/strict";
import { DAY_MS } from "../../lib/day.ts";
import type { VolumeUsage } from "../../lib/archive/volume.ts";
import { chooseExpired } from "../../lib/archive/retention.ts";
import type { DayInfo } from "../../lib/archive/recorded_day.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import {
  appendLines,
  bytesOf,
  DAY,
  dayText,
  inflateAsBrowser,
  keepingLogger,
  NOON,
  openArchive,
  type TestArchive,
  TestDirectory,
  textFrom,
  textOf,
} from "./archive_rig.ts";

function info(day: string): DayInfo {
  return {
    day,
    lines: 1,
    bytes: 1,
    gzBytes: 1,
    first: null,
    last: null,
    sealed: true,
    crc32: "00000000",
    modifiedMs: 0,
    held: 0,
  };
}

/** A volume so full, and so large that no day counts. */
function full(usedPercent: number, totalBytes = 1e12): VolumeUsage {
  return { totalBytes, availableBytes: totalBytes * (1 - usedPercent / 100), usedPercent };
}

Deno.test("chooseExpired() gives the oldest day that is too old, or the oldest of too many, and never today", () => {
  const days = [info("2026-11-22"), info("2026-11-20"), info("2026-11-21")];
  const rule = { today: DAY, retentionDays: null, maxDiskPercent: null, usedPercent: null };
  assert.equal(chooseExpired(days, rule), null);
  assert.equal(chooseExpired(days, { ...rule, retentionDays: 2 }), null);
  assert.deepEqual(chooseExpired(days, { ...rule, retentionDays: 1 }), {
    day: DAY - 2,
    reason: "older than 1 days",
  });
  assert.equal(chooseExpired(days, { ...rule, maxDiskPercent: 85, usedPercent: 85 }), null);
  assert.deepEqual(chooseExpired(days, { ...rule, maxDiskPercent: 85, usedPercent: 85.25 }), {
    day: DAY - 2,
    reason: "the volume is 85.3 % full",
  });
  assert.equal(chooseExpired([days[0]!], { ...rule, maxDiskPercent: 85, usedPercent: 99 }), null);
  assert.equal(chooseExpired([], { ...rule, retentionDays: 1 }), null);
});

/** An archive with three sealed days before today, and lines of today. */
async function recordDays(opened: TestArchive): Promise<void> {
  for (const day of [DAY, DAY + 1, DAY + 2, DAY + 3]) {
    appendLines(opened.archive, 0, 100, 1000, day);
    await opened.archive.sync();
    if (day === DAY + 3) break;
    opened.clock.jump(DAY_MS);
    await opened.archive.maintain();
  }
}

Deno.test("maintain() removes days that are too old, which are then known to have been there", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  {
    await using opened = await openArchive(directory, { clock, retentionDays: 2 });
    await recordDays(opened);
    assert.deepEqual(opened.archive.days().map(({ day }) => day), ["2026-11-25", "2026-11-24", "2026-11-23"]);
    assert.equal(opened.archive.day(DAY), undefined);
    assert.equal(opened.archive.wasRemoved(DAY), true);
    assert.equal(opened.archive.wasRemoved(DAY + 1), false);
    assert.equal(opened.archive.wasRemoved(DAY - 1), false);
    assert.equal(directory.names().some((name) => name.startsWith("2026-11-22")), false);
  }
  await using again = await openArchive(directory, { clock });
  assert.equal(again.archive.wasRemoved(DAY), true);
});

Deno.test("maintain() removes the oldest days until the volume is empty enough, never today", async () => {
  using directory = new TestDirectory();
  const logger = keepingLogger();
  let usage: VolumeUsage[] = [];
  await using opened = await openArchive(directory, {
    logger,
    maxDiskPercent: 85,
    readUsage: () => Promise.resolve(usage.shift() ?? full(80)),
  });
  await recordDays(opened);
  assert.equal(opened.archive.days().length, 4);
  usage = [full(95), full(90), full(80)];
  await opened.archive.maintain();
  assert.equal(opened.archive.days().length, 2, "two were removed");
  usage = Array.from({ length: 10 }, () => full(99));
  await opened.archive.maintain();
  assert.deepEqual(opened.archive.days().map(({ day }) => day), ["2026-11-25"]);
  assert.equal(logger.events.filter((event) => event.includes("day removed")).length, 3);
});

Deno.test("maintain() removes no more days while a download holds the room of the one that it removed", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  let usage = full(80);
  await using opened = await openArchive(directory, {
    clock,
    maxDiskPercent: 85,
    readUsage: () => Promise.resolve(usage),
  });
  await recordDays(opened);
  const { gzBytes } = opened.archive.day(DAY)!;
  usage = full(90, gzBytes * 10);
  await opened.archive.maintain();
  assert.equal(opened.archive.days().length, 3, "one day is a tenth of the volume, which is enough");
  await opened.archive.maintain();
  assert.equal(opened.archive.days().length, 3, "its room is on its way");
  clock.advance(600_000);
  await opened.archive.maintain();
  assert.equal(opened.archive.days().length, 2, "it never came");
});

Deno.test("A download goes on whole when its day is removed meanwhile", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory, { retentionDays: 2 });
  appendLines(opened.archive, 0, 3000, 1000);
  await opened.seal();
  const { archive } = opened;
  const text = archive.openText(DAY);
  const gzip = archive.openGzip(DAY);
  const range = archive.openGzip(DAY, { start: 100, end: 200 });
  opened.clock.jump(5 * DAY_MS);
  await archive.maintain();
  assert.equal(archive.wasRemoved(DAY), true);
  assert.throws(() => archive.openText(DAY), RangeError);
  assert.ok(await textFrom(text) === textOf(0, 3000, 1000));
  assert.ok(new TextDecoder().decode(await inflateAsBrowser(await bytesOf(gzip))) === textOf(0, 3000, 1000));
  assert.equal((await bytesOf(range)).length, 100);
});

Deno.test("A line for a day that was removed makes the day anew, with that line alone", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory, { retentionDays: 2 });
  appendLines(opened.archive, 0, 3);
  await opened.seal();
  opened.clock.jump(5 * DAY_MS);
  await opened.archive.maintain();
  appendLines(opened.archive, 3, 4);
  await opened.archive.sync();
  assert.equal(await dayText(opened.archive), textOf(3, 4));
  assert.equal(opened.archive.wasRemoved(DAY), false);
});

Deno.test("Killed between writing a removal down and removing, the day is there whole and goes at the next turn", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  {
    await using opened = await openArchive(directory, { clock });
    appendLines(opened.archive, 0, 3);
    await opened.seal();
  }
  directory.write("removed.jsonl", '\n{"day":"2026-11-22"}');
  clock.jump(5 * DAY_MS);
  await using again = await openArchive(directory, { clock, retentionDays: 2 });
  assert.equal(again.archive.wasRemoved(DAY), false);
  assert.equal(await dayText(again.archive), textOf(0, 3));
  await again.archive.maintain();
  assert.equal(again.archive.wasRemoved(DAY), true);
});

Deno.test("Killed between removing the gzip file and its index, the rest goes at the next start", async () => {
  using directory = new TestDirectory();
  {
    await using opened = await openArchive(directory);
    appendLines(opened.archive, 0, 3);
    await opened.seal();
  }
  directory.write("removed.jsonl", '\n{"day":"2026-11-22"}');
  directory.remove("2026-11-22.jsonl.gz");
  await using again = await openArchive(directory);
  assert.equal(again.archive.wasRemoved(DAY), true);
  assert.deepEqual(directory.names(), ["removed.jsonl"]);
});

Deno.test("A day that is removed takes along what was torn off it, and leaves what was set aside", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  directory.write("2026-11-22.jsonl", textOf(0, 1) + "{");
  directory.write("2026-11-22.jsonl.damaged", "x");
  directory.write("2026-11-21.at-0.torn", "of another day");
  await using opened = await openArchive(directory, { clock, retentionDays: 1 });
  await opened.seal();
  assert.equal(opened.archive.wasRemoved(DAY), true);
  assert.deepEqual(directory.names(), ["2026-11-21.at-0.torn", "2026-11-22.jsonl.damaged", "removed.jsonl"]);
});
