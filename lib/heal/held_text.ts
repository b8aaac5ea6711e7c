/**
 * Promises copies of lines that take the memory of their bytes and little more. Each with a buffer of its own, thousands of them
 * would have the recording thread stop for up to 100 ms to collect them.
 *
 * @module
 */

/** Lines are copied into buffers of so many bytes; a longer line has its own. */
export const TEXT_BUFFER_BYTES: number = 256 * 1024;

/**
 * Copies lines.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { HeldText } from "./held_text.ts";
 *
 * const text = new HeldText();
 * const line = new TextEncoder().encode("one");
 * const held = text.add(line);
 * line.fill(0);
 * assert.equal(new TextDecoder().decode(held), "one");
 * ```
 */
export class HeldText {
  #buffer = new Uint8Array(0);
  #used = 0;

  /** Returns a copy of `line`, which stays as it is. */
  add(line: Uint8Array): Uint8Array {
    if (line.length > TEXT_BUFFER_BYTES) return line.slice();
    if (this.#used + line.length > this.#buffer.length) {
      this.#buffer = new Uint8Array(TEXT_BUFFER_BYTES);
      this.#used = 0;
    }
    const copy = this.#buffer.subarray(this.#used, this.#used += line.length);
    copy.set(line);
    return copy;
  }
}
