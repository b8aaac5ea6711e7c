/**
 * Promises bytes from any place of something that has an end, wherever it lies: exactly those that were asked for, or
 * an error that says what is missing of which file.
 *
 * @module
 */

import { basename } from "node:path";

/** Bytes that can be read from any place. They do not change while somebody has them; what is after them may grow. */
export interface Bytes extends Disposable {
  /** What they are called where they lie, for errors: the name of a file, such as `2026-11-22.jsonl.gz`. */
  readonly name: string;

  /** How many there are. */
  size(): Promise<number>;

  /**
   * Reads `length` bytes from `offset`, into a buffer of their own. Reads may overlap in time.
   *
   * @throws {Error} If there are fewer: see {@linkcode shortRead}.
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;

  /** Gives back what they take; harmless when repeated. */
  [Symbol.dispose](): void;
}

/** The error for a read of `length` bytes from `offset` of which only `found` are there. */
export function shortRead(name: string, offset: number, length: number, found: number): Error {
  return new Error(`Cannot read ${length} bytes at ${offset} of "${name}": it ends after ${found} of them`);
}

/** The bytes of a file, which stays open until they are disposed of, also when it is renamed or removed. */
export class FileBytes implements Bytes {
  /** The last part of the path. */
  readonly name: string;
  readonly #file: Deno.FsFile;
  /** The read that is under way. A file has one place at which it is read, so reads take turns. */
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  /**
   * Opens the file at `path`.
   *
   * @throws {Deno.errors.NotFound} If there is none.
   * @throws {Error} If something else stands there: opening a FIFO would wait for somebody who writes to it, for ever.
   */
  constructor(path: string) {
    this.name = basename(path);
    if (!Deno.statSync(path).isFile) throw new Error(`Cannot read "${this.name}": it is no file`);
    this.#file = Deno.openSync(path, { read: true });
  }

  /** See {@linkcode Bytes.size}. */
  async size(): Promise<number> {
    return (await this.#file.stat()).size;
  }

  /** See {@linkcode Bytes.read}. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const read = () => this.#read(offset, length);
    const reading = this.#reading.then(read, read);
    this.#reading = reading;
    return reading;
  }

  /** Closes the file; harmless when repeated. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }

  async #read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    await this.#file.seek(offset, Deno.SeekMode.Start);
    for (let filled = 0; filled < length;) {
      const count = await this.#file.read(bytes.subarray(filled));
      if (count === null) throw shortRead(this.name, offset, length, filled);
      filled += count;
    }
    return bytes;
  }
}

/** The bytes from `offset` on, `length` of them, in pieces of at most `pieceBytes`, each in a buffer of its own. */
export async function* bytesInPieces(
  bytes: Bytes,
  offset: number,
  length: number,
  pieceBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let done = 0; done < length;) {
    const piece = await bytes.read(offset + done, Math.min(pieceBytes, length - done));
    done += piece.length;
    yield piece;
  }
}
