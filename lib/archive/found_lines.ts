/**
 * Promises lines that were found elsewhere on the disk, in the order of their times, until they are inserted into a day: however
 * many there are, they take no memory.
 *
 * Each line of the file begins with the time at which it is to be placed, as seconds and nanoseconds since 1970 in
 * {@linkcode PLACING_BYTES} bytes, and a space: `1795341600.123456789 {"event":…}`. It is mostly the line's own. A line without a
 * timestamp has that of the line before it where it was found.
 *
 * @module
 */

import { join } from "node:path";
import type { DayNumber } from "../day.ts";
import { isBefore, type Timestamp } from "../timestamp.ts";
import { removeIfThere } from "./disk.ts";
import { foundFile, LINE_FEED } from "./format.ts";

/** How many digits the seconds have: enough up to the year 2286, and a day of the archive is later than 2001. */
const SECONDS_DIGITS = 10;

/** How long the time before each line is, the space after it not counted, in bytes. */
export const PLACING_BYTES: number = SECONDS_DIGITS + 1 + 9;

/** So much is gathered before it is written, in bytes. */
const WRITE_BYTES = 256 * 1024;

const encoder = new TextEncoder();

/** The lines that were found for one day; there is one file for a day at a time. Disposed of, it is removed. */
export class FoundLines implements Disposable {
  /** For which day they are. */
  readonly day: DayNumber;
  /** Where the file is. */
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #buffer = new Uint8Array(WRITE_BYTES);
  #buffered = 0;
  #lines = 0;
  #last: Timestamp | null = null;
  #isClosed = false;

  /**
   * Begins a file for lines of `day` in the archive at `directory`; one that was left there is overwritten.
   *
   * @throws {Error} If it cannot be made.
   */
  constructor(directory: string, day: DayNumber) {
    this.day = day;
    this.path = join(directory, foundFile(day));
    this.#file = Deno.openSync(this.path, { write: true, create: true, truncate: true });
  }

  /** How many lines were added. */
  get lines(): number {
    return this.#lines;
  }

  /**
   * Adds a line, without its line feed and with none in it, to be placed at `time`. The bytes are copied.
   *
   * @throws {RangeError} If `time` is before that of the line added last, or has no place in the file.
   * @throws {Error} If the disk does not take it.
   */
  async add(line: Uint8Array, time: Timestamp): Promise<void> {
    if (this.#last !== null && isBefore(time, this.#last)) {
      throw new RangeError("Cannot add a found line: it is earlier than the one before it");
    }
    const placing = placingOf(time);
    this.#last = { seconds: time.seconds, nanoseconds: time.nanoseconds };
    this.#lines++;
    const bytes = placing.length + line.length + 1;
    if (bytes > WRITE_BYTES - this.#buffered) await this.#flush();
    if (bytes <= WRITE_BYTES) return this.#put(placing, line);
    await this.#write(encoder.encode(placing));
    await this.#write(line);
    await this.#write(Uint8Array.of(LINE_FEED));
  }

  /** Writes what is left; nothing can be added any more. Harmless when repeated. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#flush();
    this.#isClosed = true;
    this.#file.close();
  }

  /** Closes and removes the file; harmless when repeated. */
  [Symbol.dispose](): void {
    if (!this.#isClosed) this.#file.close();
    this.#isClosed = true;
    removeIfThere(this.path);
  }

  /** Puts a line into the buffer, which has room for it. */
  #put(placing: string, line: Uint8Array): void {
    const buffer = this.#buffer;
    encoder.encodeInto(placing, buffer.subarray(this.#buffered));
    buffer.set(line, this.#buffered + placing.length);
    this.#buffered += placing.length + line.length + 1;
    buffer[this.#buffered - 1] = LINE_FEED;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#buffered === WRITE_BYTES) await this.#flush();
      const piece = bytes.subarray(at, at + WRITE_BYTES - this.#buffered);
      this.#buffer.set(piece, this.#buffered);
      this.#buffered += piece.length;
      at += piece.length;
    }
  }

  async #flush(): Promise<void> {
    for (let done = 0; done < this.#buffered;) {
      done += await this.#file.write(this.#buffer.subarray(done, this.#buffered));
    }
    this.#buffered = 0;
  }
}

/** The time before a line, with the space after it. */
function placingOf({ seconds, nanoseconds }: Timestamp): string {
  const digits = String(seconds);
  if (digits.length !== SECONDS_DIGITS || seconds < 0) {
    throw new RangeError(`Cannot add a found line of second ${seconds}: it has not ${SECONDS_DIGITS} digits`);
  }
  return `${digits}.${String(nanoseconds).padStart(9, "0")} `;
}

/** Reads the time with which `bytes` begin at `start`; null where there is none. */
export function readPlacing(bytes: Uint8Array, start: number): Timestamp | null {
  let seconds = 0;
  let nanoseconds = 0;
  for (let at = 0; at < PLACING_BYTES; at++) {
    const digit = bytes[start + at]! - 0x30;
    if (at === SECONDS_DIGITS) {
      if (bytes[start + at] !== 0x2e) return null;
    } else if (!(digit >= 0 && digit <= 9)) return null;
    else if (at < SECONDS_DIGITS) seconds = seconds * 10 + digit;
    else nanoseconds = nanoseconds * 10 + digit;
  }
  return bytes[start + PLACING_BYTES] === 0x20 ? { seconds, nanoseconds } : null;
}
