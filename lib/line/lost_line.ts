/**
 * Promises lines that stand where others stood that are lost: records of exactly as many bytes, so that every offset after
 * them stays, and whoever reads them is told what they are.
 *
 * `{"timestamp":"2026-11-22T10:00:04.500000000Z","message":"flightlog: 5000 bytes of lines are lost here",
 * "log":{"level":"error"},"flightlog":{"lost":5000}   }`, where as many spaces as are needed stand before the last brace.
 *
 * @module
 */

import { ENVELOPE_MEMBER, parseFlyRecord } from "./fly_log.ts";

/** The longest of these lines, in bytes: that of a block, of which a reader may have a line at once anyway. */
const LONGEST_BYTES = 1024 * 1024;

/** The shortest record, in a place that has no room for more; with its line feed. */
const SHORTEST = '{"message":""}\n';

/** How {@linkcode ENVELOPE_MEMBER} begins in these lines. */
const MEMBER = `"${ENVELOPE_MEMBER}":{"lost":`;

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const CLOSING_BRACE = 0x7d;

const encoder = new TextEncoder();

/**
 * Makes lines, each with its line feed, that take `length` bytes together, which is what lines took that are lost. They
 * bear `timestamp`. One after another, so that a large hole takes little memory. A place that is too short for a record,
 * where no line can have stood, becomes spaces.
 */
export function* lostLines(length: number, timestamp: string): Generator<Uint8Array<ArrayBuffer>, void> {
  for (let left = length; left > 0;) {
    const fits = left <= LONGEST_BYTES;
    // What is left must have room for one more line.
    const size = fits ? left : Math.min(LONGEST_BYTES, left - SHORTEST.length);
    yield lostLine(size, timestamp);
    left -= size;
  }
}

/** Whether a line is one that {@linkcode lostLines} makes; the shortest of them tell nothing. */
export function isLostLine(line: string): boolean {
  if (!line.includes(MEMBER)) return false;
  const { record } = parseFlyRecord(encoder.encode(line));
  const member = record?.[ENVELOPE_MEMBER];
  return typeof member === "object" && member !== null && "lost" in member;
}

function lostLine(size: number, timestamp: string): Uint8Array<ArrayBuffer> {
  const whole = JSON.stringify({
    timestamp,
    message: `flightlog: ${size} bytes of lines are lost here`,
    log: { level: "error" },
    [ENVELOPE_MEMBER]: { lost: size },
  });
  const short = JSON.stringify({ message: "", [ENVELOPE_MEMBER]: { lost: size } });
  const json = [whole, short, SHORTEST.trimEnd()].find((json) => json.length < size);
  const line = new Uint8Array(size).fill(SPACE);
  line[size - 1] = LINE_FEED;
  if (json === undefined) return line;
  line.set(encoder.encode(json.slice(0, -1)));
  line[size - 2] = CLOSING_BRACE;
  return line;
}
