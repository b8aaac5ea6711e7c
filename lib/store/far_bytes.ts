/**
 * Promises the bytes of an object in a bucket as {@linkcode Bytes}: exactly those that are asked for, of exactly the object that was
 * opened, or an error. A reader who reads one part after another does not wait for each of them.
 *
 * @module
 */

import { type Bytes, shortRead } from "../archive/read/bytes.ts";
import type { MemoryBudget } from "../machine/memory_budget.ts";
import { type Bucket, RANGE_LIMIT_BYTES } from "./bucket.ts";
import type { FarReads } from "./far_reads.ts";
import { ReadAhead } from "./read_ahead.ts";
import type { StoredObject } from "./stored_object.ts";

/** Which object, and what those who read from the bucket share. */
export interface FarBytesOptions {
  /** Where it is. */
  bucket: Bucket;
  /** The object. One that is written anew meanwhile is not read on. */
  object: Pick<StoredObject, "key" | "size" | "etag">;
  /** What it is called in errors, as the file that it is a copy of: `2026-11-22.jsonl.gz`. */
  name: string;
  /** Whose turn it is. */
  reads: FarReads;
  /** Where what is read ahead is counted. */
  memory: MemoryBudget;
}

/** The bytes of an object. */
export class FarBytes implements Bytes {
  /** See {@linkcode Bytes.name}. */
  readonly name: string;
  readonly #options: FarBytesOptions;
  readonly #ahead: ReadAhead;
  readonly #closed = new AbortController();

  /** Nothing is read yet. */
  constructor(options: FarBytesOptions) {
    this.#options = options;
    this.name = options.name;
    this.#ahead = new ReadAhead({
      size: options.object.size,
      memory: options.memory,
      tryRead: ({ start, end }, gone) => {
        const signal = AbortSignal.any([gone, this.#closed.signal]);
        return options.reads.tryRun(() => this.#request(start, end - start, signal), signal);
      },
    });
  }

  /** See {@linkcode Bytes.size}. Asks nobody. */
  size(): Promise<number> {
    return Promise.resolve(this.#options.object.size);
  }

  /**
   * See {@linkcode Bytes.read}.
   *
   * @throws {BucketError} As {@linkcode Bucket.getRange}: `changed` or `missing` if the object is not there any more.
   */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const { size } = this.#options.object;
    if (offset + length > size) throw shortRead(this.name, offset, length, Math.max(0, size - offset));
    if (length === 0) return new Uint8Array();
    this.#closed.signal.throwIfAborted();
    const end = offset + length;
    const ahead = this.#ahead.follow({ start: offset, end });
    if (ahead.length === 0) return await this.#readNow(offset, length);
    const bytes = new Uint8Array(length);
    try {
      let at = offset;
      for (const { range, bytes: part } of ahead) {
        if (at < range.start) bytes.set(await this.#readNow(at, range.start - at), at - offset);
        bytes.set(await part, range.start - offset);
        at = range.end;
      }
      if (at < end) bytes.set(await this.#readNow(at, end - at), at - offset);
      return bytes;
    } catch (error) {
      // What comes next is read anew.
      this.#ahead[Symbol.dispose]();
      throw error;
    }
  }

  /** Ends all reads; harmless when repeated. */
  [Symbol.dispose](): void {
    this.#ahead[Symbol.dispose]();
    this.#closed.abort(new Error(`Cannot read "${this.name}": it was closed`));
  }

  /** Reads what somebody waits for. */
  async #readNow(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const { signal } = this.#closed;
    const { reads } = this.#options;
    if (length <= RANGE_LIMIT_BYTES) {
      return await reads.run(() => this.#request(offset, length, signal), signal);
    }
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += RANGE_LIMIT_BYTES) {
      const piece = Math.min(RANGE_LIMIT_BYTES, length - at);
      bytes.set(await reads.run(() => this.#request(offset + at, piece, signal), signal), at);
    }
    return bytes;
  }

  #request(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const { bucket, object } = this.#options;
    return bucket.getRange(object, { offset, length }, signal);
  }
}
