import assert from "node:assert/strict";
import { DAY_MS, dayName, dayOf } from "../../lib/day.ts";
import type { VolumeUsage } from "../../lib/archive/volume.ts";
import { Maintenance, MAINTENANCE_MS } from "../../lib/archive/maintenance.ts";
import { silentLogger } from "../../lib/logger.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import {
  appendLines,
  bytesOf,
  DAY,
  DAY_NAME,
  dayText,
  HOUR_MS,
  inflateAsBrowser,
  keepingLogger,
  NOON,
  openArchive,
  record,
  type TestArchive,
  TestDirectory,
  textFrom,
  textOf,
} from "./archive_rig.ts";

/** A volume so full, and so large that no day counts. */
function full(usedPercent: number, totalBytes = 1e12): VolumeUsage {
  return { totalBytes, availableBytes: totalBytes * (1 - usedPercent / 100), usedPercent };
}

Deno.test("Maintenance looks at the days every ten seconds, and at no time twice at once, until it is stopped", async () => {
  const clock = new FakeClock(NOON);
  let looks = 0;
  let asked = 0;
  let answer = Promise.withResolvers<VolumeUsage>();
  const rules = {
    ...{
      directory: "",
      clock,
      logger: silentLogger,
      sealAfterMs: HOUR_MS,
      retentionDays: null,
      maxDiskPercent: 85,
    },
    readUsage: () => {
      asked++;
      return answer.promise;
    },
  };
  const archive = {
    mayWrite: () => true,
    recordedDays: () => {
      looks++;
      return [];
    },
    trouble: () => null,
    remove: () => 0,
    onFailure: () => {},
  };
  const maintenance = new Maintenance(rules, archive);
  clock.advance(MAINTENANCE_MS);
  const running = maintenance.run();
  clock.advance(MAINTENANCE_MS);
  assert.deepEqual([looks, asked], [1, 1], "the first look has not ended");
  answer.resolve(full(50));
  await running;
  answer = Promise.withResolvers();
  answer.resolve(full(50));
  clock.advance(MAINTENANCE_MS);
  await maintenance.ended();
  assert.equal(asked, 2);
  maintenance.stop();
  clock.advance(10 * MAINTENANCE_MS);
  await maintenance.run();
  assert.equal(asked, 2);
});

Deno.test("Maintenance reports what fails, and goes on at the next look", async () => {
  const clock = new FakeClock(NOON);
  const failures: string[] = [];
  const maintenance = new Maintenance({
    ...{
      directory: "",
      clock,
      logger: silentLogger,
      sealAfterMs: HOUR_MS,
      retentionDays: null,
      maxDiskPercent: 85,
    },
    readUsage: () => Promise.reject(new Error("no such volume")),
  }, {
    ...{ mayWrite: () => true, recordedDays: () => [], trouble: () => null, remove: () => 0 },
    onFailure: (what, error) => failures.push(`${what}: ${(error as Error).message}`),
  });
  await maintenance.run();
  await maintenance.run();
  assert.deepEqual(failures, Array(2).fill("removing old days: no such volume"));
  maintenance.stop();
});

/** An archive with three sealed days before today, and lines of today. */
async function recordDays(opened: TestArchive): Promise<void> {
  for (const day of [DAY, DAY + 1, DAY + 2, DAY + 3]) {
    appendLines(opened.archive, 0, 100, 1000, day);
    await opened.archive.sync();
    if (day === DAY + 3) break;
    opened.clock.skip(DAY_MS);
    await opened.archive.maintain();
  }
}

/** Lets five days pass, and a line of the day come that it then is. */
async function comeOfAge({ archive, clock }: TestArchive): Promise<void> {
  clock.skip(5 * DAY_MS);
  appendLines(archive, 0, 1, 0, dayOf(clock.now()));
  await archive.sync();
  await archive.maintain();
}

Deno.test("maintain() removes days that are too old, which are then known to have been there", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  {
    await using opened = await openArchive(directory, { clock, retentionDays: 2 });
    await recordDays(opened);
    await opened.archive.maintain();
    assert.deepEqual(opened.archive.days().map(({ day }) => dayName(day)), [
      "2026-11-25",
      "2026-11-24",
      "2026-11-23",
    ]);
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
  assert.deepEqual(opened.archive.days().map(({ day }) => dayName(day)), ["2026-11-25"]);
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
  await comeOfAge(opened);
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
  await comeOfAge(opened);
  appendLines(opened.archive, 3, 4);
  await opened.archive.sync();
  assert.equal(await dayText(opened.archive), textOf(3, 4));
  assert.equal(opened.archive.wasRemoved(DAY), false);
});

/** As it was written before lines had checksums. */
const REMOVED =
  '\n{"day":"2026-11-22","lines":3,"bytes":273,"reason":"older than 2 days","at":"2026-11-27T12:00:00.000Z"}';

Deno.test("Killed between writing a removal down and removing, the day is there whole and goes at the next turn", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  {
    await using opened = await openArchive(directory, { clock });
    appendLines(opened.archive, 0, 3);
    await opened.seal();
  }
  directory.write("removed.jsonl", REMOVED);
  await using again = await openArchive(directory, { clock, retentionDays: 2 });
  assert.equal(again.archive.wasRemoved(DAY), false);
  assert.equal(await dayText(again.archive), textOf(0, 3));
  await comeOfAge(again);
  assert.equal(again.archive.wasRemoved(DAY), true);
});

Deno.test("Killed between removing the gzip file and its index, the rest goes at the next start", async () => {
  using directory = new TestDirectory();
  {
    await using opened = await openArchive(directory);
    appendLines(opened.archive, 0, 3);
    await opened.seal();
  }
  directory.write("removed.jsonl", REMOVED);
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
  await comeOfAge(opened);
  assert.equal(opened.archive.wasRemoved(DAY), true);
  assert.deepEqual(directory.names(), [
    "2026-11-21.at-0.torn",
    "2026-11-22.jsonl.damaged",
    "2026-11-29.jsonl",
    "removed.jsonl",
  ]);
});

Deno.test("maintain() removes and seals nothing for an hour because the clock jumps ahead", async () => {
  using directory = new TestDirectory();
  const logger = keepingLogger();
  await using opened = await openArchive(directory, { logger, retentionDays: 2 });
  const { archive, clock } = opened;
  await recordDays(opened);
  clock.skip(HOUR_MS);
  await archive.maintain();
  assert.deepEqual(archive.days().map(({ day }) => dayName(day)), ["2026-11-25", "2026-11-24", "2026-11-23"]);
  clock.jump(60 * DAY_MS);
  // What comes is stamped by other machines, whose clocks are right.
  archive.append(DAY + 63, new TextEncoder().encode(record(0)), false, {
    seconds: (DAY + 3) * 86_400,
    nanoseconds: 0,
  });
  await archive.sync();
  for (let hour = 0; hour < 3; hour++) {
    await archive.maintain();
    assert.deepEqual(
      archive.days().map(({ day, sealed }) => [dayName(day), sealed]),
      [["2027-01-24", false], ["2026-11-25", hour > 0], ["2026-11-24", true], ["2026-11-23", true]],
    );
    clock.skip(HOUR_MS);
  }
});

Deno.test("maintain() removes nothing while lines contradict the clock, however evenly that goes", async () => {
  using directory = new TestDirectory();
  const logger = keepingLogger();
  const clock = new FakeClock(NOON);
  {
    await using opened = await openArchive(directory, { clock });
    await recordDays(opened);
    await opened.seal();
  }
  clock.jump(60 * DAY_MS);
  await using ahead = await openArchive(directory, { clock, logger, retentionDays: 2 });
  const day = dayOf(clock.now());
  const append = (number: number, seconds: number) =>
    ahead.archive.append(day, new TextEncoder().encode(record(number)), false, { seconds, nanoseconds: 0 });
  for (let number = 0; number < 3; number++) append(number, (DAY + 5) * 86_400);
  append(3, day * 86_400); // an envelope has the time of its arrival
  await ahead.archive.sync();
  for (let hour = 0; hour < 3; hour++) {
    await ahead.archive.maintain();
    clock.skip(HOUR_MS);
  }
  assert.equal(ahead.archive.days().length, 5);
  assert.equal(logger.events.filter((event) => event.includes("old days stay for now")).length, 1);
  for (let number = 4; number < 9; number++) append(number, day * 86_400);
  await ahead.archive.sync();
  await ahead.archive.maintain();
  assert.deepEqual(
    ahead.archive.days().map(({ day }) => dayName(day)),
    [dayName(day)],
    "most lines agree with it",
  );
});

Deno.test("maintain() removes what came of age while nothing ran after an hour, and not at once", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  {
    await using opened = await openArchive(directory, { clock });
    await recordDays(opened);
    await opened.seal();
  }
  clock.skip(60 * DAY_MS);
  await using again = await openArchive(directory, { clock, retentionDays: 2 });
  appendLines(again.archive, 0, 1, 0, dayOf(clock.now()));
  await again.archive.sync();
  await again.archive.maintain();
  assert.equal(again.archive.days().length, 5);
  clock.skip(HOUR_MS - 1);
  await again.archive.maintain();
  assert.equal(again.archive.days().length, 5);
  clock.skip(1);
  await again.archive.maintain();
  assert.equal(again.archive.days().length, 1);
});

Deno.test("A day in which lines came under a clock that was ahead is sealed an hour after they did", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  await using opened = await openArchive(directory, { clock });
  const { archive } = opened;
  clock.jump(60 * DAY_MS);
  appendLines(archive, 0, 1);
  await archive.sync();
  clock.jump(-59 * DAY_MS);
  appendLines(archive, 0, 1, 0, DAY + 1);
  await archive.sync();
  await archive.maintain();
  assert.equal(archive.day(DAY)?.sealed, false, "lines for it may still be on their way");
  clock.skip(HOUR_MS);
  await archive.maintain();
  assert.equal(archive.day(DAY)?.sealed, true);
});

Deno.test("No day is removed for the room that temporary files of days take for a while", async () => {
  using directory = new TestDirectory();
  let usage = full(50, 1000);
  const options = { maxDiskPercent: 90, readUsage: () => Promise.resolve(usage) };
  await using test = await openArchive(directory, options);
  const { archive } = test;
  appendLines(archive, 0, 5);
  await test.seal();
  appendLines(archive, 5, 6, 0, DAY + 2);
  await archive.sync();
  const days = () => archive.days().map(({ day }) => day);
  // 30 of 1000 bytes of the volume are 3 %.
  usage = full(92, 1000);
  directory.write(`${DAY_NAME}.jsonl.gz.tmp`, new Uint8Array(30));
  await archive.maintain();
  assert.deepEqual(days(), [DAY + 2, DAY]);
  directory.remove(`${DAY_NAME}.jsonl.gz.tmp`);
  directory.write("backup.tmp", new Uint8Array(30)); // somebody else's
  await archive.maintain();
  assert.deepEqual(days(), [DAY + 2]);
});
