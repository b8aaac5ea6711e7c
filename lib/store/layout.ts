/**
 * Promises that every name in the bucket stands in this file, each with its reason. Nothing outside it builds a name of an object.
 *
 * A day is stored as the files that it is on the volume:
 *
 *     v1/flightlog-ams/days/2026-11-22/0.65536000.9f86d081884c7d65.jsonl.gz
 *     v1/flightlog-ams/days/2026-11-22/2.65537100.e3b0c44298fc1c14.jsonl.gz
 *     v1/flightlog-ams/days/2026-11-22/2.65537100.e3b0c44298fc1c14.edits
 *     v1/flightlog-ams/days/2026-11-22/2.65537100.e3b0c44298fc1c14.index
 *
 * An index is written last, so that a day is stored where there is one. Here the day was healed: its second generation is stored, and of
 * the first one only the gzip file is left, which nobody reads and which is removed.
 *
 * @module
 */

import { dayName, type DayNumber, parseDayName } from "../day.ts";

/**
 * Begins every name. What is stored in another way later gets another one, so that a program which does not know it leaves it alone, and one
 * that does finds both.
 */
export const LAYOUT_VERSION = "v1";

/**
 * A digest of a generation has so many hexadecimal digits: 64 bits, of a few generations of one day, never meet by chance.
 */
export const GENERATION_DIGITS = 16;

/** An archive's name has up to so many characters: names of objects have up to 1,024. */
export const ARCHIVE_NAME_LIMIT = 64;

/** What the files of a day are: the lines, where lines were inserted into them, and what tells where each block is. */
export type StoredFileKind = "gz" | "edits" | "index";

const SUFFIXES: Readonly<Record<StoredFileKind, string>> = {
  gz: ".jsonl.gz",
  edits: ".edits",
  index: ".index",
};

/** What each file is, for people who look at it in a browser or with a tool. */
export const CONTENT_TYPES: Readonly<Record<StoredFileKind, string>> = {
  gz: "application/gzip",
  edits: "application/octet-stream",
  index: "application/x-ndjson",
};

/**
 * One state of a day's sealed text. A day that is reopened or healed gets another one: objects are written once and never changed, so that
 * who reads one reads on.
 */
export interface Generation {
  /** Which day it is of. */
  day: DayNumber;
  /** Which edition of the text it is; see {@linkcode HealedEntry}. */
  edition: number;
  /** How long the text is, in bytes. It only grows, by lines that came late or were brought back. */
  rawBytes: number;
  /**
   * The beginning of the SHA-256 of the index, in hexadecimal. The index has the checksums of all blocks of the gzip file: two generations
   * of one name have the same files, so an upload that is made again writes what is there.
   */
  digest: string;
}

/**
 * Whether an archive can have this name: one part of the names of objects, and the same in every tool. Several archives may lie in one
 * bucket.
 */
export function isArchiveName(text: string): boolean {
  return text.length <= ARCHIVE_NAME_LIMIT && /^[a-z0-9][a-z0-9_-]*$/.test(text);
}

/** What all names of an archive's days begin with. */
export function daysPrefix(archive: string): string {
  return `${LAYOUT_VERSION}/${archive}/days/`;
}

/** What all names of a day's objects begin with. */
export function dayPrefix(archive: string, day: DayNumber): string {
  return `${daysPrefix(archive)}${dayName(day)}/`;
}

/**
 * The name of a file of a day.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const generation = { day: 20_779, edition: 2, rawBytes: 1000, digest: "9f86d081884c7d65" };
 * const key = storedKey("web", generation, "gz");
 * assert.equal(key, "v1/web/days/2026-11-22/2.1000.9f86d081884c7d65.jsonl.gz");
 * assert.deepEqual(parseStoredKey("web", key), { generation, kind: "gz" });
 * ```
 */
export function storedKey(archive: string, generation: Generation, kind: StoredFileKind): string {
  const { day, edition, rawBytes, digest } = generation;
  return `${dayPrefix(archive, day)}${edition}.${rawBytes}.${digest}${SUFFIXES[kind]}`;
}

/** Tells what the name of an object of `archive` means; null for a name that no file of a day has. */
export function parseStoredKey(
  archive: string,
  key: string,
): { generation: Generation; kind: StoredFileKind } | null {
  const prefix = daysPrefix(archive);
  if (!key.startsWith(prefix)) return null;
  const match = /^(.{10})\/(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,15})\.([0-9a-f]{16})(\.[a-z.]+)$/.exec(
    key.slice(prefix.length),
  );
  if (match === null) return null;
  const [, name, edition, rawBytes, digest, suffix] = match;
  const day = parseDayName(name!);
  const kind = (Object.keys(SUFFIXES) as StoredFileKind[]).find((kind) => SUFFIXES[kind] === suffix);
  if (day === null || kind === undefined) return null;
  return {
    generation: { day, edition: Number(edition), rawBytes: Number(rawBytes), digest: digest! },
    kind,
  };
}

/** Whether two generations are the same. */
export function isSameGeneration(a: Generation, b: Generation): boolean {
  return a.day === b.day && a.edition === b.edition && a.rawBytes === b.rawBytes && a.digest === b.digest;
}

/**
 * Which of two generations of a day came later: positive if `a` did. The one with more text; of the same text, which has only another gzip
 * file, either, as long as it is always the same one.
 */
export function compareGenerations(a: Generation, b: Generation): number {
  if (a.rawBytes !== b.rawBytes) return a.rawBytes - b.rawBytes;
  if (a.edition !== b.edition) return a.edition - b.edition;
  return a.digest < b.digest ? -1 : Number(a.digest > b.digest);
}
