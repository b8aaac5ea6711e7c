/**
 * Promises the table of what can have happened to the files of a day, and of what opening makes of it.
 *
 * @module
 */

import { checkedLine, readCheckedLine } from "../../../lib/archive/checked_line.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import {
  appendLines,
  DAY_NAME,
  numbersIn,
  openArchive,
  record,
  TestDirectory,
  textOf,
} from "../archive_rig.ts";

export const PLAIN = `${DAY_NAME}.jsonl`;
export const GZ = `${DAY_NAME}.jsonl.gz`;
export const INDEX = `${DAY_NAME}.index`;
export const GZ_PART = `${DAY_NAME}.jsonl.gz.part`;
export const INDEX_PART = `${DAY_NAME}.index.part`;

/** 1000-byte messages: a block takes some 960 of them, so that the fixtures have two blocks and a rest. */
export const LINES = 2500;
export const PADDING = 1000;
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
  /** The numbers of the lines that survive are 0 to this. */
  survive: number;
  /** What the findings say, in order; each is part of the finding's text. */
  findings: RegExp[];
  /** Whether lines may be lost. */
  isDamage?: boolean;
  /** Names that are there besides those of a day. */
  aside?: string[];
}

function cut(directory: TestDirectory, name: string, by: number): void {
  directory.write(name, directory.read(name).slice(0, -by));
}

function flip(directory: TestDirectory, name: string, at: number): void {
  const bytes = directory.read(name);
  bytes[at]! ^= 0x10;
  directory.write(name, bytes);
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

export const torn = (end: number): string => `${DAY_NAME}.at-${end}.torn`;
const hotBytes = textOf(0, LINES, PADDING).length;
const lateFile = `${DAY_NAME}.from-${hotBytes}.jsonl`;
/** The files of each state. */
export const { hot, sealed, reopened, resealed } = states;

export const DAMAGES: Damage[] = [
  { name: "nothing, hot", files: hot, damage: () => {}, survive: LINES, findings: [] },
  { name: "nothing, sealed", files: sealed, damage: () => {}, survive: LINES, findings: [] },
  { name: "nothing, reopened", files: reopened, damage: () => {}, survive: LINES + LATE, findings: [] },
  {
    name: "zeros behind a hot day",
    files: hot,
    damage: (directory) => append(directory, PLAIN, new Uint8Array(70_000)),
    survive: LINES,
    findings: [/cut to its last whole line: 70000 bytes behind it/],
    aside: [torn(hotBytes)],
  },
  {
    name: "garbage with newlines behind a hot day",
    files: hot,
    damage: (directory) => append(directory, PLAIN, '\0\n\xff{"a":\n\n{"message":1}\nxyz'),
    survive: LINES,
    findings: [/cut to its last whole line/],
    aside: [torn(hotBytes)],
  },
  {
    name: "a page of NUL among the last lines",
    files: hot,
    damage: (directory) => {
      const bytes = directory.read(PLAIN);
      bytes.fill(0, hotBytes - 40_000, hotBytes - 40_000 + 4096);
      directory.write(PLAIN, bytes);
    },
    survive: -1,
    findings: [/has \d lines that are no records, among lines that are/],
    isDamage: true,
  },
  ...["missing", "empty", "short", "garbage", "unknown version"].map((how): Damage => ({
    name: `index part ${how}`,
    files: hot,
    damage: (directory) => {
      if (how === "missing") directory.remove(INDEX_PART);
      else if (how === "empty") directory.write(INDEX_PART, "");
      else if (how === "short") cut(directory, INDEX_PART, 30);
      else if (how === "garbage") directory.write(INDEX_PART, "\xff\0garbage\n");
      else asVersion(directory, INDEX_PART, 3);
    },
    survive: LINES,
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
    survive: LINES,
    findings: [],
  })),
  {
    name: "plain file shorter than its blocks",
    files: hot,
    damage: (directory) => directory.write(PLAIN, directory.read(PLAIN).slice(0, 1_500_000)),
    survive: numbersIn(textOf(0, LINES, PADDING).slice(0, 2 * 1024 * 1024)).length - 1,
    findings: [/bytes short: \d+ put back from the blocks/],
  },
  {
    name: "plain file missing, its blocks there",
    files: hot,
    damage: (directory) => directory.remove(PLAIN),
    survive: numbersIn(textOf(0, LINES, PADDING).slice(0, 2 * 1024 * 1024)).length - 1,
    findings: [/was missing/, /bytes short: \d+ put back from the blocks/],
    isDamage: true,
  },
  {
    name: "temporary files left over",
    files: sealed,
    damage: (directory) => {
      for (const name of [GZ, INDEX, "gaps.jsonl", PLAIN]) directory.write(name + ".tmp", "half");
    },
    survive: LINES,
    findings: [],
  },
  {
    name: "killed before the index of a first seal had its gzip file",
    files: hot,
    damage: (directory) => directory.write(INDEX, sealed[INDEX]!),
    survive: LINES,
    findings: [/removed: the day was not sealed yet/],
  },
  {
    name: "killed between the two renames of a second seal",
    files: reopened,
    damage: (directory) => directory.write(INDEX, resealed[INDEX]!),
    survive: LINES + LATE,
    findings: [/made again from the gzip file: it is of another gzip file/],
  },
  {
    name: "killed before the plain file of a first seal was removed",
    files: { ...hot, ...sealed },
    damage: (directory) => directory.remove(GZ_PART),
    survive: LINES,
    findings: [/removed: its lines are sealed/],
  },
  {
    name: "killed before the plain file of a second seal was removed",
    files: { ...reopened, ...resealed },
    damage: () => {},
    survive: LINES + LATE,
    findings: [/removed: its lines are sealed/],
  },
  {
    name: "killed before the parts were removed",
    files: { ...sealed, [INDEX_PART]: hot[INDEX_PART]! },
    damage: () => {},
    survive: LINES,
    findings: [],
  },
  {
    name: "first plain file still there when the day was reopened",
    files: { ...reopened, [PLAIN]: hot[PLAIN]! },
    damage: () => {},
    survive: LINES + LATE,
    findings: [/removed: its lines are sealed/],
  },
  {
    name: "a plain file that is not what is sealed",
    files: sealed,
    damage: (directory) => directory.write(PLAIN, record(7) + "\n"),
    survive: LINES,
    findings: [/set aside: its lines do not fit those that are sealed/],
    isDamage: true,
    aside: [`${PLAIN}.conflict`],
  },
  {
    name: "a plain file left over beside a damaged gzip file",
    files: { ...sealed, [PLAIN]: hot[PLAIN]! },
    damage: (directory) => flip(directory, GZ, 1000),
    survive: -1,
    findings: [/set aside/],
    isDamage: true,
    aside: [`${PLAIN}.conflict`],
  },
  ...["missing", "empty", "garbage"].map((how): Damage => ({
    name: `index of a sealed day ${how}`,
    files: sealed,
    damage: (directory) => {
      if (how === "missing") directory.remove(INDEX);
      else directory.write(INDEX, how === "empty" ? "" : "\xff\0garbage\n");
    },
    survive: LINES,
    findings: [/made again from the gzip file: Cannot read line 1/],
  })),
  {
    name: "index of a sealed day without its seal",
    files: sealed,
    damage: (directory) => cut(directory, INDEX, 20),
    survive: LINES,
    findings: [/made again from the gzip file: Cannot read line 5: it has no end/],
  },
  {
    name: "index of a sealed day without its last block",
    files: sealed,
    damage: (directory) =>
      directory.write(INDEX, directory.text(INDEX).split("\n").slice(0, 3).join("\n") + "\n"),
    survive: LINES,
    findings: [/made again from the gzip file/],
  },
  {
    name: "index missing of a day that was reopened",
    files: reopened,
    damage: (directory) => directory.remove(INDEX),
    survive: LINES + LATE,
    findings: [/made again from the gzip file/],
  },
  {
    name: "killed while the late lines were put behind those that were unpacked",
    files: { [PLAIN]: new Uint8Array([...hot[PLAIN]!, ...reopened[lateFile]!.slice(0, 500)]), ...reopened },
    damage: (directory) => {
      directory.remove(GZ);
      directory.remove(INDEX);
    },
    survive: LINES + LATE,
    findings: [],
  },
  {
    name: "index missing and its gzip file cut",
    files: sealed,
    damage: (directory) => {
      directory.remove(INDEX);
      cut(directory, GZ, 100_000 > sealed[GZ]!.length ? 10 : 5000);
    },
    survive: -1,
    findings: [/unpacked as far as it goes/],
    isDamage: true,
    aside: [`${GZ}.damaged`],
  },
  {
    name: "gzip file gone from under a reopened day",
    files: reopened,
    damage: (directory) => {
      directory.remove(GZ);
      directory.remove(INDEX);
    },
    survive: -2,
    findings: [/renamed: the sealed text before it is missing/],
    isDamage: true,
  },
];
