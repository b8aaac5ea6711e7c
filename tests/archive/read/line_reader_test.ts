import assert from "node:assert/strict";
import type { LineRequest } from "../../../lib/archive/read/line_chunk.ts";
import { MemoryBudget, NoRoom, READER_BYTES, ROOM_WAIT_MS } from "../../../lib/machine/memory_budget.ts";
import { FoundLines } from "../../../lib/archive/found_lines.ts";
import { IndexCache } from "../../../lib/archive/read/index_cache.ts";
import { LineReader } from "../../../lib/archive/read/line_reader.ts";
import { firstBytes, planRanges, rangesFrom } from "../../../lib/archive/read/plan.ts";
import { ReadPool } from "../../../lib/archive/read/pool.ts";
import type { DayInfo } from "../../../lib/archive/day/day_info.ts";
import type { FilterSpec } from "../../../lib/filter/filter.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { appendLines, DAY, DAY_NAME, NOON, openArchive, TestDirectory, textOf } from "../archive_rig.ts";
import { createDay } from "../day/day_rig.ts";
import { heal, namedRecord, namesIn, recordNamed } from "../healed_rig.ts";
import { FIRST_DAY, openVaried } from "../varied_archive.ts";

const ALL: FilterSpec = { apps: [], regions: [], instances: [], levels: [] };

function requestFor(
  days: readonly DayInfo[],
  filter: FilterSpec,
  limit: number | null,
): LineRequest {
  const ranges = planRanges(days, filter, { day: null, start: null });
  return { ranges, filter, style: "jsonl", events: null, limit };
}

Deno.test("LineReader.read() stops reading when whoever reads has enough", async () => {
  using directory = new TestDirectory();
  await using test = await openVaried(directory, 21);
  const { archive } = test;
  const opened: number[] = [];
  for await (const chunk of archive.lines.read(requestFor(archive.days(), ALL, null))) {
    opened.push(chunk.end.day);
    break;
  }
  assert.deepEqual(opened, [FIRST_DAY]);
  // The sanitizer would find the files of the day open.
});

Deno.test("LineReader.read() gives the place behind the last line of a limit", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const line = new TextEncoder().encode('{"message":"x"}');
  for (let i = 0; i < 10; i++) test.archive.append(DAY, line, false, null);
  await test.archive.sync();
  const chunks = [];
  for await (const chunk of test.archive.lines.read(requestFor(test.archive.days(), ALL, 3))) {
    chunks.push(chunk);
  }
  assert.equal(chunks.length, 1);
  assert.equal(chunks[0]!.lines, 3);
  assert.deepEqual(chunks[0]!.end, { day: DAY, offset: 3 * (line.length + 1), edition: 0 });
});

Deno.test("LineReader.read() fails when a day is not there any more", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const ranges = [{ day: DAY, start: 0, end: 10, edition: 0, timedOnly: false }];
  const lines = test.archive.lines.read({ ranges, filter: ALL, style: "jsonl", events: null, limit: null });
  await assert.rejects(() => lines.next(), /Cannot read 2026-11-22: nothing was recorded/);
});

Deno.test("LineReader.readTail() tells where to begin when the last lines are too large to hold", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const line = new TextEncoder().encode(`{"message":"${"x".repeat(10_000)}"}`);
  for (let i = 0; i < 1200; i++) test.archive.append(DAY, line, false, null);
  await test.archive.sync();
  const { start, chunks } = await test.archive.lines.readTail(requestFor(test.archive.days(), ALL, 1000));
  assert.equal(chunks, null);
  assert.deepEqual(start, { day: DAY, offset: 200 * (line.length + 1), edition: 0 });
});

Deno.test("LineReader.reserve() gives as many places as there is memory for, the next one when one is given back", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  const memory = new MemoryBudget({ limitBytes: 3 * READER_BYTES, clock });
  await using test = await openArchive(directory, { clock, memory });
  const { lines } = test.archive;
  const slots = await Promise.all([lines.reserve(), lines.reserve(), lines.reserve()]);
  assert.equal(lines.readers, 3);
  const next = lines.reserve();
  slots[0]![Symbol.dispose]();
  slots[0]![Symbol.dispose]();
  (await next)[Symbol.dispose]();
  assert.equal(lines.readers, 2);
  slots.push(await lines.reserve());
  const late = assert.rejects(lines.reserve(), NoRoom);
  clock.advance(ROOM_WAIT_MS);
  await late;
  for (const slot of slots) slot[Symbol.dispose]();
  assert.equal(memory.heldBytes, 0);
});

Deno.test("LineReader.readTail() tells where to begin when there is no room for the last lines", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  const memory = new MemoryBudget({ limitBytes: READER_BYTES, clock });
  await using test = await openArchive(directory, { clock, memory });
  const line = new TextEncoder().encode(`{"message":"${"x".repeat(1000)}"}`);
  for (let i = 0; i < 5000; i++) test.archive.append(DAY, line, false, null);
  await test.archive.sync();
  using _slot = await test.archive.lines.reserve();
  using tail = await test.archive.lines.readTail(requestFor(test.archive.days(), ALL, 4000));
  assert.equal(tail.chunks, null);
  assert.deepEqual(tail.start, { day: DAY, offset: 1000 * (line.length + 1), edition: 0 });
});

Deno.test("LineReader.read() gives back the room of what it read ahead when a block is damaged", async () => {
  using directory = new TestDirectory();
  {
    await using opened = await openArchive(directory);
    appendLines(opened.archive, 0, 5000, 1000);
    await opened.seal();
  }
  const gz = directory.read(`${DAY_NAME}.jsonl.gz`);
  gz[Math.floor(gz.length / 2)]! ^= 0x10;
  directory.write(`${DAY_NAME}.jsonl.gz`, gz);
  const clock = new FakeClock(NOON);
  const memory = new MemoryBudget({ limitBytes: 100 * READER_BYTES, clock });
  await using opened = await openArchive(directory, { clock, memory });
  const lines = opened.archive.lines.read(requestFor(opened.archive.days(), ALL, null));
  await assert.rejects(Array.fromAsync(lines), /Cannot read block at \d+ of 2026-11-22: /);
  assert.equal(memory.heldBytes, 0);
});

/** A day with a sealed part of three blocks and lines after it, and each line's offset. */
async function reopened(directory: TestDirectory) {
  const test = await openArchive(directory);
  appendLines(test.archive, 0, 2500, 1000);
  await test.seal();
  appendLines(test.archive, 2500, 2600, 1000);
  await test.archive.sync();
  const offsets = [0];
  for (let number = 0; number < 2600; number++) {
    offsets.push(offsets.at(-1)! + textOf(number, number + 1, 1000).length);
  }
  return { test, offsets };
}

Deno.test("LineReader.read() gives each line with its place when asked, whatever is made of it", async () => {
  using directory = new TestDirectory();
  const { test, offsets } = await reopened(directory);
  await using _test = test;
  for (const [style, limit] of [["jsonl", null], ["text", null], ["jsonl", 2000]] as const) {
    const request = { ...requestFor(test.archive.days(), ALL, limit), style, withPlaces: true };
    let number = 0;
    for await (const chunk of test.archive.lines.read(request)) {
      assert.equal(chunk.lines, chunk.placed!.length);
      let bytes = 0;
      for (const line of chunk.placed!) {
        assert.equal(line.start.offset, offsets[number]);
        assert.equal(line.end.offset, offsets[++number]);
        bytes += line.bytes.length;
      }
      assert.equal(bytes, chunk.bytes.length);
    }
    assert.equal(number, limit ?? 2600);
  }
});

Deno.test("LineReader.readTail() keeps the places of the last lines when asked", async () => {
  using directory = new TestDirectory();
  const { test, offsets } = await reopened(directory);
  await using _test = test;
  using tail = await test.archive.lines.readTail({
    ...requestFor(test.archive.days(), ALL, 200),
    withPlaces: true,
  });
  const starts = tail.chunks!.flatMap(({ placed }) => placed!.map(({ start }) => start.offset));
  assert.deepEqual(starts, offsets.slice(2400, 2600));
});

Deno.test("LineReader.lineStart() finds where a line begins from any of its bytes, in every part of a day", async () => {
  using directory = new TestDirectory();
  const { test, offsets } = await reopened(directory);
  await using _test = test;
  for (const number of [0, 1, 1000, 2499, 2500, 2501, 2599]) {
    const start = { day: DAY, offset: offsets[number]!, edition: 0 };
    for (const offset of [start.offset, start.offset + 1, offsets[number + 1]! - 1]) {
      assert.deepEqual(
        await test.archive.lines.lineStart({ day: DAY, offset, edition: 0 }),
        start,
        `byte ${offset}`,
      );
    }
  }
});

Deno.test("LineReader.timeBefore() tells the time of the last line before a place that has one", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const untimed = new TextEncoder().encode('{"message":"no time"}');
  appendLines(test.archive, 0, 2); // of 10:00:00.5 and 10:00:01.5
  test.archive.append(DAY, untimed, false, null);
  await test.archive.sync();
  const end = test.archive.day(DAY)!.bytes;
  const secondMs = Date.parse("2026-11-22T10:00:01.5Z");
  const { lines } = test.archive;
  assert.equal(await lines.timeBefore({ day: DAY, offset: end, edition: 0 }), secondMs);
  assert.equal(await lines.timeBefore({ day: DAY, offset: end - untimed.length - 1, edition: 0 }), secondMs);
  assert.equal(
    await lines.timeBefore({ day: DAY, offset: textOf(0, 1).length, edition: 0 }),
    secondMs - 1000,
  );
  assert.equal(await lines.timeBefore({ day: DAY, offset: 0, edition: 0 }), null);
});

/** The names of the lines of a request, with their places. */
async function readNamed(
  reader: LineReader,
  request: Pick<LineRequest, "ranges">,
): Promise<{ names: string[]; editions: Set<number> }> {
  const found = { names: [] as string[], editions: new Set<number>() };
  const whole = { filter: ALL, style: "jsonl", events: null, limit: null, withPlaces: true } as const;
  for await (const { placed } of reader.read({ ...whole, ...request })) {
    for (const { start, bytes } of placed!) {
      found.names.push(...namesIn(new TextDecoder().decode(bytes)));
      found.editions.add(start.edition);
    }
  }
  return found;
}

const FOUR = ["a", "b", "c", "d"].map((name, number) => ({ name, second: 10 * number }));

Deno.test("LineReader.read() reads what was planned before lines were inserted, and these where they belong", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const { archive } = test;
  recordNamed(archive, FOUR);
  await archive.sync();
  const { ranges } = requestFor(archive.days(), ALL, null);
  const length = ranges[0]!.end / 4;
  const [first, second] = [firstBytes(ranges, 2 * length), [{ ...ranges[0]!, start: 2 * length }]];
  await heal(archive, directory, [{ name: "x", second: 5 }, { name: "y", second: 15 }, {
    name: "z",
    second: 99,
  }]);
  const { lines } = archive;
  assert.deepEqual(await readNamed(lines, { ranges: first }), {
    names: ["a", "x", "b"],
    editions: new Set([1]),
  });
  assert.deepEqual((await readNamed(lines, { ranges: second })).names, ["y", "c", "d"]);
  using tail = await lines.readTail({ ...requestFor([], ALL, 2), ranges: second });
  assert.deepEqual(tail.start, { day: DAY, offset: 4 * length, edition: 1 });
  assert.deepEqual((await readNamed(lines, { ranges: rangesFrom(second, tail.start!) })).names, ["c", "d"]);
  const { startEdition: _, ...now } = { ...second[0]!, start: 3 * length, end: 7 * length, edition: 1 };
  assert.deepEqual((await readNamed(lines, { ranges: [now] })).names, ["y", "c", "d", "z"]);
});

Deno.test("LineReader.read() goes on with the text that it has begun to read when lines are inserted into it", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const { archive } = test;
  const long = Array.from(
    { length: 40 },
    (_, number) => ({ name: `n${number}`, second: number, padding: 100_000 }),
  );
  recordNamed(archive, long);
  await test.seal();
  const names: string[] = [];
  const request = { ...requestFor(archive.days(), ALL, null), withPlaces: true };
  for await (const { bytes, end } of archive.lines.read(request)) {
    names.push(...namesIn(new TextDecoder().decode(bytes)));
    assert.equal(end.edition, 0);
    if (names.length < 20) await heal(archive, directory, [{ name: "late", second: 39 }]);
  }
  assert.deepEqual(names, long.map(({ name }) => name));
});

Deno.test("LineReader.lineStart() finds the line that is meant though others are put before it between its two looks", async () => {
  using directory = new TestDirectory();
  const { clock, day } = createDay(directory);
  for (const line of FOUR) {
    day.append(new TextEncoder().encode(namedRecord(line)), false, {
      seconds: DAY * 86_400 + line.second,
      nanoseconds: 0,
    });
  }
  await day.writer!.sync();
  const length = day.bytes / 4;
  const pool = new ReadPool(clock, 1);
  const reading = { pool, indexes: new IndexCache() };
  const before = day.open(reading);
  using found = new FoundLines(directory.path, DAY);
  const time = { seconds: DAY * 86_400 + 15, nanoseconds: 0 };
  await found.add(new TextEncoder().encode(namedRecord({ name: "x", second: 15 })), time);
  await found.close();
  await day.insert(found);
  let opened = 0;
  const reader = new LineReader({
    pool,
    memory: new MemoryBudget({ limitBytes: 100 * READER_BYTES, clock }),
    open: () => opened++ === 0 ? before : day.open(reading),
  });
  const start = await reader.lineStart({ day: DAY, offset: 2 * length, edition: 0 });
  assert.deepEqual(start, { day: DAY, offset: 3 * length, edition: 1 });
  assert.equal(opened, 4);
  pool.close();
  await day.close();
});

Deno.test("LineReader.isBetweenLines() tells it of places of each edition", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const { archive } = test;
  recordNamed(archive, FOUR);
  await test.seal();
  recordNamed(archive, [{ name: "e", second: 40 }]);
  await archive.sync();
  const length = archive.day(DAY)!.bytes / 5;
  await heal(archive, directory, [{ name: "x", second: 15 }]);
  for (const edition of [0, 1]) {
    for (let line = 0; line <= 5 + edition; line++) {
      const offset = line * length;
      assert.equal(
        await archive.lines.isBetweenLines({ day: DAY, offset, edition }),
        true,
        `${offset}.${edition}`,
      );
      if (line === 0) continue;
      const inside = { day: DAY, offset: offset - 1, edition };
      assert.equal(await archive.lines.isBetweenLines(inside), false, `${inside.offset}.${edition}`);
    }
  }
  assert.deepEqual(await archive.lines.translate({ day: DAY, offset: 2 * length, edition: 0 }, "start"), {
    day: DAY,
    offset: 3 * length,
    edition: 1,
  });
});
