/**
 * Promises bytes in memory in the place of a file, which count how often they are read and disposed of.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { type Bytes, shortRead } from "../../../lib/archive/read/bytes.ts";

/** Bytes that lie in memory. */
export class MemoryBytes implements Bytes {
  readonly name: string;
  /** How many bytes each read asked for, in order. */
  readonly reads: number[] = [];
  /** How often they were disposed of. */
  disposed = 0;
  readonly #content: Uint8Array<ArrayBuffer>;

  constructor(name: string, content: Uint8Array<ArrayBuffer>) {
    this.name = name;
    this.#content = content;
  }

  size(): Promise<number> {
    return Promise.resolve(this.#content.length);
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    this.reads.push(length);
    await nextTurn(); // as a file, which is never there at once
    const bytes = this.#content.slice(offset, offset + length);
    if (bytes.length < length) throw shortRead(this.name, offset, length, bytes.length);
    return bytes;
  }

  [Symbol.dispose](): void {
    this.disposed++;
  }
}
