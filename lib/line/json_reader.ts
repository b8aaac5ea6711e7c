/**
 * Promises to recognise JSON in bytes without making anything of it: strictly RFC 8259 and strictly UTF-8, so
 * that what is recognised here is what TextDecoder and JSON.parse accept too.
 *
 * @module
 */

/** Values nested deeper than this are not recognised; each level is one call on the stack. */
export const DEPTH_LIMIT = 32;

/** What every method returns instead of a position when the bytes are not what it looks for. */
export const NOT_FOUND: number = -1;

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const DASH = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** 1 for the bytes that stand in a string as they are: ASCII without controls, quote and backslash. */
const PLAIN = new Uint8Array(256).fill(1, 0x20, 0x80);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

/** 1 for what may follow a backslash, 2 for `u`. */
const ESCAPE = new Uint8Array(256);
for (const letter of '"\\/bfnrt') ESCAPE[letter.charCodeAt(0)] = 1;
ESCAPE["u".charCodeAt(0)] = 2;

const HEX = new Uint8Array(256).fill(1, 0x30, 0x3a).fill(1, 0x41, 0x47).fill(1, 0x61, 0x67);

const TRUE = Uint8Array.of(0x74, 0x72, 0x75, 0x65);
const FALSE = Uint8Array.of(0x66, 0x61, 0x6c, 0x73, 0x65);
const NULL = Uint8Array.of(0x6e, 0x75, 0x6c, 0x6c);

/**
 * Walks over JSON text, after {@linkcode JsonReader.open}. Each method takes where to begin and where the text
 * ends, and returns the position after what it recognised, or {@linkcode NOT_FOUND}. Nothing is allocated. The
 * two flags are only ever set to true here: the caller sets them to false before what it wants to know them of.
 */
export class JsonReader {
  /** Raised when a string contained a backslash. */
  escaped = false;
  /** Raised when a line feed or carriage return stood between tokens. */
  newline = false;

  #buffer: ArrayBufferLike = new ArrayBuffer(0);
  #view = new DataView(this.#buffer);
  #origin = 0;

  /** Makes `bytes` the text that the methods are called with until the next call. */
  open(bytes: Uint8Array): void {
    const buffer = bytes.buffer;
    if (this.#buffer !== buffer) {
      this.#buffer = buffer;
      this.#view = new DataView(buffer);
    }
    this.#origin = bytes.byteOffset;
  }

  /** Goes over white space, also none. Always returns a position, at most `end`. */
  space(bytes: Uint8Array, at: number, end: number): number {
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte > 0x20) return at;
      if (byte === 0x0a || byte === 0x0d) this.newline = true;
      else if (byte !== 0x20 && byte !== 0x09) return at;
    }
    return at;
  }

  /**
   * Goes over the bytes that are the `length` bytes of `expected` from `start`. There must be so many bytes
   * after `at`.
   */
  literal(expected: DataView, start: number, length: number, at: number): number {
    const view = this.#view;
    const origin = this.#origin + at;
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      if (view.getInt32(origin + i, true) !== expected.getInt32(start + i, true)) return NOT_FOUND;
    }
    for (; i < length; i++) {
      if (view.getUint8(origin + i) !== expected.getUint8(start + i)) return NOT_FOUND;
    }
    return at + length;
  }

  /** Goes from after the opening quote of a string to its closing quote, and returns the position of that. */
  string(bytes: Uint8Array, at: number, end: number): number {
    const view = this.#view;
    const origin = this.#origin;
    const lastWord = end - 4;
    for (;;) {
      let found = 0;
      while (at <= lastWord) {
        found = special(view.getInt32(origin + at, true));
        if (found !== 0) break;
        at += 4;
      }
      if (found !== 0) at += (31 - Math.clz32(found & -found)) >> 3;
      else while (at < end && PLAIN[bytes[at]!] === 1) at++;
      if (at >= end) return NOT_FOUND;
      const byte = bytes[at]!;
      if (byte === QUOTE) return at;
      if (byte === BACKSLASH) {
        this.escaped = true;
        at = this.#escape(bytes, at + 1, end);
      } else {
        at = character(bytes, at, end);
      }
      if (at === NOT_FOUND) return NOT_FOUND;
    }
  }

  /** Goes over any value. `depth` is how many more levels it may open. */
  value(bytes: Uint8Array, at: number, end: number, depth: number): number {
    if (at >= end) return NOT_FOUND;
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      const close = this.string(bytes, at + 1, end);
      return close === NOT_FOUND ? NOT_FOUND : close + 1;
    }
    if (byte === OPEN_BRACE) return this.#object(bytes, at + 1, end, depth);
    if (byte === OPEN_BRACKET) return this.#array(bytes, at + 1, end, depth);
    if (byte === TRUE[0]) return word(TRUE, bytes, at, end);
    if (byte === FALSE[0]) return word(FALSE, bytes, at, end);
    if (byte === NULL[0]) return word(NULL, bytes, at, end);
    return number(bytes, at, end);
  }

  #escape(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) return NOT_FOUND;
    const kind = ESCAPE[bytes[at]!];
    if (kind === 1) return at + 1;
    if (kind !== 2 || at + 5 > end) return NOT_FOUND;
    const digits = HEX[bytes[at + 1]!]! & HEX[bytes[at + 2]!]! & HEX[bytes[at + 3]!]! & HEX[bytes[at + 4]!]!;
    return digits === 1 ? at + 5 : NOT_FOUND;
  }

  #object(bytes: Uint8Array, at: number, end: number, depth: number): number {
    if (depth === 0) return NOT_FOUND;
    at = this.space(bytes, at, end);
    if (at < end && bytes[at] === CLOSE_BRACE) return at + 1;
    for (;;) {
      if (at >= end || bytes[at] !== QUOTE) return NOT_FOUND;
      at = this.string(bytes, at + 1, end);
      if (at === NOT_FOUND) return NOT_FOUND;
      at = this.space(bytes, at + 1, end);
      if (at >= end || bytes[at] !== COLON) return NOT_FOUND;
      at = this.value(bytes, this.space(bytes, at + 1, end), end, depth - 1);
      if (at === NOT_FOUND) return NOT_FOUND;
      at = this.space(bytes, at, end);
      if (at >= end) return NOT_FOUND;
      if (bytes[at] === CLOSE_BRACE) return at + 1;
      if (bytes[at] !== COMMA) return NOT_FOUND;
      at = this.space(bytes, at + 1, end);
    }
  }

  #array(bytes: Uint8Array, at: number, end: number, depth: number): number {
    if (depth === 0) return NOT_FOUND;
    at = this.space(bytes, at, end);
    if (at < end && bytes[at] === CLOSE_BRACKET) return at + 1;
    for (;;) {
      at = this.value(bytes, at, end, depth - 1);
      if (at === NOT_FOUND) return NOT_FOUND;
      at = this.space(bytes, at, end);
      if (at >= end) return NOT_FOUND;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return NOT_FOUND;
      at = this.space(bytes, at + 1, end);
    }
  }
}

/**
 * Looks at four bytes of a string at once. The lowest bit set in the answer is the high bit of the first byte
 * that is a control, a quote, a backslash or not ASCII; 0 when none is. Subtracting borrows from the byte above
 * only where the byte below is such a one, so what is set above the lowest means nothing.
 */
function special(word: number): number {
  return ((word - 0x20202020) | ((word ^ 0x22222222) - 0x01010101) | ((word ^ 0x5c5c5c5c) - 0x01010101) |
    word) &
    0x80808080;
}

/** Goes over `true`, `false` or `null`. */
function word(letters: Uint8Array, bytes: Uint8Array, at: number, end: number): number {
  if (at + letters.length > end) return NOT_FOUND;
  for (let i = 0; i < letters.length; i++) if (bytes[at + i] !== letters[i]) return NOT_FOUND;
  return at + letters.length;
}

/** Goes over a number, RFC 8259 section 6. */
function number(bytes: Uint8Array, at: number, end: number): number {
  if (at < end && bytes[at] === DASH) at++;
  // Only the whole part may not begin with a zero.
  at = at < end && bytes[at] === ZERO ? at + 1 : digits(bytes, at, end);
  if (at === NOT_FOUND) return NOT_FOUND;
  if (at < end && bytes[at] === DOT) {
    at = digits(bytes, at + 1, end);
    if (at === NOT_FOUND) return NOT_FOUND;
  }
  if (at < end && (bytes[at]! | 0x20) === 0x65) {
    at++;
    if (at < end && (bytes[at] === PLUS || bytes[at] === DASH)) at++;
    at = digits(bytes, at, end);
  }
  return at;
}

/** Goes over one or more digits. */
function digits(bytes: Uint8Array, at: number, end: number): number {
  const start = at;
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= 0x39) at++;
  return at === start ? NOT_FOUND : at;
}

/**
 * Goes over one character of two to four bytes, by the table of well-formed UTF-8 (Unicode 15, table 3-7): no
 * overlong forms, no surrogates, nothing above U+10FFFF. A control character is none of these.
 */
function character(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0xc2 || lead > 0xf4) return NOT_FOUND;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > end) return NOT_FOUND;
  const second = bytes[at + 1]!;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return NOT_FOUND;
  if (length > 2 && (bytes[at + 2]! & 0xc0) !== 0x80) return NOT_FOUND;
  if (length > 3 && (bytes[at + 3]! & 0xc0) !== 0x80) return NOT_FOUND;
  return at + length;
}
