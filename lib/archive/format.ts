/**
 * Promises that every name and every constant of the archive on disk stands in this file, each with its
 * reason. Nothing outside it builds a file name.
 *
 * @module
 */

import * as v from "valibot";
import { dayName, type DayNumber, parseDayName } from "../day.ts";

/**
 * The version that this program writes into each index. A reader that meets a later one leaves the day alone.
 * Version 1 is read as well: its lines have no checksum of their own, and its entries no `gzCrc32`. From 2 on the
 * first line has its checksum in every version to come, so that a damaged digit is not taken for a later one.
 */
export const INDEX_VERSION = 2;

/** The version before lines had checksums. */
export const UNCHECKED_INDEX_VERSION = 1;

/**
 * The version of the index of a day into which lines were inserted: its seal has a member `healed` besides. A day that was
 * never healed keeps {@linkcode INDEX_VERSION}, so that an earlier program reads it still; one that meets this version leaves
 * the day alone.
 */
export const HEALED_INDEX_VERSION = 3;

/**
 * The first line of the index of a sealed day is not longer than this, in bytes: it has some 100. With
 * {@linkcode SEAL_LINE_LIMIT_BYTES} it says how much of an index opening reads: with 400 days, that is most of what
 * opening costs.
 */
export const HEADER_LINE_LIMIT_BYTES = 128;

/** The last line of the index of a sealed day is not longer than this, in bytes: with the largest numbers it has some 300. */
export const SEAL_LINE_LIMIT_BYTES = 512;

/**
 * The text of one gzip block, in bytes. A reader inflates whole blocks, so a block is what a search for ten
 * lines costs at least; below 1 MiB the dictionary that every block starts without begins to cost space.
 */
export const BLOCK_BYTES = 1024 * 1024;

/**
 * The deflate level of blocks. Measured on Fly-shaped lines: level 3 makes files 5 % larger than level 6 at
 * 1.8 times its speed, level 1 makes them 45 % larger.
 */
export const DEFLATE_LEVEL = 3;

/**
 * At most this many app names stand in one index entry; a block with more has `apps: null`, "any app". An
 * entry stays small whatever names are made up.
 */
export const BLOCK_APPS_LIMIT = 64;

/** An app name longer than this many characters is not indexed; its block gets `apps: null`. */
export const APP_NAME_LIMIT = 128;

/**
 * The ten bytes that open a gzip member (RFC 1952 section 2.3): deflate, no flags, no time, unknown system.
 * No time, so that the same lines make the same bytes.
 */
export const GZIP_HEADER: Uint8Array<ArrayBuffer> = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

/** An empty final deflate block with fixed codes (RFC 1951 section 3.2.6): ends the stream after any sync flush. */
export const DEFLATE_END: Uint8Array<ArrayBuffer> = Uint8Array.of(0x03, 0x00);

/**
 * What ends every block: an empty stored deflate block, the mark of a sync flush (RFC 1951 section 3.2.4). Where an index
 * is lost, the mark tells where a block may end.
 */
export const SYNC_MARK: Uint8Array<ArrayBuffer> = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/** The bytes after the last block: {@linkcode DEFLATE_END}, CRC-32, length modulo 2^32. */
export const GZIP_TRAILER_BYTES = 10;

/** Ends every line of every text file here: also of those that people read with `tail` and `grep`. */
export const LINE_FEED = 0x0a;

/** The gap ledger. */
export const GAPS_FILE = "gaps.jsonl";

/**
 * Room on the disk that the ledger has in reserve: line feeds, over which its next entries are written when the
 * disk is full, so that {@linkcode GAPS_FILE} itself is lines and nothing else.
 */
export const GAPS_RESERVE_FILE = "gaps.reserve";

/**
 * The size of {@linkcode GAPS_RESERVE_FILE} in bytes, eight pages: two hundred lines of gaps that begin or end fit, or six of the
 * longest that tell of a healing, and a full disk is soon made room on.
 */
export const GAPS_RESERVE_BYTES = 32_768;

/**
 * A line of the gap ledger is never longer than this, in bytes. One of a gap that begins or ends has some 150. The longest tells of
 * a healing by eight sources, 8 x (200 characters of a name, each with a backslash, and 38 around it), for a reason of
 * 300 characters of three bytes each: 4,800. What is longer is damage.
 */
export const GAP_LINE_LIMIT_BYTES = 5120;

/** Less than this many bytes cannot be what is left of a line of the gap ledger: the shortest has some sixty. */
export const GAP_LINE_LEAST_BYTES = 20;

/** When each day was last read back; losing it costs no more than reading them back once more. */
export const SCRUB_FILE = "scrub";

/** The heartbeat's mark: touched while recording, so that the gap of a crash has a start. */
export const ALIVE_FILE = "alive";

/**
 * The heartbeat's note: one line of a fixed size, written in place a few times a second. It says up to when nothing was
 * missing, and how far the days have to reach for that to hold. What a kill leaves of the days is nearly always more than
 * was synced.
 */
export const KEPT_FILE = "alive.kept";

/** The size of {@linkcode KEPT_FILE} in bytes: a sector, so that it is written in one piece and always in the same place. */
export const KEPT_BYTES = 512;

/** Held by the one process that writes here. */
export const LOCK_FILE = "lock";

/** One line for each day that retention removed, so that it is answered with 410 and not 404. */
export const REMOVED_FILE = "removed.jsonl";

/**
 * The times of lines that opening has found to be lost, a line each, until the gap ledger has them on the disk. Only after
 * a crash in between is it there for long.
 */
export const LOSSES_FILE = "lost.jsonl";

/** Ends the name of a file that is not whole yet and that nothing refers to. Removed at the next start. */
export const TEMPORARY_SUFFIX = ".tmp";

/** Ends the name of a file that was set aside because something in it is wrong. Never read, never removed. */
export const DAMAGED_SUFFIX = ".damaged";

/**
 * Ends the name of a plain file that was set aside because it belongs nowhere: there is no damage in it, but its place in
 * the day's text is taken by other lines, which are sealed. Never read, never removed.
 */
export const CONFLICT_SUFFIX = ".conflict";

/**
 * The hot file of a day: `2026-11-22.jsonl`. Each line is a record as it came, or an envelope. Where somebody cut the file
 * while it was written, lines of exactly as many bytes say so instead of those that are lost, so that offsets stay: they are
 * records with a member `flightlog: {"lost": BYTES}` and spaces before the last brace (see lost_line.ts).
 *
 * A reopened day continues in a new file that carries the offset at which its text starts,
 * `2026-11-22.from-1048576.jsonl`: the name alone says which lines the file holds, so no crash between two renames can make
 * it mean others.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(plainFile(20_779, 0), "2026-11-22.jsonl");
 * assert.equal(plainFile(20_779, 1_048_576), "2026-11-22.from-1048576.jsonl");
 * ```
 */
export function plainFile(day: DayNumber, from: number): string {
  return from === 0 ? `${dayName(day)}.jsonl` : `${dayName(day)}.from-${from}.jsonl`;
}

/** The sealed gzip file of a day. Whole whenever it exists. */
export function gzFile(day: DayNumber): string {
  return `${dayName(day)}.jsonl.gz`;
}

/** The index of a sealed day; belongs to {@linkcode gzFile}. */
export function indexFile(day: DayNumber): string {
  return `${dayName(day)}.index`;
}

/** The gzip blocks that exist so far of a hot day: no trailer yet. */
export function gzPartFile(day: DayNumber): string {
  return `${dayName(day)}.jsonl.gz.part`;
}

/** The index of {@linkcode gzPartFile}. */
export function indexPartFile(day: DayNumber): string {
  return `${dayName(day)}.index.part`;
}

/**
 * Where lines were inserted into a day's text, so that a place that was given out before still leads to the same line: see
 * edits.ts. It is only appended to; the seal of the index says how much of it counts.
 */
export function editsFile(day: DayNumber): string {
  return `${dayName(day)}.edits`;
}

/** Lines that were found elsewhere and are to be inserted into a day: see found_lines.ts. Temporary whatever becomes of it. */
export function foundFile(day: DayNumber): string {
  return `${dayName(day)}.found${TEMPORARY_SUFFIX}`;
}

/** What was cut off after the last whole line, which ended at `offset` of the day's text. */
export function tornFile(day: DayNumber, offset: number): string {
  return `${dayName(day)}.at-${offset}.torn`;
}

/** What a file name in the archive means. */
export type FileKind =
  | { kind: "plain"; day: DayNumber; from: number }
  | { kind: "gz" | "index" | "gzPart" | "indexPart" | "torn" | "edits" | "found"; day: DayNumber };

const SUFFIXES: Record<string, "gz" | "index" | "gzPart" | "indexPart" | "edits" | "found"> = {
  ".jsonl.gz": "gz",
  ".index": "index",
  ".jsonl.gz.part": "gzPart",
  ".index.part": "indexPart",
  ".edits": "edits",
  ".found": "found",
};

/**
 * Tells what a file name means; null for a name that no day's file has.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseFileName("2026-11-22.from-1048576.jsonl"), { kind: "plain", day: 20_779, from: 1_048_576 });
 * assert.deepEqual(parseFileName("2026-11-22.jsonl.gz"), { kind: "gz", day: 20_779 });
 * assert.equal(parseFileName("2026-11-31.jsonl.gz"), null, "November has no such day");
 * ```
 */
export function parseFileName(name: string): FileKind | null {
  const day = parseDayName(name.slice(0, 10));
  if (day === null) return null;
  const rest = name.slice(10);
  if (rest === ".jsonl") return { kind: "plain", day, from: 0 };
  const from = /^\.from-([1-9]\d{0,15})\.jsonl$/.exec(rest);
  if (from) return { kind: "plain", day, from: Number(from[1]) };
  if (/^\.at-\d{1,16}\.torn$/.test(rest)) return { kind: "torn", day };
  const kind = SUFFIXES[rest];
  return kind === undefined ? null : { kind, day };
}

const offset = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const crc32 = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/));
const timestamp = v.nullable(v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)));

/** The first line of an index. */
export interface IndexHeader {
  /** Tells an index from any other file. */
  flightlog: "index";
  /** The version of the format; see {@linkcode INDEX_VERSION}. */
  version: typeof INDEX_VERSION | typeof UNCHECKED_INDEX_VERSION | typeof HEALED_INDEX_VERSION;
  /** `YYYY-MM-DD`. */
  day: string;
  /** Where the first block starts in the day's text; not 0 only in a part. */
  rawFrom: number;
  /** Where the index's file starts in the gzip file of the day; not 0 only in a part. */
  gzFrom: number;
}

const indexHeaderSchema = v.strictObject({
  flightlog: v.literal("index"),
  version: v.picklist([INDEX_VERSION, UNCHECKED_INDEX_VERSION, HEALED_INDEX_VERSION]),
  day: v.string(),
  rawFrom: offset,
  gzFrom: offset,
});

/** One line of an index, about one block. Offsets and lengths are bytes. */
export interface BlockEntry {
  /** Where the block's text stands in the day's text. */
  rawOffset: number;
  /** How long the block's text is. */
  rawLength: number;
  /** Where the block stands in the day's gzip file. Of a part: in the file to come. */
  gzOffset: number;
  /** How long the block is in the gzip file. */
  gzLength: number;
  /** How many lines it has. */
  lines: number;
  /** The smallest timestamp, to the nanosecond in UTC; null where no line has one. */
  first: string | null;
  /** The largest timestamp, as {@linkcode BlockEntry.first}. */
  last: string | null;
  /** How many lines have no timestamp. */
  untimed: number;
  /** CRC-32 of the block's text. */
  crc32: string;
  /** CRC-32 of the day's text up to the block's end. */
  totalCrc32: string;
  /** The names of the apps in it, sorted; null means any. */
  apps: string[] | null;
  /**
   * CRC-32 of the block as it lies in the gzip file, so that it can be checked without inflating it; null where
   * that is not known, as in an index of version 1.
   */
  gzCrc32: string | null;
}

const blockEntryMembers = {
  rawOffset: offset,
  rawLength: offset,
  gzOffset: offset,
  gzLength: offset,
  lines: offset,
  first: timestamp,
  last: timestamp,
  untimed: offset,
  crc32,
  totalCrc32: crc32,
  apps: v.nullable(v.array(v.string())),
};
const blockEntrySchema = v.strictObject({ ...blockEntryMembers, gzCrc32: v.nullable(crc32) });
const oldBlockEntrySchema = v.strictObject(blockEntryMembers);

/** What was inserted into a day's text since it was recorded, all in all. */
export interface HealedEntry {
  /** How many times lines were inserted: the text is of this edition. That of a day that was never healed is of edition 0. */
  edition: number;
  /** How many bytes were inserted: the text is so much longer than what was recorded. */
  bytes: number;
  /** How many lines were inserted. */
  lines: number;
  /** How many bytes of the file of {@linkcode editsFile} belong to it. */
  editsBytes: number;
}

/** The last line of the index of a sealed day: the totals of its blocks. */
export interface SealEntry {
  /** Tells a seal from a block. */
  sealed: true;
  /** The length of the day's text in bytes. */
  rawBytes: number;
  /** The size of the whole gzip file. */
  gzBytes: number;
  /** How many lines the day has. */
  lines: number;
  /** The smallest timestamp of the day, to the nanosecond in UTC; null where no line has one. */
  first: string | null;
  /** The largest timestamp of the day, as {@linkcode SealEntry.first}. */
  last: string | null;
  /** How many lines have no timestamp. */
  untimed: number;
  /** CRC-32 of the day's text. */
  crc32: string;
  /** What of it was inserted; not there for a day into which nothing was. */
  healed?: HealedEntry;
}

const sealEntrySchema = v.strictObject({
  sealed: v.literal(true),
  rawBytes: offset,
  gzBytes: offset,
  lines: offset,
  first: timestamp,
  last: timestamp,
  untimed: offset,
  crc32,
  healed: v.exactOptional(
    v.strictObject({ edition: offset, bytes: offset, lines: offset, editsBytes: offset }),
  ),
});

/** Returns an index header, or null for what is none. */
export function readIndexHeader(value: unknown): IndexHeader | null {
  return readAs(indexHeaderSchema, value);
}

/** Returns the version of an index header of any version, or null for what is none. */
export function readIndexVersion(value: unknown): number | null {
  return readAs(v.object({ flightlog: v.literal("index"), version: v.number() }), value)?.version ?? null;
}

/** Returns a block entry of an index of `version`, or null for what is none. */
export function readBlockEntry(value: unknown, version: IndexHeader["version"]): BlockEntry | null {
  if (version !== UNCHECKED_INDEX_VERSION) return readAs(blockEntrySchema, value);
  const entry = readAs(oldBlockEntrySchema, value);
  return entry && { ...entry, gzCrc32: null };
}

/** Returns a seal, or null for what is none. */
export function readSealEntry(value: unknown): SealEntry | null {
  return readAs(sealEntrySchema, value);
}

function readAs<Output>(schema: v.GenericSchema<unknown, Output>, value: unknown): Output | null {
  const result = v.safeParse(schema, value);
  return result.success ? result.output : null;
}
