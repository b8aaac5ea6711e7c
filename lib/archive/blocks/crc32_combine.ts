/**
 * Promises the CRC-32 of two pieces of bytes, one after the other, from the CRC-32 of each: what was read and checked once
 * need not be read again because something was put before it.
 *
 * A CRC-32 is a polynomial over bits, taken modulo the one of RFC 1952 section 8. Putting n bytes behind a piece multiplies
 * its polynomial by x^(8n), and the CRC-32 of the whole is that product, XOR the CRC-32 of the n bytes. It is how zlib's
 * `crc32_combine()` does it. Example: "ab" is "a" times x^8, XOR "b".
 *
 * @module
 */

/** The polynomial of CRC-32 with its bits in reverse, as zlib has it: bit 31 stands for x^0, and x^32 is left out. */
const POLYNOMIAL = 0xedb88320;

/** x^0, that is 1. */
const ONE = 0x80000000;

/** A length in bytes is a whole number below 2^53, and one in bits below 2^56. */
const LENGTH_BITS = 56;

/** At place n: x^(2^n), each the square of the one before. They are all that is needed of any power. */
const SQUARES = squaresOfX();

/**
 * The CRC-32 of two pieces together: `first` is that of the first piece, `second` that of the one behind it, which is
 * `secondLength` bytes long.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import zlib from "node:zlib";
 * import { combineCrc32 } from "./crc32_combine.ts";
 *
 * assert.equal(combineCrc32(zlib.crc32("first "), zlib.crc32("second"), 6), zlib.crc32("first second"));
 * ```
 */
export function combineCrc32(first: number, second: number, secondLength: number): number {
  return (product(first, powerOfX(secondLength * 8)) ^ second) >>> 0;
}

/** x to the power of `exponent`, which may be larger than 2^32: the product of the squares that its bits ask for. */
function powerOfX(exponent: number): number {
  let power = ONE;
  for (let bit = 0, left = exponent; left > 0; bit++, left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = product(power, SQUARES[bit]!);
  }
  return power;
}

/** The product of two polynomials, modulo that of CRC-32. */
function product(a: number, b: number): number {
  let sum = 0;
  let shifted = b;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) sum ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return sum >>> 0;
}

function squaresOfX(): number[] {
  const squares = [ONE >>> 1];
  while (squares.length < LENGTH_BITS) squares.push(product(squares.at(-1)!, squares.at(-1)!));
  return squares;
}
