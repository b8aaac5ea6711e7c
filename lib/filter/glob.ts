/**
 * Promises to match names against patterns in time that grows with their lengths and no faster, whatever
 * the pattern: a regular expression of a caller's can take seconds on thirty characters.
 *
 * @module
 */

/** A compiled pattern. */
export interface Glob {
  /** Whether all of `text` is what the pattern describes. */
  matches(text: string): boolean;
}

const BITS = 32;

/**
 * Compiles a pattern in which `*` stands for any characters, also none, and `?` for exactly one; all else stands
 * for itself, in its case. There is no way to write a literal `*` or `?`.
 *
 * @example A family of apps
 * ```ts
 * import assert from "node:assert/strict";
 * import { compileGlob } from "./glob.ts";
 *
 * assert.ok(compileGlob("api-*").matches("api-test"));
 * assert.ok(!compileGlob("api-*").matches("my-api-test"));
 * assert.ok(!compileGlob("api-?").matches("api-10"));
 * ```
 */
export function compileGlob(pattern: string): Glob {
  if (!/[*?]/.test(pattern)) return { matches: (text) => text === pattern };
  return new PatternAutomaton(pattern);
}

/**
 * All positions in the pattern at which the text so far may stand, one bit each, advanced by one character at a
 * time (Shift-And, Baeza-Yates and Gonnet 1992). A `*` is no position; it lets the text stay where it is.
 */
class PatternAutomaton implements Glob {
  readonly #words: number;
  readonly #length: number;
  /** Positions at which a `*` stands. */
  readonly #stay: Int32Array;
  /** Positions that any character leads on from. */
  readonly #any: Int32Array;
  /** Positions that this character leads on from, those of `#any` too. */
  readonly #steps = new Map<string, Int32Array>();

  constructor(pattern: string) {
    const characters = [...pattern];
    this.#length = characters.filter((character) => character !== "*").length;
    this.#words = Math.floor(this.#length / BITS) + 1;
    this.#stay = new Int32Array(this.#words);
    this.#any = new Int32Array(this.#words);
    let position = 0;
    for (const character of characters) {
      if (character === "*") {
        setBit(this.#stay, position);
        continue;
      }
      if (character === "?") {
        setBit(this.#any, position);
      } else {
        const step = this.#steps.get(character) ?? new Int32Array(this.#words);
        setBit(step, position);
        this.#steps.set(character, step);
      }
      position++;
    }
    for (const step of this.#steps.values()) {
      for (let word = 0; word < this.#words; word++) step[word]! |= this.#any[word]!;
    }
  }

  matches(text: string): boolean {
    const standing = new Int32Array(this.#words);
    setBit(standing, 0);
    for (const character of text) {
      const step = this.#steps.get(character) ?? this.#any;
      let carry = 0;
      let alive = 0;
      for (let word = 0; word < this.#words; word++) {
        const now = standing[word]!;
        const moving = now & step[word]!;
        standing[word] = (moving << 1) | carry | (now & this.#stay[word]!);
        carry = moving >>> (BITS - 1);
        alive |= standing[word]!;
      }
      if (alive === 0) return false;
    }
    return (standing[Math.floor(this.#length / BITS)]! & (1 << (this.#length % BITS))) !== 0;
  }
}

function setBit(words: Int32Array, position: number): void {
  words[Math.floor(position / BITS)]! |= 1 << (position % BITS);
}
