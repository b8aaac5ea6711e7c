/**
 * Promises that a line of an index or a ledger tells by itself whether it is what was written: its last member is
 * a checksum of everything that stands before it.
 *
 * `{"id":1,"cause":"stop","check":"928c8780"}`: the CRC-32 of `{"id":1,"cause":"stop"`. It finds every change of
 * up to four neighbouring bytes, and all but one of four thousand million others.
 *
 * @module
 */

import zlib from "node:zlib";
import { formatCrc32 } from "./blocks/block.ts";

const MEMBER = ',"check":"';
const END = '"}';
const DIGITS = 8;
const CHECK_LENGTH = MEMBER.length + DIGITS + END.length;

/** A line taken apart. */
export interface CheckedLine {
  /** What was written, as JSON; for a line without a checksum the line itself. */
  json: string;
  /** Whether the checksum is that of the line; "none" for a line that has none, as those of old files. */
  check: "right" | "wrong" | "none";
}

/**
 * The line, without its line feed, that says `value`, which has at least one member and none named `check`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(checkedLine({ id: 1, cause: "stop" }), '{"id":1,"cause":"stop","check":"928c8780"}');
 * ```
 */
export function checkedLine(value: object): string {
  const head = JSON.stringify(value).slice(0, -1);
  return head + MEMBER + formatCrc32(zlib.crc32(head)) + END;
}

/**
 * Takes a line apart that {@linkcode checkedLine} wrote, or that was written before lines had a checksum.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const line = checkedLine({ id: 1, cause: "stop" });
 * assert.deepEqual(readCheckedLine(line), { json: '{"id":1,"cause":"stop"}', check: "right" });
 * assert.equal(readCheckedLine(line.replace("stop", "step")).check, "wrong");
 * assert.equal(readCheckedLine('{"id":1}').check, "none");
 * ```
 */
export function readCheckedLine(line: string): CheckedLine {
  const headLength = line.length - CHECK_LENGTH;
  if (!line.startsWith(MEMBER, headLength) || !line.endsWith(END)) return { json: line, check: "none" };
  const head = line.slice(0, headLength);
  const says = line.slice(headLength + MEMBER.length, -END.length);
  return { json: head + "}", check: says === formatCrc32(zlib.crc32(head)) ? "right" : "wrong" };
}
