import assert from "node:assert/strict";
import { LiveFeed } from "../../lib/follow/live_feed.ts";
import { EVERY_LINE } from "../../lib/archive/read/line_chunk.ts";
import { untilSo } from "../rig/wait.ts";
import {
  appendLines,
  DAY,
  DAY_NAME,
  dayText,
  openArchive,
  type TestArchive,
  TestDirectory,
} from "./archive_rig.ts";
import {
  appendDayLines,
  assertDay,
  type DayLine,
  foundLines,
  insertDayLines,
  insertNaively,
  lineAt,
  linesBetween,
  textOfLines,
  verifyFaults,
} from "./healing_rig.ts";

/** Seconds of the day: from 10:00 on, with a gap of a minute in which nothing was recorded. */
const BEFORE_GAP = linesBetween("a", 36_000, 36_060);
const GAP = linesBetween("gap", 36_060, 36_120);
const AFTER_GAP = linesBetween("b", 36_120, 36_180);
const RECORDED = [...BEFORE_GAP, ...AFTER_GAP];
const HEALED = [...BEFORE_GAP, ...GAP, ...AFTER_GAP];

/** Closes the archive, has it verified, and opens it again. */
async function reopen(directory: TestDirectory, opened: TestArchive): Promise<TestArchive> {
  await opened.close();
  assert.deepEqual(await verifyFaults(directory), []);
  const again = await openArchive(directory, { clock: opened.clock });
  assert.deepEqual(again.archive.findings, []);
  return again;
}

/** Records lines, and has them on the disk. */
async function record({ archive }: TestArchive, lines: readonly DayLine[]): Promise<void> {
  appendDayLines(archive, lines);
  await archive.sync();
}

Deno.test("Archive.insert() puts lines into a sealed day where their times belong", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  await record(opened, RECORDED);
  await opened.seal();
  await insertDayLines(archive, directory.path, GAP);
  await assertDay(archive, HEALED, RECORDED);
  assert.equal(archive.day(DAY)!.sealed, true);
  assert.equal(archive.day(DAY)!.edition, 1);
  assert.deepEqual(directory.names(), [`${DAY_NAME}.edits`, `${DAY_NAME}.index`, `${DAY_NAME}.jsonl.gz`]);
  await using again = await reopen(directory, opened);
  await assertDay(again.archive, HEALED, RECORDED);
  assert.equal(again.archive.day(DAY)!.sealed, true);
});

Deno.test("Archive.insert() puts lines into a day that grows; it goes on in the same plain file", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  await record(opened, RECORDED);
  await insertDayLines(archive, directory.path, GAP);
  await assertDay(archive, HEALED, RECORDED);
  const later = linesBetween("c", 36_180, 36_200);
  await record(opened, later);
  await assertDay(archive, [...HEALED, ...later], [...RECORDED, ...later]);
  assert.equal(directory.text(`${DAY_NAME}.jsonl`), textOfLines([...RECORDED, ...later]));
  assert.equal(archive.day(DAY)!.sealed, false);
  await using again = await reopen(directory, opened);
  await assertDay(again.archive, [...HEALED, ...later], [...RECORDED, ...later]);
  await again.seal();
  assert.equal(again.archive.day(DAY)!.sealed, true);
  await assertDay(again.archive, [...HEALED, ...later], [...RECORDED, ...later]);
  assert.deepEqual(directory.names(), [`${DAY_NAME}.edits`, `${DAY_NAME}.index`, `${DAY_NAME}.jsonl.gz`]);
});

Deno.test("Archive.insert() makes a day of which nothing was recorded", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  await insertDayLines(archive, directory.path, GAP);
  await assertDay(archive, GAP, []);
  assert.equal(archive.day(DAY)!.sealed, true);
  await using again = await reopen(directory, opened);
  await assertDay(again.archive, GAP, []);
  await record(again, AFTER_GAP);
  await assertDay(again.archive, [...GAP, ...AFTER_GAP], AFTER_GAP);
  await using third = await reopen(directory, again);
  await assertDay(third.archive, [...GAP, ...AFTER_GAP], AFTER_GAP);
  await third.seal();
  await assertDay(third.archive, [...GAP, ...AFTER_GAP], AFTER_GAP);
});

Deno.test("Archive.insert() several times into a day that grows, is sealed, reopened, and sealed again", async () => {
  using directory = new TestDirectory();
  let opened = await openArchive(directory);
  let recorded: DayLine[] = [];
  let lines: DayLine[] = [];
  const padding = 20_000; // fifty lines are a block
  const add = async (added: readonly DayLine[]) => {
    await record(opened, added);
    recorded = [...recorded, ...added];
    lines = [...lines, ...added];
  };
  const heal = async (found: readonly DayLine[]) => {
    await insertDayLines(opened.archive, directory.path, found);
    lines = insertNaively(lines, found);
  };
  const look = async (what: string) => {
    await assertDay(opened.archive, lines, recorded, what);
    opened = await reopen(directory, opened);
    await assertDay(opened.archive, lines, recorded, `${what}, and a restart`);
  };
  try {
    await add(linesBetween("a", 36_000, 36_300, 2, padding));
    await look("recorded");
    await heal(linesBetween("one", 36_101, 36_121, 2, padding));
    await look("healed once");
    await add(linesBetween("b", 36_300, 36_600, 2, padding));
    await look("grown");
    await heal([lineAt("early", 35_000), ...linesBetween("two", 36_401, 36_411, 2), lineAt("late", 36_700)]);
    await look("healed twice");
    await add([lineAt("late line", 36_200, padding), ...linesBetween("c", 36_600, 36_650)]);
    await look("grown again");
    await opened.seal();
    await look("sealed");
    await heal(linesBetween("three", 36_000, 36_600, 100));
    await look("healed when sealed");
    await add([lineAt("much later", 36_300)]);
    await look("reopened");
    await heal(linesBetween("four", 36_299, 36_303));
    await look("healed when reopened");
    await opened.seal();
    await look("sealed again");
    assert.equal(opened.archive.day(DAY)!.edition, 4);
    assert.equal(opened.archive.day(DAY)!.sealed, true);
  } finally {
    await opened.close();
  }
});

Deno.test("Archive.insert() into a day that gets lines all the time loses none, doubles none and keeps their order", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  const padding = 2000;
  const recorded: DayLine[] = linesBetween("a", 36_000, 38_000, 2, padding);
  await record(opened, recorded);
  let isOver = false;
  let second = 40_000;
  const recording = (async () => {
    while (!isOver) {
      const added = linesBetween("live", second, second += 20, 1, padding);
      appendDayLines(archive, added);
      recorded.push(...added);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const inserted: DayLine[] = [];
  for (let round = 0; round < 5; round++) {
    const found = linesBetween(`found ${round} `, 36_101 + round * 200, 36_151 + round * 200, 2, padding);
    await insertDayLines(archive, directory.path, found);
    inserted.push(...found);
  }
  isOver = true;
  await recording;
  await archive.sync();
  const lines = insertNaively(recorded, inserted);
  await assertDay(archive, lines, recorded);
  await using again = await reopen(directory, opened);
  await assertDay(again.archive, lines, recorded);
  await again.seal();
  await assertDay(again.archive, lines, recorded);
});

Deno.test("Whoever has begun to read a day, as text or as gzip, goes on with what it was when lines are inserted", async () => {
  for (const isSealed of [false, true]) {
    using directory = new TestDirectory();
    await using opened = await openArchive(directory);
    const { archive } = opened;
    const recorded = linesBetween("a", 36_000, 36_400, 2, 20_000);
    await record(opened, recorded);
    if (isSealed) await opened.seal();
    const text = archive.openText(DAY);
    const gzip = archive.openGzip(DAY);
    const whole = isSealed ? directory.read(`${DAY_NAME}.jsonl.gz`) : null;
    await insertDayLines(archive, directory.path, linesBetween("found", 36_001, 36_401, 2));
    await insertDayLines(archive, directory.path, [lineAt("again", 36_100)]);
    assert.ok(await new Response(text).text() === textOfLines(recorded), "the text");
    const bytes = new Uint8Array(await new Response(gzip).arrayBuffer());
    if (whole !== null) assert.ok(bytes.every((byte, at) => byte === whole[at]), "the bytes of the file");
    const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    assert.ok(await new Response(inflated).text() === textOfLines(recorded), "the gzip file");
    assert.equal(archive.day(DAY)!.lines, 401);
  }
});

Deno.test("Archive.insert() refuses no lines, a day that was removed, and a closed archive", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory, { retentionDays: 2 });
  const { archive, clock } = opened;
  {
    using found = await foundLines(directory.path, []);
    await assert.rejects(archive.insert(found), {
      name: "RangeError",
      message: "Cannot insert lines into 2026-11-22: none were found",
    });
  }
  await record(opened, RECORDED);
  await opened.seal();
  clock.skip(4 * 86_400_000);
  appendLines(archive, 0, 1, 0, DAY + 6);
  await archive.sync();
  await archive.maintain();
  assert.equal(archive.wasRemoved(DAY), true);
  using found = await foundLines(directory.path, GAP);
  await assert.rejects(archive.insert(found), {
    message: "Cannot insert lines into 2026-11-22: retention has removed it",
  });
  await opened.close();
  using later = await foundLines(directory.path, GAP);
  await assert.rejects(archive.insert(later), {
    message: "Cannot insert lines into 2026-11-22: the archive is closed",
  });
});

Deno.test("An archive that is closed while lines are inserted does not wait for that, and has the day as it was", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  const recorded = linesBetween("a", 36_000, 37_000, 1, 20_000);
  await record(opened, recorded);
  using found = await foundLines(directory.path, linesBetween("found", 36_000, 37_000, 1, 20_000));
  const inserting = archive.insert(found).then(() => "inserted", ({ message }) => message);
  await untilSo(() => directory.names().includes(`${DAY_NAME}.jsonl.gz.tmp`), "the new gzip file");
  const left = await opened.close();
  assert.equal(left, 0);
  assert.match(await inserting, /the block worker was ended/);
  found[Symbol.dispose]();
  assert.deepEqual(await verifyFaults(directory), []);
  await using again = await openArchive(directory);
  assert.deepEqual(again.archive.findings, []);
  assert.deepEqual(directory.names().filter((name) => /tmp$|edits$/.test(name)), []);
  assert.ok(await dayText(again.archive) === textOfLines(recorded));
});

Deno.test("A day into which lines are being inserted first is not told of before they are in it", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  using found = await foundLines(directory.path, GAP);
  const inserting = archive.insert(found);
  await untilSo(() => directory.names().includes(`${DAY_NAME}.edits`), "the beginning of the insertion");
  const { lines = 0 } = archive.day(DAY) ?? {};
  assert.ok(lines === 0 || lines === GAP.length);
  assert.equal(archive.days().every((day) => day.lines > 0), true);
  await inserting;
  assert.equal(archive.day(DAY)!.lines, GAP.length);
});

Deno.test("Lines that somebody follows are those that are recorded, whatever is inserted meanwhile", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  await record(opened, BEFORE_GAP);
  const feed = new LiveFeed({
    archive,
    clock: opened.clock,
    onFault: (error) => assert.fail(error as Error),
  });
  feed.start();
  let text = "";
  const request = { filter: EVERY_LINE, style: "jsonl" as const, isEvents: false };
  feed.join(request, { push: (lines) => void (text += new TextDecoder().decode(lines)), wake: () => {} });
  appendDayLines(archive, AFTER_GAP.slice(0, 10));
  await archive.sync();
  await insertDayLines(archive, directory.path, GAP); // before the feed has read what came
  appendDayLines(archive, AFTER_GAP.slice(10));
  await archive.sync();
  await insertDayLines(archive, directory.path, [lineAt("again", 36_130)]);
  await feed.flush();
  assert.ok(text === textOfLines(AFTER_GAP));
  feed.stop();
  await feed.idle();
  const late = new LiveFeed({
    archive,
    clock: opened.clock,
    onFault: (error) => assert.fail(error as Error),
  });
  late.start();
  text = "";
  late.join(request, { push: (lines) => void (text += new TextDecoder().decode(lines)), wake: () => {} });
  appendDayLines(archive, [lineAt("last", 36_200)]);
  await archive.sync();
  await late.flush();
  assert.equal(text, textOfLines([lineAt("last", 36_200)]));
  late.stop();
  await late.idle();
});
