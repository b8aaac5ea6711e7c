import assert from "node:assert/strict";
import type { Archive } from "../../../lib/archive/archive.ts";
import { REMEMBERED_DIGESTS_LIMIT } from "../../../lib/archive/read/day_digests.ts";
import { runDigestTask } from "../../../lib/archive/read/worker.ts";
import { dayName } from "../../../lib/day.ts";
import { createEnvelope } from "../../../lib/line/envelope.ts";
import { LineIdentifier } from "../../../lib/line/identity.ts";
import { type MinuteTable, sumText } from "../../../lib/line/minute_sums.ts";
import { MemoryBudget, READER_BYTES } from "../../../lib/machine/memory_budget.ts";
import { parseTimestamp } from "../../../lib/timestamp.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { createRandom } from "../../rig/random.ts";
import {
  appendLines,
  DAY,
  DAY_NAME,
  dayText,
  NOON,
  openArchive,
  type TestArchive,
  TestDirectory,
} from "../archive_rig.ts";
import {
  appendDayLines,
  type DayLine,
  insertDayLines,
  insertNaively,
  linesBetween,
  textOfLines,
} from "../healing_rig.ts";

const encoder = new TextEncoder();

/** A line of the stream, of a time of {@linkcode DAY_NAME} or of a whole timestamp; padded, three of them make a block. */
function lineAt(time: string, message: string, padding = 0): string {
  const timestamp = time.includes("T") ? time : `${DAY_NAME}T${time}Z`;
  const fly = { app: { instance: "0e286551c30586", name: "web" }, region: "fra" };
  return JSON.stringify({ fly, host: "0ad1", message: message + "x".repeat(padding), timestamp });
}

/** The same line in other bytes: another order, escapes, white space, another offset. */
function otherForm(line: string): string {
  const { fly, message, timestamp } = JSON.parse(line);
  const atOffset = timestamp.replace(/T(\d\d)(.*)Z$/, (_: string, hour: string, rest: string) => {
    return `T${String(Number(hour) + 1).padStart(2, "0")}${rest}+01:00`;
  });
  const escaped = JSON.stringify(message).replace("é", "\\u00e9");
  return `{ "timestamp":"${atOffset}", "message":${escaped}, "fly":${JSON.stringify(fly)} }`;
}

function append(archive: Archive, lines: readonly string[]): void {
  for (const line of lines) {
    const time = /"timestamp":"([^"]*)"/.exec(line);
    archive.append(DAY, encoder.encode(line), false, time && parseTimestamp(time[1]!));
  }
}

/** Lines of three hours, of which every tenth is an exact repeat, padded to about six blocks. */
function manyLines(): string[] {
  const lines: string[] = [];
  for (let number = 0; number < 600; number++) {
    const time = `0${number % 3}:${String(number % 60).padStart(2, "0")}:07.${number}`;
    const line = lineAt(time, `café ${number}`, 10_000);
    lines.push(line);
    if (number % 10 === 0) lines.push(line);
  }
  return lines;
}

/** A table as an object that says which minute has which lines. */
function shown(table: MinuteTable): Record<string, string> {
  const minutes = Array.from(table.minutes, (minute, index): [string, string] => {
    const name = new Date(minute * 60_000).toISOString().slice(0, 16);
    return [name, `${table.lines[index]} ${sumText(table.sums, index)}`];
  });
  const distant = `${table.distantLines} ${sumText(table.distantSum, 0)}`;
  return { ...Object.fromEntries(minutes), distant, withoutIdentity: String(table.withoutIdentity) };
}

/** The digest, reckoned line by line with big integers. */
function expectedOf(text: string): Record<string, string> {
  const identifier = new LineIdentifier();
  const minutes = new Map<string, { lines: number; sum: bigint }>();
  let withoutIdentity = 0;
  for (const line of text.split("\n").slice(0, -1)) {
    const bytes = encoder.encode(line);
    const identity = identifier.identify(bytes, 0, bytes.length);
    if (identity === null) {
      withoutIdentity++;
      continue;
    }
    const minute = new Date(identifier.seconds * 1000).toISOString().slice(0, 16);
    const { lines, sum } = minutes.get(minute) ?? { lines: 0, sum: 0n };
    minutes.set(minute, { lines: lines + 1, sum: BigInt.asUintN(128, sum + BigInt(`0x${identity}`)) });
  }
  const entries = [...minutes].map(([minute, { lines, sum }]) => {
    return [minute, `${lines} ${sum.toString(16).padStart(32, "0")}`];
  });
  const distant = `0 ${"0".repeat(32)}`;
  return { ...Object.fromEntries(entries), distant, withoutIdentity: String(withoutIdentity) };
}

async function digestOf({ archive }: TestArchive): Promise<Record<string, string>> {
  return shown(await archive.digests.digest(DAY));
}

/** What differs between two digests. */
function differing(a: Record<string, string>, b: Record<string, string>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
}

Deno.test("DayDigests.digest() has each line of a day that is hot, sealed, reopened, and sealed again", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const { archive } = test;
  const lines = manyLines();
  append(archive, lines.slice(0, 400));
  await archive.sync();
  assert.deepEqual(await digestOf(test), expectedOf(await dayText(archive)));
  await test.seal();
  assert.deepEqual(await digestOf(test), expectedOf(await dayText(archive)));
  append(archive, lines.slice(400));
  await archive.sync();
  assert.equal(archive.day(DAY)!.sealed, false);
  const whole = await digestOf(test);
  assert.deepEqual(whole, expectedOf(await dayText(archive)));
  await test.seal();
  assert.equal(archive.day(DAY)!.sealed, true);
  assert.deepEqual(await digestOf(test), whole);
  await test.close();
  await using opened = await openArchive(directory);
  assert.deepEqual(await digestOf(opened), whole);
});

Deno.test("DayDigests.digest() is the same for the same lines in another order and in other bytes", async () => {
  using directoryA = new TestDirectory(), directoryB = new TestDirectory();
  await using a = await openArchive(directoryA);
  await using b = await openArchive(directoryB);
  const lines = manyLines();
  append(a.archive, lines);
  const random = createRandom(9);
  const mixed = lines.map((line) => ({ line, at: random() })).sort((x, y) => x.at - y.at);
  append(b.archive, mixed.map(({ line }) => otherForm(line)));
  await a.seal();
  await b.archive.sync();
  assert.notEqual(await dayText(a.archive), await dayText(b.archive));
  assert.deepEqual(await digestOf(a), await digestOf(b));
});

for (
  const [what, more] of [
    ["a line more", lineAt("02:30:00.123456789", "more")],
    ["a line twice as often", lineAt("02:30:07", "once")],
    ["a line that differs in a nanosecond", lineAt("02:30:07.000000001", "once")],
  ] as const
) {
  Deno.test(`DayDigests.digest() differs in just the minute of ${what}`, async () => {
    using directoryA = new TestDirectory(), directoryB = new TestDirectory();
    await using a = await openArchive(directoryA);
    await using b = await openArchive(directoryB);
    const lines = [lineAt("02:29:59", "before"), lineAt("02:30:07", "once"), lineAt("02:31:00", "after")];
    append(a.archive, lines);
    append(b.archive, [...lines, more]);
    await Promise.all([a.archive.sync(), b.archive.sync()]);
    assert.deepEqual(differing(await digestOf(a), await digestOf(b)), [`${DAY_NAME}T02:30`]);
  });
}

Deno.test("DayDigests.digest() tells a line twice from another line twice", async () => {
  using directoryA = new TestDirectory(), directoryB = new TestDirectory();
  await using a = await openArchive(directoryA);
  await using b = await openArchive(directoryB);
  const [one, other] = [lineAt("02:30:00", "one"), lineAt("02:30:00", "other")];
  append(a.archive, [one, one]);
  append(b.archive, [other, other]);
  await Promise.all([a.archive.sync(), b.archive.sync()]);
  assert.deepEqual(differing(await digestOf(a), await digestOf(b)), [`${DAY_NAME}T02:30`]);
});

Deno.test("DayDigests.digest() keeps minutes outside of the day, and counts apart what has no identity", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const { archive } = test;
  append(archive, [
    lineAt("10:00:59.999999999", "of the day"),
    lineAt("1970-01-01T00:00:30Z", "no clock"),
    lineAt("2027-11-22T10:00:00Z", "a year ahead"),
    lineAt("2026-02-30T10:00:00Z", "no such day"),
    '{"message":"no time"}',
    "no record",
  ]);
  const payload = encoder.encode("no JSON");
  const envelope = { payload, subject: "logs.web.fra.1", receivedMs: Date.parse(NOON), reason: "not JSON" };
  archive.append(DAY, createEnvelope(envelope), false, parseTimestamp(NOON));
  await archive.sync();
  const table = await archive.digests.digest(DAY);
  const minutes = Array.from(table.minutes, (minute) => new Date(minute * 60_000).toISOString().slice(0, 16));
  assert.deepEqual(minutes, ["1970-01-01T00:00", `${DAY_NAME}T10:00`, "2027-11-22T10:00"]);
  assert.deepEqual([...table.lines], [1, 1, 1]);
  assert.equal(table.withoutIdentity, 4);
});

Deno.test("DayDigests.digest() fails for a day without lines", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  await assert.rejects(test.archive.digests.digest(DAY), RangeError);
});

Deno.test("DayDigests.digest() reads no block again that it has read, whatever becomes of the day", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const { archive } = test;
  append(archive, manyLines());
  await test.seal();
  const sealed = await digestOf(test);
  const gzFile = `${DAY_NAME}.jsonl.gz`;
  const intact = directory.read(gzFile);
  // Who reads the first block fails now.
  directory.write(gzFile, intact.slice().fill(0, 100, 1000));
  await assert.rejects(dayText(archive));
  assert.deepEqual(await digestOf(test), sealed);
  append(archive, [lineAt("05:00:00", "late")]);
  await archive.sync();
  assert.deepEqual(differing(await digestOf(test), sealed), [`${DAY_NAME}T05:00`]);
  directory.write(gzFile, intact);
  await test.seal();
  directory.write(gzFile, directory.read(gzFile).fill(0, 100, 1000));
  assert.equal(archive.day(DAY)!.sealed, true);
  await assert.rejects(dayText(archive));
  assert.deepEqual(differing(await digestOf(test), sealed), [`${DAY_NAME}T05:00`]);
});

Deno.test("DayDigests.digest() goes on from the blocks that a hot day had when it was asked for before", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const { archive } = test;
  const lines = manyLines();
  for (let at = 0; at < lines.length; at += 150) {
    append(archive, lines.slice(at, at + 150));
    await archive.sync();
    assert.deepEqual(await digestOf(test), expectedOf(await dayText(archive)));
  }
  await test.seal();
  assert.deepEqual(await digestOf(test), expectedOf(await dayText(archive)));
});

Deno.test("DayDigests.digest() fails where a block is damaged, and gives back its room", async () => {
  using directory = new TestDirectory();
  {
    await using test = await openArchive(directory);
    append(test.archive, manyLines());
    await test.seal();
  }
  const gz = directory.read(`${DAY_NAME}.jsonl.gz`);
  gz[Math.floor(gz.length / 2)]! ^= 0x10;
  directory.write(`${DAY_NAME}.jsonl.gz`, gz);
  const clock = new FakeClock(NOON);
  const memory = new MemoryBudget({ limitBytes: 100 * READER_BYTES, clock });
  await using test = await openArchive(directory, { clock, memory });
  for (let time = 0; time < 2; time++) {
    await assert.rejects(
      test.archive.digests.digest(DAY),
      new RegExp(`^Error: Cannot read block at \\d+ of ${DAY_NAME}: `),
    );
    assert.equal(memory.heldBytes, 0);
  }
});

Deno.test("DayDigests.digest() ends when nobody wants it any more", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  const memory = new MemoryBudget({ limitBytes: 100 * READER_BYTES, clock });
  await using test = await openArchive(directory, { clock, memory });
  append(test.archive, manyLines());
  await test.seal();
  const controller = new AbortController();
  const digest = test.archive.digests.digest(DAY, controller.signal);
  controller.abort(new Error("gone"));
  await assert.rejects(digest, /gone/);
  assert.equal(memory.heldBytes, 0);
});

Deno.test("DayDigests.digest() needs no room beside its own slot", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock(NOON);
  const memory = new MemoryBudget({ limitBytes: READER_BYTES, clock });
  await using test = await openArchive(directory, { clock, memory });
  append(test.archive, manyLines());
  await test.seal();
  using _slot = await test.archive.lines.reserve();
  assert.deepEqual(await digestOf(test), expectedOf(await dayText(test.archive)));
});

Deno.test("runDigestTask() refuses a text that ends within a line", () => {
  const bytes = encoder.encode(`${lineAt("10:00:00", "m")}\n{"mess`);
  const task = {
    kind: "digest",
    day: DAY,
    bytes,
    block: null,
    range: { start: 0, end: bytes.length },
  } as const;
  assert.throws(() => runDigestTask(task), /ends within a line/);
});

Deno.test("DayDigests.digest() reads a day anew that others have taken the place of", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const { archive } = test;
  const days = Array.from({ length: REMEMBERED_DIGESTS_LIMIT + 1 }, (_, number) => DAY - number);
  for (const day of days) appendLines(archive, 0, 10, 1000, day);
  await test.seal();
  const spoil = (day: number) => {
    const file = `${dayName(day)}.jsonl.gz`;
    directory.write(file, directory.read(file).fill(0, 20, 40));
  };
  for (const day of days) await archive.digests.digest(day);
  spoil(days[0]!);
  spoil(days[1]!);
  await archive.digests.digest(days[1]!);
  await assert.rejects(archive.digests.digest(days[0]!), /Cannot read block/);
});

for (const isSealed of [false, true]) {
  const state = isSealed ? "is sealed" : "grows";
  Deno.test(`DayDigests.digest() of a day that ${state} goes on with what it knows when lines are inserted, without reading the day anew`, async () => {
    using directory = new TestDirectory();
    await using test = await openArchive(directory);
    const { archive } = test;
    const recorded = linesBetween("a", 36_000, 36_060, 1, 100_000);
    appendDayLines(archive, recorded);
    await archive.sync();
    if (isSealed) await test.seal();
    await digestOf(test);
    let lines: readonly DayLine[] = recorded;
    if (!isSealed) {
      // What came since is looked at when the lines are inserted.
      const since = linesBetween("since", 36_060, 36_070);
      appendDayLines(archive, since);
      lines = [...lines, ...since];
    }
    for (const second of [36_010, 36_050]) {
      const found = linesBetween(`found ${second} `, second, second + 2);
      await insertDayLines(archive, directory.path, found);
      lines = insertNaively(lines, found);
    }
    const name = `${DAY_NAME}.jsonl.gz`;
    const bytes = directory.read(name);
    directory.write(name, bytes.map((byte, at) => at < 20 ? byte : byte ^ 0xff)); // whoever reads it notices
    assert.deepEqual(await digestOf(test), expectedOf(textOfLines(lines)));
    directory.write(name, bytes);
    await test.close();
    await using again = await openArchive(directory);
    assert.deepEqual(await digestOf(again), expectedOf(textOfLines(lines)));
  });
}
