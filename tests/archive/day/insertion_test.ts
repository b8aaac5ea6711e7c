import assert from "node:assert/strict";
import { runBlockTask } from "../../../lib/archive/blocks/block_task.ts";
import { BLOCK_BYTES, TEMPORARY_SUFFIX } from "../../../lib/archive/format.ts";
import { insertLines, type InsertTask } from "../../../lib/archive/day/insertion.ts";
import { inflateAsPython, TestDirectory } from "../archive_rig.ts";
import {
  EDITS,
  type Found,
  GZ,
  INDEX,
  insertFound,
  insertTask,
  readIndex,
  readText,
  timedLine,
  writeFound,
  writeSealed,
} from "./insertion_rig.ts";

/** The line of a time, named after it, with its line feed. */
function line(time: string, padding = 0): string {
  return `${timedLine(time, time, padding)}\n`;
}

/** The same line to insert. */
function found(time: string, padding = 0): Found {
  return [timedLine(time, time, padding), time];
}

/** Lines of the minutes from `from` to before `end` after midnight. */
function minutes(from: number, end: number, padding = 0): string {
  let text = "";
  for (let at = from; at < end; at++) text += line(minute(at), padding);
  return text;
}

function minute(at: number): string {
  return new Date(at * 60_000).toISOString().slice(11, 19);
}

Deno.test("Found lines stand at their times, before the first line, between lines, after equal ones and at the end", async () => {
  using directory = new TestDirectory();
  writeSealed(directory, [minutes(0, 10), minutes(10, 20)]);
  const times = ["00:00:00", "00:04:00", "00:04:30", "00:09:59", "00:10:00", "00:19:00", "23:00:00"];
  const found: Found[] = times.map((time) => [timedLine(`found ${time}`, time), time]);
  const before = readText(directory).split("\n");
  const inserted = await insertFound(directory, [[timedLine("first", "00:00:00"), "00:00:00"], ...found]);
  assert.equal(inserted.lines, 8);
  const names = [...readText(directory).matchAll(/"message":"([^"]*)"/g)].map(([, name]) => name);
  assert.deepEqual(names.slice(0, 4), ["00:00:00", "first", "found 00:00:00", "00:01:00"]);
  assert.deepEqual(names.slice(6, 9), ["00:04:00", "found 00:04:00", "found 00:04:30"]);
  assert.deepEqual(names.slice(13, 16), ["00:09:00", "found 00:09:59", "00:10:00"]);
  assert.deepEqual(names.slice(-3), ["00:19:00", "found 00:19:00", "found 23:00:00"]);
  const after = readText(directory).split("\n");
  assert.deepEqual(
    after.filter((text) => before.includes(text)),
    before,
    "what was there is there, in its order",
  );
  assert.ok(inflateAsPython(directory.file(GZ)).length === readIndex(directory).seal.rawBytes);
});

Deno.test("A found line before all others is the first of the day", async () => {
  using directory = new TestDirectory();
  writeSealed(directory, [minutes(5, 10)]);
  await insertFound(directory, [found("00:00:01")]);
  assert.equal(readText(directory), line("00:00:01") + minutes(5, 10));
});

Deno.test("A day of which nothing was recorded gets its found lines", async () => {
  using directory = new TestDirectory();
  const { seal } = await insertFound(directory, [found("10:00:00"), found("10:00:00.5")]);
  assert.equal(readText(directory), line("10:00:00") + line("10:00:00.5"));
  assert.deepEqual(seal.healed, { edition: 1, bytes: seal.rawBytes, lines: 2, editsBytes: 48 });
  assert.deepEqual(readIndex(directory).seal, seal);
});

Deno.test("Lines without a time stay behind the line that they came after", async () => {
  using directory = new TestDirectory();
  const untimed = `${timedLine("stack trace", null)}\n`;
  writeSealed(directory, [line("10:00:00") + untimed.repeat(200), untimed + line("10:10:00") + untimed]);
  await insertFound(directory, [found("10:05:00"), found("10:20:00")]);
  const wanted = line("10:00:00") + untimed.repeat(201) + line("10:05:00") + line("10:10:00") + untimed +
    line("10:20:00");
  assert.equal(readText(directory), wanted);
});

Deno.test("A wrong clock hours ahead in an earlier block draws no line to it, and its block is copied as it lies", async () => {
  using directory = new TestDirectory();
  const blocks = [minutes(0, 5) + line("20:00:00") + minutes(5, 40), minutes(40, 80), minutes(80, 120)];
  writeSealed(directory, blocks);
  const before = readIndex(directory).blocks;
  await insertFound(directory, [found("01:30:30")]);
  assert.equal(
    readText(directory),
    blocks[0]! + blocks[1]! + minutes(80, 91) + line("01:30:30") + minutes(91, 120),
  );
  assert.deepEqual(readIndex(directory).blocks.slice(0, 2), before.slice(0, 2));
});

Deno.test("Only the block that gets lines is made anew, the others are copied byte for byte", async () => {
  using directory = new TestDirectory();
  const perBlock = 900;
  const text = (block: number) => minutes(block * perBlock / 30, (block + 1) * perBlock / 30, 30_000);
  const blocks = Array.from({ length: 6 }, (_, block) => text(block));
  writeSealed(directory, blocks);
  const old = readIndex(directory).blocks;
  const oldGz = directory.read(GZ);
  await insertFound(directory, [found("01:15:30")]);
  const { blocks: entries } = readIndex(directory);
  const gz = directory.read(GZ);
  assert.deepEqual(entries.map(({ lines }) => lines), [30, 30, 31, 30, 30, 30]);
  assert.deepEqual(entries.slice(0, 2), old.slice(0, 2));
  for (const number of [3, 4, 5]) {
    const [was, is] = [old[number]!, entries[number]!];
    assert.deepEqual({ ...is, ...placeOf(was) }, was);
    assert.deepEqual(
      gz.subarray(is.gzOffset, is.gzOffset + is.gzLength),
      oldGz.subarray(was.gzOffset, was.gzOffset + was.gzLength),
    );
  }
});

function placeOf(
  { rawOffset, gzOffset, totalCrc32 }: { rawOffset: number; gzOffset: number; totalCrc32: string },
) {
  return { rawOffset, gzOffset, totalCrc32 };
}

Deno.test("Found lines of a mebibyte and more are inserted whole", async () => {
  using directory = new TestDirectory();
  writeSealed(directory, [minutes(0, 10), minutes(10, 20)]);
  const long = [
    found("00:05:30", BLOCK_BYTES),
    found("00:05:31", BLOCK_BYTES - 150),
    found("00:15:30", 3 * BLOCK_BYTES),
  ];
  await insertFound(directory, long);
  const wanted = minutes(0, 6) + long[0]![0] + "\n" + long[1]![0] + "\n" + minutes(6, 16) + long[2]![0] +
    "\n" +
    minutes(16, 20);
  assert.ok(readText(directory) === wanted);
});

Deno.test("Lines inserted into the same place time and again leave no crumbs", async () => {
  using directory = new TestDirectory();
  writeSealed(directory, [minutes(0, 30, 30_000), minutes(30, 60, 30_000)]);
  for (let turn = 0; turn < 20; turn++) await insertFound(directory, [found("00:29:30", 60_000)]);
  const { blocks, seal } = readIndex(directory);
  assert.equal(seal.healed!.edition, 20);
  assert.equal(seal.lines, 80);
  assert.ok(
    blocks.every(({ rawLength }) => rawLength > BLOCK_BYTES / 4),
    JSON.stringify(blocks.map((b) => b.rawLength)),
  );
});

Deno.test("Lines added to the end time and again leave no crumbs", async () => {
  using directory = new TestDirectory();
  for (let turn = 0; turn < 20; turn++) await insertFound(directory, [found(minute(turn))]);
  assert.equal(readText(directory), minutes(0, 20));
  assert.equal(readIndex(directory).blocks.length, 1);
});

Deno.test("The block worker inserts lines as it does its other tasks", async () => {
  using directory = new TestDirectory();
  writeSealed(directory, [minutes(0, 10)]);
  using lines = await writeFound(directory, [found("00:05:30")]);
  const result = runBlockTask(insertTask(directory, lines.path));
  assert.deepEqual("inserted" in result && result.inserted.lines, 1);
});

Deno.test("Nothing that is read is changed before the files take their place", async () => {
  using directory = new TestDirectory();
  writeSealed(directory, [minutes(0, 10), minutes(10, 20)]);
  const before = [directory.read(GZ), directory.read(INDEX)];
  using lines = await writeFound(directory, [found("00:05:30")]);
  insertLines(insertTask(directory, lines.path));
  assert.deepEqual([directory.read(GZ), directory.read(INDEX)], before);
  assert.deepEqual(
    directory.names(),
    [EDITS, GZ, INDEX, GZ + TEMPORARY_SUFFIX, INDEX + TEMPORARY_SUFFIX, lines.path.split("/").at(-1)!].sort(),
  );
});

type Spoil = (directory: TestDirectory, task: InsertTask) => InsertTask | void;

const FAILURES: [what: string, spoil: Spoil, message: RegExp][] = [
  [
    "there are none",
    (_, task) => Deno.truncateSync(task.foundPath),
    /^RangeError: Cannot insert the lines of ".*": there are none$/,
  ],
  [
    "they are out of order",
    (_, { foundPath }) =>
      Deno.writeTextFileSync(foundPath, "1795341601.000000000 {}\n1795341600.000000000 {}\n"),
    /not in the order of their times/,
  ],
  [
    "they have no times",
    (_, { foundPath }) => Deno.writeTextFileSync(foundPath, "{}\n"),
    /when it is to be placed/,
  ],
  ["they are gone", (_, task) => Deno.removeSync(task.foundPath), /No such file/],
  [
    "a block is damaged that is to be copied",
    (directory) => flip(directory, 100),
    /Cannot read the block at 10 of ".*jsonl.gz": its bytes are not those that were written/,
  ],
  [
    "the gzip file is cut",
    (directory) => directory.write(GZ, directory.read(GZ).slice(0, -30)),
    /Cannot read the block at \d+ of ".*jsonl.gz"/,
  ],
  ["the gzip file cannot be written", (directory, task) => {
    return { ...task, gzTargetPath: directory.file("missing/a") };
  }, /os error 2/],
  ["the edits cannot be written", (directory, task) => {
    return { ...task, editsPath: directory.file("missing/a") };
  }, /os error 2/],
  ["the index cannot be written", (directory, task) => {
    return { ...task, indexTargetPath: directory.file("missing/a") };
  }, /os error 2/],
];
for (const [what, spoil, message] of FAILURES) {
  for (const isHealed of [false, true]) {
    const when = isHealed ? "healed before" : "never healed";
    Deno.test(`Lines are not inserted into a day that was ${when} if ${what}, and nothing is left of it`, async () => {
      using directory = new TestDirectory();
      writeSealed(directory, [minutes(0, 10), minutes(10, 20)]);
      if (isHealed) await insertFound(directory, [found("00:15:15")]);
      using lines = await writeFound(directory, [found("00:15:30")]);
      const task = insertTask(directory, lines.path);
      const spoilt = spoil(directory, task) ?? task;
      const before = filesOf(directory);
      assert.throws(() => insertLines(spoilt), message);
      assert.deepEqual(filesOf(directory), before);
    });
  }
}

function flip(directory: TestDirectory, at: number): void {
  const gz = directory.read(GZ);
  gz[at]! ^= 1;
  directory.write(GZ, gz);
}

function filesOf(directory: TestDirectory): Map<string, Uint8Array> {
  return new Map(directory.names().map((name) => [name, directory.read(name)]));
}
