/**
 * Promises to find text inside of JSON strings without parsing them, however they are escaped.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { caseVariants } from "./letter_case.js";

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** What an escape with one letter stands for; 0 where there is no such escape. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const [letter, character] of ['""', "\\\\", "//", "b\b", "f\f", "n\n", "r\r", "t\t"]) {
  SHORT_ESCAPES[letter!.charCodeAt(0)] = character!.charCodeAt(0);
}

/** The value of a hexadecimal digit; 16 for what is none. */
const HEX = new Uint8Array(256).fill(16);
for (let digit = 0; digit < 16; digit++) {
  HEX[digit.toString(16).charCodeAt(0)] = digit;
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** Stands for a lone surrogate, which UTF-8 cannot say; it is in no needle. */
const UNSAYABLE = 0xff;

/** The room for an unescaped string is kept from line to line up to this size; a longer one gets its own. */
const SCRATCH_LIMIT_BYTES = 65_536;

/** What each byte counts as where the case of ASCII letters does not matter. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte);

/** How a {@linkcode Needle} is looked for. */
export interface NeedleOptions {
  /** Whether the case of letters does not matter, by `foldCase` in letter_case.js. */
  anyCase?: boolean;
  /** Whether a line is a candidate only where the text is all of a string, between its quotes. */
  whole?: boolean;
}

/**
 * A text to look for. Lone surrogates in it are taken for U+FFFD.
 *
 * @example In any case
 * ```ts
 * import assert from "node:assert/strict";
 * import { Needle } from "./needle.ts";
 *
 * const bytes = new TextEncoder().encode("Connection TIMEOUT");
 * assert.ok(new Needle("timeout", { anyCase: true }).isInBytes(bytes, 0, bytes.length));
 * assert.ok(!new Needle("timeout").isInBytes(bytes, 0, bytes.length));
 * ```
 */
export class Needle {
  /** The text as UTF-8, ASCII letters in lower case where the case does not matter. */
  readonly #bytes: Uint8Array;
  /** The same bytes as a string of one character each, quotes around it where it is to be whole. */
  readonly #byteText: string;
  /** What finds the text in any case in a string of one character a byte; null where the case matters. */
  readonly #anyCase: RegExp | null;
  /** The same with the quotes. */
  readonly #anyCaseCandidate: RegExp | null;
  /** Whether `#bytes` and {@linkcode FOLDED} say all: there are no letters beyond ASCII whose case varies. */
  readonly #isByBytes: boolean;
  /** The UTF-16 units of the text, in each case: what an escape has to stand for to hide a part of it. */
  readonly #units: Set<number>;
  #scratch = new Uint8Array(1024);

  /** `text` must not be empty. */
  constructor(text: string, { anyCase = false, whole = false }: NeedleOptions = {}) {
    const wellFormed = text.toWellFormed();
    const letters = [...wellFormed].map((letter) => anyCase ? caseVariants(letter) : [letter]);
    this.#bytes = new TextEncoder().encode(letters.map(([letter]) => letter).join(""));
    const quote = whole ? '"' : "";
    this.#byteText = quote + Buffer.from(this.#bytes).toString("latin1") + quote;
    const pattern = letters.map(variantsPattern).join("");
    this.#anyCase = anyCase ? new RegExp(pattern, "g") : null;
    this.#anyCaseCandidate = anyCase ? new RegExp(quote + pattern + quote, "g") : null;
    this.#isByBytes = letters.every(([letter, ...others]) => others.length === 0 || letter! < "\x80");
    this.#units = new Set();
    for (const variant of letters.flat()) {
      for (let i = 0; i < variant.length; i++) this.#units.add(variant.charCodeAt(i));
    }
  }

  /** Whether the bytes themselves contain the text. */
  isInBytes(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#anyCase === null) return this.#isInExactly(bytes, start, end);
    if (this.#isByBytes) return this.#isInFolded(bytes, start, end);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
    this.#anyCase.lastIndex = 0;
    return this.#anyCase.test(text);
  }

  #isInExactly(bytes: Uint8Array, start: number, end: number): boolean {
    const needle = this.#bytes;
    const first = needle[0]!;
    const last = end - needle.length;
    for (let at = start; at <= last; at++) {
      if (bytes[at] !== first) continue;
      let same = 1;
      while (same < needle.length && bytes[at + same] === needle[same]) same++;
      if (same === needle.length) return true;
    }
    return false;
  }

  #isInFolded(bytes: Uint8Array, start: number, end: number): boolean {
    const needle = this.#bytes;
    const first = needle[0]!;
    const last = end - needle.length;
    for (let at = start; at <= last; at++) {
      if (FOLDED[bytes[at]!] !== first) continue;
      let same = 1;
      while (same < needle.length && FOLDED[bytes[at + same]!] === needle[same]) same++;
      if (same === needle.length) return true;
    }
    return false;
  }

  /** Whether the string between two quotes of valid JSON contains the text once its escapes are resolved. */
  isInEscaped(bytes: Uint8Array, start: number, end: number): boolean {
    let scratch = this.#scratch;
    if (scratch.length < end - start) {
      scratch = new Uint8Array(end - start);
      if (scratch.length <= SCRATCH_LIMIT_BYTES) this.#scratch = scratch;
    }
    return this.isInBytes(scratch, 0, unescapeBytes(bytes, start, end, scratch));
  }

  /**
   * Calls `onLine` with the range of every line that may contain the text in one of its strings: it is there
   * byte for byte, or there is an escape that stands for a part of it. `text` is the lines as a string of
   * one character a byte. Ends early when `onLine` returns false.
   */
  forEachCandidate(text: string, onLine: (start: number, end: number) => boolean): void {
    let hit = this.#nextHit(text, 0);
    let escape = this.#nextEscape(text, 0);
    while (hit < text.length || escape < text.length) {
      const candidate = Math.min(hit, escape);
      const start = candidate === 0 ? 0 : text.lastIndexOf("\n", candidate - 1) + 1;
      const newline = text.indexOf("\n", candidate);
      const end = newline === -1 ? text.length : newline;
      if (!onLine(start, end)) return;
      if (hit <= end) hit = this.#nextHit(text, end + 1);
      if (escape <= end) escape = this.#nextEscape(text, end + 1);
    }
  }

  /** A place in the next hit, or the length of `text`. */
  #nextHit(text: string, from: number): number {
    const expression = this.#anyCaseCandidate;
    if (expression !== null) {
      // Compiled to native code, this is no slower than indexOf.
      expression.lastIndex = from;
      return expression.test(text) ? expression.lastIndex - 1 : text.length;
    }
    const at = text.indexOf(this.#byteText, from);
    return at === -1 ? text.length : at;
  }

  #nextEscape(text: string, from: number): number {
    // The second of two backslashes is looked at like any other: at worst a line is a candidate for nothing.
    for (let at = text.indexOf("\\", from); at !== -1; at = text.indexOf("\\", at + 1)) {
      const letter = text.charCodeAt(at + 1);
      const unit = letter === LETTER_U ? hexUnit(text, at + 2) : SHORT_ESCAPES[letter];
      if (unit !== undefined && this.#units.has(unit)) return at;
    }
    return text.length;
  }
}

/** A part of a regular expression for the UTF-8 of any of these, in a string of one character a byte. */
function variantsPattern(variants: readonly string[]): string {
  const patterns = variants.map((variant) =>
    [...Buffer.from(variant)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")
  );
  if (patterns.length === 1) return patterns[0]!;
  return variants[0]! < "\x80" ? `[${patterns.join("")}]` : `(?:${patterns.join("|")})`;
}

/** The unit that four hexadecimal digits of `text` name. */
function hexUnit(text: string, at: number): number | undefined {
  let unit = 0;
  for (let i = at; i < at + 4; i++) {
    const digit = HEX[text.charCodeAt(i)] ?? 16;
    if (digit === 16) return undefined;
    unit = unit * 16 + digit;
  }
  return unit;
}

/** Resolves the escapes of a valid JSON string into `target`, and returns how many bytes that makes. */
function unescapeBytes(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let length = 0;
  for (let at = start; at < end;) {
    const byte = bytes[at]!;
    if (byte !== BACKSLASH) {
      target[length++] = byte;
      at++;
    } else if (bytes[at + 1] !== LETTER_U) {
      target[length++] = SHORT_ESCAPES[bytes[at + 1]!]!;
      at += 2;
    } else {
      let code = escapedUnit(bytes, at);
      at += 6;
      if ((code & 0xfc00) === 0xd800 && at < end && bytes[at] === BACKSLASH && bytes[at + 1] === LETTER_U) {
        const low = escapedUnit(bytes, at);
        if ((low & 0xfc00) === 0xdc00) {
          code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
          at += 6;
        }
      }
      length = putCharacter(code, target, length);
    }
  }
  return length;
}

/** The unit of the `\uXXXX` at `at`. */
function escapedUnit(bytes: Uint8Array, at: number): number {
  return (HEX[bytes[at + 2]!]! << 12) | (HEX[bytes[at + 3]!]! << 8) | (HEX[bytes[at + 4]!]! << 4) |
    HEX[bytes[at + 5]!]!;
}

function putCharacter(code: number, target: Uint8Array, at: number): number {
  if (code < 0x80) {
    target[at++] = code;
  } else if (code < 0x800) {
    target[at++] = 0xc0 | (code >> 6);
    target[at++] = 0x80 | (code & 0x3f);
  } else if (code >= 0xd800 && code < 0xe000) {
    target[at++] = UNSAYABLE;
  } else if (code < 0x10000) {
    target[at++] = 0xe0 | (code >> 12);
    target[at++] = 0x80 | ((code >> 6) & 0x3f);
    target[at++] = 0x80 | (code & 0x3f);
  } else {
    target[at++] = 0xf0 | (code >> 18);
    target[at++] = 0x80 | ((code >> 12) & 0x3f);
    target[at++] = 0x80 | ((code >> 6) & 0x3f);
    target[at++] = 0x80 | (code & 0x3f);
  }
  return at;
}
