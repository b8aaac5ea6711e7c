/**
 * Promises the lines of a file of found lines one by one, each with the time at which it is to be placed, and that they are in
 * the order of these times. Blocks: it is for the block worker. It holds one line, and a piece of the file.
 *
 * @module
 */

import { basename } from "node:path";
import { compareTimestamps, type Timestamp } from "../timestamp.ts";
import { LINE_FEED } from "./format.ts";
import { PLACING_BYTES, readPlacing } from "./found_lines.ts";

/** So much of the file is read at a time, in bytes. A longer line makes the buffer larger. */
const READ_BYTES = 256 * 1024;

/** No line is longer, in bytes: the largest payload that a server of NATS takes, in an envelope with all of it as text too. */
export const FOUND_LINE_LIMIT_BYTES: number = 256 * 1024 * 1024;

/** A line that was found, and the time at which it is to be placed. */
export interface FoundLine {
  /** When. */
  time: Timestamp;
  /** The line with its line feed, and without the time before it. It is overwritten when the next one is read. */
  line: Uint8Array;
}

/** Reads a file that FoundLines wrote. */
export class FoundReader implements Disposable {
  readonly #name: string;
  readonly #file: Deno.FsFile;
  #buffer = new Uint8Array(READ_BYTES);
  /** What was read and is not used yet: the buffer from here … */
  #start = 0;
  /** … to here. */
  #end = 0;
  #last: Timestamp | null = null;

  /**
   * Opens the file at `path`.
   *
   * @throws {Error} If it cannot be opened.
   */
  constructor(path: string) {
    this.#name = basename(path);
    this.#file = Deno.openSync(path, { read: true });
  }

  /**
   * The next line; null after the last.
   *
   * @throws {Error} If what is there is not what FoundLines writes, or is earlier than the line before it.
   */
  next(): FoundLine | null {
    const length = this.#lengthOfNext();
    if (length === 0) return null;
    const time = length > PLACING_BYTES + 1 ? readPlacing(this.#buffer, this.#start) : null;
    if (time === null) throw this.#fault("a line does not say when it is to be placed");
    if (this.#last !== null && compareTimestamps(time, this.#last) < 0) {
      throw this.#fault("its lines are not in the order of their times");
    }
    this.#last = time;
    const line = this.#buffer.subarray(this.#start + PLACING_BYTES + 1, this.#start + length);
    this.#start += length;
    return { time, line };
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** How long the next line is with what is before and after it; all of it is in the buffer then. 0 after the last. */
  #lengthOfNext(): number {
    for (let searched = this.#start;;) {
      const lineFeed = this.#buffer.subarray(0, this.#end).indexOf(LINE_FEED, searched);
      if (lineFeed !== -1) return lineFeed + 1 - this.#start;
      const held = this.#end - this.#start;
      if (!this.#fill()) {
        if (held === 0) return 0;
        throw this.#fault("its last line has no end");
      }
      searched = this.#start + held;
    }
  }

  /** Reads on, at the end of what is held; false at the end of the file. */
  #fill(): boolean {
    const held = this.#buffer.subarray(this.#start, this.#end);
    if (held.length > this.#buffer.length / 2) {
      if (this.#buffer.length >= FOUND_LINE_LIMIT_BYTES) throw this.#fault("a line of it is too long");
      const larger = new Uint8Array(this.#buffer.length * 2);
      larger.set(held);
      this.#buffer = larger;
    } else this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#start = 0;
    this.#end = held.length;
    const count = this.#file.readSync(this.#buffer.subarray(this.#end));
    if (count === null) return false;
    this.#end += count;
    return true;
  }

  #fault(what: string): Error {
    return new Error(`Cannot insert the lines of "${this.#name}": ${what}`);
  }
}
