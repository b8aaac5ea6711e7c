/**
 * Promises to tell which days are stored in a bucket, and by which objects: a day whose upload was not finished is not.
 *
 * @module
 */

import { parseSeal } from "../archive/blocks/day_index.ts";
import {
  HEADER_LINE_LIMIT_BYTES,
  indexFile,
  SEAL_LINE_LIMIT_BYTES,
  type SealEntry,
} from "../archive/format.ts";
import type { DayNumber } from "../day.ts";
import type { Bucket } from "./bucket.ts";
import {
  compareGenerations,
  dayPrefix,
  daysPrefix,
  type Generation,
  isSameGeneration,
  parseStoredKey,
  type StoredFileKind,
} from "./layout.ts";
import type { StoredObject } from "./stored_object.ts";

/** A day that is stored. */
export interface StoredDay {
  /** Which state of it. */
  generation: Generation;
  /** The gzip file. */
  gz: StoredObject;
  /** The index. */
  index: StoredObject;
  /** Where lines were inserted; null for a day into which none were. */
  edits: StoredObject | null;
}

/** What there is of a generation, whether it is stored or not. */
export interface FoundGeneration {
  /** Which one. */
  generation: Generation;
  /** Its objects. */
  files: Partial<Record<StoredFileKind, StoredObject>>;
}

/** What there is of a day. */
export interface FoundDay {
  /** Which day. */
  day: DayNumber;
  /** Its generations, the earliest first. */
  generations: FoundGeneration[];
}

/** The day that is stored as a generation; null where something of it is missing. */
export function storedDayOf({ generation, files }: FoundGeneration): StoredDay | null {
  const { gz, index, edits } = files;
  if (gz === undefined || index === undefined) return null;
  if (generation.edition === 0) return { generation, gz, index, edits: null };
  return edits === undefined ? null : { generation, gz, index, edits };
}

/** The newest generation of a day that is stored; null where none is. */
export function newestStored({ generations }: FoundDay): StoredDay | null {
  for (const found of generations.toReversed()) {
    const stored = storedDayOf(found);
    if (stored !== null) return stored;
  }
  return null;
}

/**
 * What there is of each day of an archive, the earliest day first. Names that no file of a day has are passed over. Of one day at a time what
 * there is is held in memory: a few generations.
 *
 * @throws {BucketError} As {@linkcode Bucket.list}.
 */
export async function* findDays(
  bucket: Bucket,
  archive: string,
  signal?: AbortSignal,
): AsyncGenerator<FoundDay, void> {
  yield* daysIn(bucket, archive, daysPrefix(archive), signal);
}

/**
 * What there is of one day.
 *
 * @throws {BucketError} As {@linkcode Bucket.list}.
 */
export async function findDay(
  bucket: Bucket,
  archive: string,
  day: DayNumber,
  signal?: AbortSignal,
): Promise<FoundDay> {
  const [found] = await Array.fromAsync(daysIn(bucket, archive, dayPrefix(archive, day), signal));
  return found ?? { day, generations: [] };
}

/**
 * The totals of a stored day, from the two ends of its index.
 *
 * @throws {BucketError} As {@linkcode Bucket.getRange}.
 * @throws {Error} If the index is damaged, or was written by a later version of the program.
 */
export async function readStoredSeal(
  bucket: Bucket,
  { index, generation }: StoredDay,
  signal?: AbortSignal,
): Promise<SealEntry> {
  const read = async (offset: number, length: number): Promise<string> => {
    return new TextDecoder().decode(await bucket.getRange(index, { offset, length }, signal));
  };
  const headLength = Math.min(HEADER_LINE_LIMIT_BYTES, index.size);
  const tailLength = Math.min(SEAL_LINE_LIMIT_BYTES, index.size);
  const [head, tail] = await Promise.all([
    read(0, headLength),
    read(index.size - tailLength, tailLength),
  ]);
  const seal = parseSeal(head, tail, generation.day);
  if (seal !== null) return seal;
  throw new Error(`Cannot read "${indexFile(generation.day)}" in bucket "${bucket.name}": it is damaged`);
}

async function* daysIn(
  bucket: Bucket,
  archive: string,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<FoundDay, void> {
  let found = null as FoundDay | null;
  for await (const object of bucket.list(prefix, { signal })) {
    const parsed = parseStoredKey(archive, object.key);
    if (parsed === null) continue;
    const { generation, kind } = parsed;
    // Names come in their order, and so those of a day together.
    if (found?.day !== generation.day) {
      if (found !== null) yield sorted(found);
      found = { day: generation.day, generations: [] };
    }
    const there = found.generations.find((one) => isSameGeneration(one.generation, generation));
    if (there !== undefined) there.files[kind] = object;
    else found.generations.push({ generation, files: { [kind]: object } });
  }
  if (found !== null) yield sorted(found);
}

function sorted({ day, generations }: FoundDay): FoundDay {
  const inOrder = generations.toSorted((a, b) => compareGenerations(a.generation, b.generation));
  return { day, generations: inOrder };
}
