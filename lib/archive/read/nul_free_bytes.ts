/**
 * Promises the bytes of a text in which no NUL stands, as none does in a line that was recorded. Where somebody has cut a file
 * while it was written, it is written on at its old end, and the bytes between are NULs until the next sync looks: that
 * is an error, and no line.
 *
 * @module
 */

import type { Bytes } from "./bytes.ts";

/** Bytes without NULs. */
export class NulFreeBytes implements Bytes {
  readonly #bytes: Bytes;

  /** Takes over `bytes`, which are disposed of with it. */
  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  /** See {@linkcode Bytes.name}. */
  get name(): string {
    return this.#bytes.name;
  }

  /** See {@linkcode Bytes.size}. */
  size(): Promise<number> {
    return this.#bytes.size();
  }

  /**
   * See {@linkcode Bytes.read}.
   *
   * @throws {Error} Also if there is a NUL among them.
   */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.#bytes.read(offset, length);
    const at = bytes.indexOf(0);
    if (at === -1) return bytes;
    throw new Error(`Cannot read "${this.name}": there is a NUL at ${offset + at}, where lines were written`);
  }

  /** See {@linkcode Bytes}. */
  [Symbol.dispose](): void {
    this.#bytes[Symbol.dispose]();
  }
}
