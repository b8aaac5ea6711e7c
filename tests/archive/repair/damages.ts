/**
 * Promises the table of what can have happened to the files of a day, and of what opening makes of it.
 *
 * @module
 */

import { checkedLine, readCheckedLine } from "../../../lib/archive/checked_line.ts";
import { CONFLICT_SUFFIX, DAMAGED_SUFFIX } from "../../../lib/archive/format.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { appendLines, DAY_NAME, openArchive, record, TestDirectory, textOf } from "../archive_rig.ts";

export const PLAIN = `${DAY_NAME}.jsonl`;
export const GZ = `${DAY_NAME}.jsonl.gz`;
export const INDEX = `${DAY_NAME}.index`;
export const GZ_PART = `${DAY_NAME}.jsonl.gz.part`;
export const INDEX_PART = `${DAY_NAME}.index.part`;

/** 1000-byte messages: a block takes 962 of them, so that the fixtures have two blocks and a rest. */
export const LINES = 2500;
export const PADDING = 1000;
/** The lines of the first block. */
const FIRST_BLOCK = 962;
/** The lines of the first and the second block. */
const TWO_BLOCKS = 1924;
/** The lines that a reopened day got before and after it was sealed again. */
export const LATE = 10;

const encoder = new TextEncoder();

/** The files that an archive left, by their names. */
export type Files = Record<string, Uint8Array<ArrayBuffer>>;

export function filesOf(directory: TestDirectory): Files {
  return Object.fromEntries(directory.names().map((name) => [name, directory.read(name)]));
}

/** The states of one day, as files: hot, sealed, reopened with late lines, sealed again with them. */
const states = await (async () => {
  using directory = new TestDirectory();
  const opened = await openArchive(directory);
  appendLines(opened.archive, 0, LINES, PADDING);
  await opened.archive.sync();
  await opened.close(); // waits for the blocks
  const hot = filesOf(directory);
  const clock = new FakeClock("2026-11-24T12:00:00Z");
  await using again = await openArchive(directory, { clock });
  await again.seal();
  const sealed = filesOf(directory);
  appendLines(again.archive, LINES, LINES + LATE);
  await again.archive.sync();
  const reopened = filesOf(directory);
  await again.seal();
  return { hot, sealed, reopened, resealed: filesOf(directory) };
})();

/** A damage, and what is left after it. */
export interface Damage {
  name: string;
  files: Files;
  damage: (directory: TestDirectory) => void;
  /**
   * All of the day's text after it, in order: the lines with the numbers from one up to another, which is left out, or,
   * as a string, what stands there and is no line that was recorded.
   */
  survive: ([from: number, end: number] | string)[];
  /** So many lines before those that survive are in a block that is there and cannot be read. */
  unreadable?: number;
  /** What the findings say, in order; each is part of the finding's text. */
  findings: RegExp[];
  /** Whether lines may be lost. */
  isDamage?: boolean;
  /** The times that become a gap, each as `HH:MM:SS.mmm HH:MM:SS.mmm` within the day. */
  lost?: string[];
  /** What is there besides the files of a sealed day, by its name. */
  aside?: Files;
}

/** The times of all lines but the late ones, which a block of 962 lines has, too. */
const LINE_TIMES = "10:00:00.500 10:00:59.501";
/** What is told where nobody knows of which times the lost lines are. */
const WHOLE_DAY = "00:00:00.000 00:00:00.000";

/** The text that a row of the table says is left. */
export function survivingText({ survive }: Damage): string {
  return survive.map((piece) => typeof piece === "string" ? piece : recordedText(...piece)).join("");
}

/** How many lines a row of the table says are left, with those that cannot be read and those that are no records. */
export function survivingLines({ survive, unreadable = 0 }: Damage): number {
  return survive.reduce(
    (sum, piece) => sum + (typeof piece === "string" ? piece.split("\n").length - 1 : piece[1] - piece[0]),
    unreadable,
  );
}

/** The text of the lines with the numbers from `from` up to `end`: the late ones are short. */
export function recordedText(from: number, end: number): string {
  return textOf(from, Math.min(end, LINES), PADDING) + textOf(Math.max(from, LINES), end);
}

/** Runs `action` while the call number `end` of those that rename or remove a file throws, as all after it. Tells whether one did. */
export async function endingAtCall(end: number, action: () => Promise<unknown>): Promise<boolean> {
  const { renameSync, removeSync } = Deno;
  let calls = 0;
  const count = () => {
    if (++calls >= end) throw new Error("the process ends here");
  };
  Deno.renameSync = (...args) => (count(), renameSync(...args));
  Deno.removeSync = (...args) => (count(), removeSync(...args));
  try {
    await action();
  } catch {
    // As much as a kill leaves.
  } finally {
    Object.assign(Deno, { renameSync, removeSync });
  }
  return calls >= end;
}

function cut(directory: TestDirectory, name: string, by: number): void {
  directory.write(name, directory.read(name).slice(0, -by));
}

function flip(directory: TestDirectory, name: string, at: number): void {
  directory.write(name, flipped(directory.read(name), at));
}

function flipped(bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  copy[Math.floor(at)]! ^= 0x10;
  return copy;
}

/** An index without what comes after its second block, not even a whole line of it. */
function twoBlocksOf(index: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const lines = new TextDecoder().decode(index).split("\n");
  return encoder.encode(`${lines.slice(0, 3).join("\n")}\n${lines[3]!.slice(0, 10)}`);
}

function append(directory: TestDirectory, name: string, content: string | Uint8Array): void {
  Deno.writeFileSync(directory.file(name), typeof content === "string" ? encoder.encode(content) : content, {
    append: true,
  });
}

export function asVersion(directory: TestDirectory, name: string, version: number): void {
  const [header, ...rest] = directory.text(name).split("\n");
  const { json } = readCheckedLine(header!);
  directory.write(name, [checkedLine({ ...JSON.parse(json), version }), ...rest].join("\n"));
}

/** The name of what was cut off after byte `end` of the day. */
export const torn = (end: number): string => `${DAY_NAME}.at-${end}.torn`;
const hotBytes = textOf(0, LINES, PADDING).length;
const lateFile = `${DAY_NAME}.from-${hotBytes}.jsonl`;
/** The files of each state. */
export const { hot, sealed, reopened, resealed } = states;

const ZEROS = new Uint8Array(70_000);
const GARBAGE = '\0\n\xff{"a":\n\n{"message":1}\nxyz';
/** Lines 2463 to 2467 with a page of zeros over them: 330 bytes of the first are left, and the end of the last. */
const ZEROED_FROM = 330;
const ZEROED = textOf(2463, 2468, PADDING).slice(0, ZEROED_FROM) + "\0".repeat(4096) +
  textOf(2463, 2468, PADDING).slice(ZEROED_FROM + 4096);

export const DAMAGES: Damage[] = [
  { name: "nothing, hot", files: hot, damage: () => {}, survive: [[0, LINES]], findings: [] },
  { name: "nothing, sealed", files: sealed, damage: () => {}, survive: [[0, LINES]], findings: [] },
  {
    name: "nothing, reopened",
    files: reopened,
    damage: () => {},
    survive: [[0, LINES + LATE]],
    findings: [],
  },
  {
    name: "zeros behind a hot day",
    files: hot,
    damage: (directory) => append(directory, PLAIN, ZEROS),
    survive: [[0, LINES]],
    findings: [/cut to its last whole line: 70000 bytes behind it/],
    aside: { [torn(hotBytes)]: ZEROS },
  },
  {
    name: "garbage with newlines behind a hot day",
    files: hot,
    damage: (directory) => append(directory, PLAIN, GARBAGE),
    survive: [[0, LINES]],
    findings: [/cut to its last whole line/],
    aside: { [torn(hotBytes)]: encoder.encode(GARBAGE) },
  },
  {
    name: "a page of NUL among the last lines",
    files: hot,
    damage: (directory) => {
      const bytes = directory.read(PLAIN);
      bytes.fill(0, hotBytes - 40_000, hotBytes - 40_000 + 4096);
      directory.write(PLAIN, bytes);
    },
    survive: [[0, 2463], ZEROED, [2468, LINES]],
    findings: [/has 1 lines that are no records, among lines that are/],
    isDamage: true,
    lost: ["10:00:02.500 10:00:08.501"],
  },
  ...["missing", "empty", "short", "garbage", "unknown version"].map((how): Damage => ({
    name: `index part ${how}`,
    files: hot,
    damage: (directory) => {
      if (how === "missing") directory.remove(INDEX_PART);
      else if (how === "empty") directory.write(INDEX_PART, "");
      else if (how === "short") cut(directory, INDEX_PART, 30);
      else if (how === "garbage") directory.write(INDEX_PART, "\xff\0garbage\n");
      else asVersion(directory, INDEX_PART, 4);
    },
    survive: [[0, LINES]],
    findings: [],
  })),
  ...["missing", "empty", "short", "garbage"].map((how): Damage => ({
    name: `gzip part ${how}`,
    files: hot,
    damage: (directory) => {
      if (how === "missing") directory.remove(GZ_PART);
      else if (how === "empty") directory.write(GZ_PART, "");
      else if (how === "short") cut(directory, GZ_PART, 30);
      else directory.write(GZ_PART, directory.read(GZ_PART).fill(0x41));
    },
    survive: [[0, LINES]],
    findings: [],
  })),
  {
    name: "plain file shorter than its blocks",
    files: hot,
    damage: (directory) => directory.write(PLAIN, directory.read(PLAIN).slice(0, 1_500_000)),
    survive: [[0, TWO_BLOCKS]],
    findings: [/bytes short: \d+ put back from the blocks/],
  },
  {
    name: "plain file missing, its blocks there",
    files: hot,
    damage: (directory) => directory.remove(PLAIN),
    survive: [[0, TWO_BLOCKS]],
    findings: [/was missing/, /bytes short: \d+ put back from the blocks/],
    isDamage: true,
  },
  {
    name: "temporary files left over",
    files: sealed,
    damage: (directory) => {
      for (const name of [GZ, INDEX, "gaps.jsonl", PLAIN]) directory.write(name + ".tmp", "half");
    },
    survive: [[0, LINES]],
    findings: [],
  },
  {
    name: "killed before the index of a first seal had its gzip file",
    files: hot,
    damage: (directory) => directory.write(INDEX, sealed[INDEX]!),
    survive: [[0, LINES]],
    findings: [/removed: the day was not sealed yet/],
  },
  {
    name: "killed between the two renames of a second seal",
    files: reopened,
    damage: (directory) => directory.write(INDEX, resealed[INDEX]!),
    survive: [[0, LINES + LATE]],
    findings: [/made again from the gzip file: it is of another gzip file/],
  },
  {
    name: "killed before the plain file of a first seal was removed",
    files: { ...hot, ...sealed },
    damage: (directory) => directory.remove(GZ_PART),
    survive: [[0, LINES]],
    findings: [/removed: its lines are sealed/],
  },
  {
    name: "killed before the plain file of a second seal was removed",
    files: { ...reopened, ...resealed },
    damage: () => {},
    survive: [[0, LINES + LATE]],
    findings: [/removed: its lines are sealed/],
  },
  {
    name: "killed before the parts were removed",
    files: { ...sealed, [INDEX_PART]: hot[INDEX_PART]! },
    damage: () => {},
    survive: [[0, LINES]],
    findings: [],
  },
  {
    name: "first plain file still there when the day was reopened",
    files: { ...reopened, [PLAIN]: hot[PLAIN]! },
    damage: () => {},
    survive: [[0, LINES + LATE]],
    findings: [/removed: its lines are sealed/],
  },
  {
    name: "a plain file that is not what is sealed",
    files: sealed,
    damage: (directory) => directory.write(PLAIN, record(7) + "\n"),
    survive: [[0, LINES]],
    findings: [/set aside: its lines do not fit those that are sealed/],
    isDamage: true,
    aside: { [PLAIN + CONFLICT_SUFFIX]: encoder.encode(record(7) + "\n") },
  },
  {
    name: "a plain file left over beside a damaged gzip file",
    files: { ...sealed, [PLAIN]: hot[PLAIN]! },
    damage: (directory) => flip(directory, GZ, 1000),
    survive: [[FIRST_BLOCK, LINES]],
    unreadable: FIRST_BLOCK,
    findings: [/set aside/],
    isDamage: true,
    aside: { [PLAIN + CONFLICT_SUFFIX]: hot[PLAIN]! },
  },
  ...["missing", "empty", "garbage"].map((how): Damage => ({
    name: `index of a sealed day ${how}`,
    files: sealed,
    damage: (directory) => {
      if (how === "missing") directory.remove(INDEX);
      else directory.write(INDEX, how === "empty" ? "" : "\xff\0garbage\n");
    },
    survive: [[0, LINES]],
    findings: [/made again from the gzip file: Cannot read line 1/],
  })),
  {
    name: "index of a sealed day without its seal",
    files: sealed,
    damage: (directory) => cut(directory, INDEX, 20),
    survive: [[0, LINES]],
    findings: [/made again from the gzip file: Cannot read line 5: it has no end/],
  },
  {
    name: "index of a sealed day without its last block",
    files: sealed,
    damage: (directory) =>
      directory.write(INDEX, directory.text(INDEX).split("\n").slice(0, 3).join("\n") + "\n"),
    survive: [[0, LINES]],
    findings: [/made again from the gzip file/],
  },
  {
    name: "index missing of a day that was reopened",
    files: reopened,
    damage: (directory) => directory.remove(INDEX),
    survive: [[0, LINES + LATE]],
    findings: [/made again from the gzip file/],
  },
  {
    name: "killed while the late lines were put behind those that were unpacked",
    files: { [PLAIN]: new Uint8Array([...hot[PLAIN]!, ...reopened[lateFile]!.slice(0, 500)]), ...reopened },
    damage: (directory) => {
      directory.remove(GZ);
      directory.remove(INDEX);
    },
    survive: [[0, LINES + LATE]],
    findings: [],
  },
  {
    name: "index missing and its gzip file cut",
    files: sealed,
    damage: (directory) => {
      directory.remove(INDEX);
      cut(directory, GZ, 10);
    },
    survive: [[0, LINES]],
    findings: [/unpacked as far as it goes \(it ends within its trailer\)/],
    isDamage: true,
    lost: ["09:59:59.500 00:00:00.000"],
    aside: { [GZ + DAMAGED_SUFFIX]: sealed[GZ]!.slice(0, -10) },
  },
  {
    name: "index missing and its gzip file cut in a block",
    files: sealed,
    damage: (directory) => {
      directory.remove(INDEX);
      cut(directory, GZ, 11);
    },
    survive: [[0, TWO_BLOCKS]],
    findings: [/unpacked as far as it goes \(no block can be inflated at byte \d+\)/],
    isDamage: true,
    lost: ["09:59:59.500 00:00:00.000"],
    aside: { [GZ + DAMAGED_SUFFIX]: sealed[GZ]!.slice(0, -11) },
  },
  {
    name: "index missing and the checksum of its gzip file wrong",
    files: sealed,
    damage: (directory) => {
      directory.remove(INDEX);
      flip(directory, GZ, sealed[GZ]!.length - 8);
    },
    survive: [[0, LINES]],
    findings: [/unpacked as far as it goes \(checksum is \w+, its trailer says \w+\)/],
    isDamage: true,
    lost: [WHOLE_DAY],
    aside: { [GZ + DAMAGED_SUFFIX]: flipped(sealed[GZ]!, sealed[GZ]!.length - 8) },
  },
  {
    name: "index without its gzip file",
    files: sealed,
    damage: (directory) => directory.remove(GZ),
    survive: [],
    findings: [
      /\.gz: is gone, and with it 2500 lines in 3 blocks, of \S+Z to \S+Z; the index is kept as ".*\.damaged"/,
    ],
    isDamage: true,
    lost: [LINE_TIMES],
    aside: { [INDEX + DAMAGED_SUFFIX]: sealed[INDEX]! },
  },
  {
    name: "index without its gzip file, and itself damaged",
    files: sealed,
    damage: (directory) => {
      directory.remove(GZ);
      directory.write(INDEX, "\xff\0garbage\n");
    },
    survive: [],
    findings: [/\.gz: is gone, and with it what was in it cannot be read; the index is kept/],
    isDamage: true,
    lost: [WHOLE_DAY],
    aside: { [INDEX + DAMAGED_SUFFIX]: encoder.encode("\xff\0garbage\n") },
  },
  ...[0, 9, 1667].map((length): Damage => ({
    name: `gzip file cut to ${length} bytes`,
    files: sealed,
    damage: (directory) => directory.write(GZ, sealed[GZ]!.slice(0, length)),
    survive: [],
    findings: [/unpacked as far as it goes \(.*; lost are 2500 lines in 3 blocks, of .*; the index is kept/],
    isDamage: true,
    lost: [LINE_TIMES],
    aside: {
      [GZ + DAMAGED_SUFFIX]: sealed[GZ]!.slice(0, length),
      [INDEX + DAMAGED_SUFFIX]: sealed[INDEX]!,
    },
  })),
  {
    name: "gzip file cut in two",
    files: sealed,
    damage: (directory) => directory.write(GZ, sealed[GZ]!.slice(0, sealed[GZ]!.length / 2)),
    survive: [[0, FIRST_BLOCK]],
    findings: [/unpacked as far as it goes \(.*; lost are 1538 lines in 2 blocks/],
    isDamage: true,
    lost: [LINE_TIMES],
    aside: {
      [GZ + DAMAGED_SUFFIX]: sealed[GZ]!.slice(0, sealed[GZ]!.length / 2),
      [INDEX + DAMAGED_SUFFIX]: sealed[INDEX]!,
    },
  },
  {
    name: "gzip file cut in two, and its index after its second block",
    files: sealed,
    damage: (directory) => {
      directory.write(GZ, sealed[GZ]!.slice(0, sealed[GZ]!.length / 2));
      directory.write(INDEX, twoBlocksOf(sealed[INDEX]!));
    },
    survive: [[0, FIRST_BLOCK]],
    findings: [/unpacked as far as it goes/],
    isDamage: true,
    lost: [LINE_TIMES, "09:59:59.500 00:00:00.000"],
    aside: {
      [GZ + DAMAGED_SUFFIX]: sealed[GZ]!.slice(0, sealed[GZ]!.length / 2),
      [INDEX + DAMAGED_SUFFIX]: twoBlocksOf(sealed[INDEX]!),
    },
  },
  ...[4, 10].map((count): Damage => ({
    name: `gzip file without its last ${count} bytes`,
    files: sealed,
    damage: (directory) => cut(directory, GZ, count),
    survive: [[0, LINES]],
    findings: [/had \d+ bytes in place of \d+: all blocks are there, its end was made again/],
  })),
  {
    name: "garbage after a gzip file",
    files: sealed,
    damage: (directory) => append(directory, GZ, GARBAGE),
    survive: [[0, LINES]],
    findings: [/had \d+ bytes in place of \d+: all blocks are there, its end was made again/],
  },
  {
    name: "gzip file without its end, and its first block damaged",
    files: sealed,
    damage: (directory) => {
      cut(directory, GZ, 4);
      flip(directory, GZ, 1000);
    },
    survive: [[FIRST_BLOCK, LINES]],
    findings: [/unpacked as far as it goes \(.*; lost are 962 lines in 1 block, of /],
    isDamage: true,
    lost: [LINE_TIMES],
    aside: {
      [GZ + DAMAGED_SUFFIX]: flipped(sealed[GZ]!, 1000).slice(0, -4),
      [INDEX + DAMAGED_SUFFIX]: sealed[INDEX]!,
    },
  },
  {
    name: "gzip file without its end, its first block damaged but in a plain file",
    files: sealed,
    damage: (directory) => {
      cut(directory, GZ, 4);
      flip(directory, GZ, 1000);
      directory.write(PLAIN, recordedText(0, FIRST_BLOCK));
    },
    survive: [[0, LINES]],
    findings: [/unpacked as far as it goes/],
    aside: { [GZ + DAMAGED_SUFFIX]: flipped(sealed[GZ]!, 1000).slice(0, -4) },
  },
  {
    name: "a line of the index damaged and a block of the gzip file of which another line tells",
    files: sealed,
    damage: (directory) => {
      flip(directory, INDEX, directory.text(INDEX).indexOf("\n") + 20);
      flip(directory, GZ, sealed[GZ]!.length / 2);
      cut(directory, GZ, 4);
    },
    survive: [[0, FIRST_BLOCK], [TWO_BLOCKS, LINES]],
    findings: [
      /unpacked as far as it goes \(the block at byte \d+ is not what was written; lost are 962 lines/,
    ],
    isDamage: true,
    lost: [LINE_TIMES],
    aside: {
      [GZ + DAMAGED_SUFFIX]: flipped(sealed[GZ]!, sealed[GZ]!.length / 2).slice(0, -4),
      [INDEX + DAMAGED_SUFFIX]: flipped(sealed[INDEX]!, sealed[INDEX]!.indexOf(0x0a) + 20),
    },
  },
  {
    name: "an older gzip file in the place of the last one",
    files: resealed,
    damage: (directory) => directory.write(GZ, sealed[GZ]!),
    survive: [[0, LINES]],
    findings: [/lacks 10 lines in 1 block, of .*; the index that tells of them is kept/, /made again/],
    isDamage: true,
    lost: ["10:00:40.500 10:00:49.501"],
    aside: { [INDEX + DAMAGED_SUFFIX]: resealed[INDEX]! },
  },
  {
    name: "gzip file gone from under a reopened day, its index there",
    files: reopened,
    damage: (directory) => directory.remove(GZ),
    survive: [[LINES, LINES + LATE]],
    findings: [/is gone, and with it 2500 lines/, /renamed: the sealed text before it is missing/],
    isDamage: true,
    lost: [LINE_TIMES],
    aside: { [INDEX + DAMAGED_SUFFIX]: sealed[INDEX]! },
  },
  {
    name: "gzip file of a reopened day cut in two",
    files: reopened,
    damage: (directory) => directory.write(GZ, sealed[GZ]!.slice(0, sealed[GZ]!.length / 2)),
    survive: [[0, FIRST_BLOCK], [LINES, LINES + LATE]],
    findings: [/unpacked as far as it goes/, /put after the lines before it: those between are missing/],
    isDamage: true,
    lost: [LINE_TIMES],
    aside: {
      [GZ + DAMAGED_SUFFIX]: sealed[GZ]!.slice(0, sealed[GZ]!.length / 2),
      [INDEX + DAMAGED_SUFFIX]: sealed[INDEX]!,
    },
  },
  {
    name: "killed before the gzip file of a first seal had its name, and the plain file gone",
    files: { [INDEX]: sealed[INDEX]!, [INDEX_PART]: hot[INDEX_PART]!, [GZ_PART]: sealed[GZ]! },
    damage: () => {},
    survive: [[0, LINES]],
    findings: [/was not there: the blocks that were made for it take its place/],
  },
  {
    name: "gzip file gone from under a reopened day",
    files: reopened,
    damage: (directory) => {
      directory.remove(GZ);
      directory.remove(INDEX);
    },
    survive: [[LINES, LINES + LATE]],
    findings: [/renamed: the sealed text before it is missing/],
    isDamage: true,
    lost: [WHOLE_DAY],
  },
];
