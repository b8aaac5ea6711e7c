/**
 * Promises that a sealed day is stored in a bucket whole or not at all, whenever the upload ends: its index is written last, and only after all
 * else was found there as it was sent. What is damaged is not stored.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { readSealedIndex, type SealedIndex } from "../archive/blocks/day_index.ts";
import { editsFile, gzFile, indexFile, type SealEntry } from "../archive/format.ts";
import type { Bytes } from "../archive/read/bytes.ts";
import type { DayNumber } from "../day.ts";
import type { Bucket } from "./bucket.ts";
import { BucketError } from "./bucket_error.ts";
import { CheckedGz } from "./checked_gz.ts";
import { CONTENT_TYPES, type Generation, GENERATION_DIGITS, isSameGeneration, storedKey } from "./layout.ts";
import { digestOf, isOtherThan, type ObjectDigest } from "./object_digest.ts";
import { findDay, type StoredDay, storedDayOf } from "./stored_day.ts";
import type { StoredObject } from "./stored_object.ts";

/** So many lines of an index are read before others on this thread get a turn: less than a millisecond's work. */
const LINES_PER_TURN = 256;

/** A day that is sealed, opened as it was at one moment: what is renamed or removed meanwhile does not change it. */
export interface SealedDay {
  /** Which day. */
  day: DayNumber;
  /** The totals of its text. */
  seal: SealEntry;
  /** The gzip file. */
  gz: Bytes;
  /** The index of it. */
  index: Bytes;
  /** Where lines were inserted; null for a day into which none were. */
  edits: Bytes | null;
}

/** Where days are stored. */
export interface DayUploaderOptions {
  /** The bucket. */
  bucket: Bucket;
  /** The name of the archive that they are of. */
  archive: string;
}

/** Stores sealed days of one archive. One of them does so at a time. */
export class DayUploader {
  readonly #bucket: Bucket;
  readonly #archive: string;

  /** Nothing is sent yet. */
  constructor({ bucket, archive }: DayUploaderOptions) {
    this.#bucket = bucket;
    this.#archive = archive;
  }

  /**
   * Stores a day, unless it is stored already, and tells by which objects it is. Up to 8 MiB of it are in memory at a time, and its index.
   *
   * @throws {BucketError} As {@linkcode Bucket.upload} and {@linkcode Bucket.put}. The day is not stored then, or if only the last answer was
   * lost, it is: trying again finds out.
   * @throws {Error} If the files are not those that were sealed.
   */
  async upload(sealed: SealedDay, signal?: AbortSignal): Promise<StoredDay> {
    const { day, seal } = sealed;
    const indexBytes = await sealed.index.read(0, await sealed.index.size());
    const index = await readIndex(indexBytes, sealed);
    const digest = await digestOf(indexBytes);
    const generation: Generation = {
      day,
      edition: seal.healed?.edition ?? 0,
      rawBytes: seal.rawBytes,
      digest: digest.sha256.slice(0, GENERATION_DIGITS),
    };
    const stored = await this.#find(generation, sealed, digest, signal);
    if (stored !== null) return stored;
    const gzKey = storedKey(this.#archive, generation, "gz");
    // An upload that was cut short is begun anew, and the parts of it that are there already are nobody's.
    for await (const upload of this.#bucket.uploads(gzKey, { signal })) {
      await this.#bucket.abort(upload, signal);
    }
    const gz = await this.#send(generation, "gz", new CheckedGz(sealed.gz, index), signal);
    const edits = await this.#sendEdits(generation, sealed, signal);
    for (const sent of [gz, edits]) if (sent !== null) await this.#confirm(sent, signal);
    const key = storedKey(this.#archive, generation, "index");
    const options = { ifNoneMatch: "*", contentType: CONTENT_TYPES.index, signal } as const;
    return { generation, gz, edits, index: await this.#bucket.put(key, indexBytes, options) };
  }

  /** The day, if this generation of it is stored with files of the right lengths. */
  async #find(
    generation: Generation,
    { day, seal }: SealedDay,
    digest: ObjectDigest,
    signal: AbortSignal | undefined,
  ): Promise<StoredDay | null> {
    const { generations } = await findDay(this.#bucket, this.#archive, day, signal);
    const found = generations.find((one) => isSameGeneration(one.generation, generation));
    const stored = found === undefined ? null : storedDayOf(found);
    if (stored === null) return null;
    const { gz, index, edits } = stored;
    const isWhole = gz.size === seal.gzBytes && index.size === digest.size &&
      !isOtherThan({ etag: index.etag, isEncrypted: false }, digest.md5) &&
      (edits?.size ?? 0) === (seal.healed?.editsBytes ?? 0);
    return isWhole ? stored : null;
  }

  async #sendEdits(
    generation: Generation,
    { day, seal, edits }: SealedDay,
    signal: AbortSignal | undefined,
  ): Promise<StoredObject | null> {
    if (seal.healed === undefined) return null;
    if (edits === null) throw new Error(`Cannot store "${editsFile(day)}": it is gone`);
    // What follows belongs to an edition that is being made.
    const { editsBytes } = seal.healed;
    const source: Pick<Bytes, "size" | "read"> = {
      size: () => Promise.resolve(editsBytes),
      read: (offset, length) => edits.read(offset, length),
    };
    return await this.#send(generation, "edits", source, signal);
  }

  async #send(
    generation: Generation,
    kind: "gz" | "edits",
    source: Pick<Bytes, "size" | "read">,
    signal: AbortSignal | undefined,
  ): Promise<StoredObject> {
    const key = storedKey(this.#archive, generation, kind);
    return await this.#bucket.upload(key, source, { contentType: CONTENT_TYPES[kind], signal });
  }

  /** Makes sure that an object is there as it was sent, before an index says so. */
  async #confirm(sent: StoredObject, signal: AbortSignal | undefined): Promise<void> {
    const there = await this.#bucket.head(sent.key, signal);
    if (there?.size === sent.size && there.etag === sent.etag) return;
    const what = there === null ? "it is gone" : "it is another one";
    throw new BucketError(
      "broken",
      `Cannot store "${sent.key}": ${what} after it was written; try again later`,
    );
  }
}

/** Reads the index of a day, with turns for others. */
async function readIndex(bytes: Uint8Array, { day, seal }: SealedDay): Promise<SealedIndex> {
  const reading = readSealedIndex(new TextDecoder().decode(bytes), day);
  let step = reading.next();
  for (let lines = 1; !step.done; lines++) {
    if (lines % LINES_PER_TURN === 0) await nextTurn();
    step = reading.next();
  }
  const index = step.value;
  if (JSON.stringify(index.seal) === JSON.stringify(seal)) return index;
  throw new Error(`Cannot store "${gzFile(day)}": "${indexFile(day)}" is of another gzip file`);
}
