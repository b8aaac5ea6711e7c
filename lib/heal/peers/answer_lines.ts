/**
 * Promises the lines of a body that comes in pieces, each whole, in memory for one piece and one line, whoever sends them.
 *
 * @module
 */

/** The line feed, with which each line ends. */
const LINE_FEED = 0x0a;

/** What is told of a body besides its lines. */
export interface AnswerLinesEvents {
  /** A line has more than `limitBytes` bytes; it is left out. */
  onTooLong(): void;
}

/**
 * Yields the lines of `pieces` without their line feeds, up to `limitBytes` bytes each. A line holds until the next one is
 * asked for.
 *
 * @throws {RangeError} If the last line has no line feed: the body was cut.
 * @throws What `pieces` throws.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { answerLines } from "./answer_lines.ts";
 *
 * async function* pieces() {
 *   for (const text of ["on", "e\ntwo\nth", "ree\n"]) yield new TextEncoder().encode(text);
 * }
 * const lines: string[] = [];
 * for await (const line of answerLines(pieces(), 10, { onTooLong() {} })) lines.push(new TextDecoder().decode(line));
 * assert.deepEqual(lines, ["one", "two", "three"]);
 * ```
 */
export async function* answerLines(
  pieces: AsyncIterable<Uint8Array>,
  limitBytes: number,
  { onTooLong }: AnswerLinesEvents,
): AsyncGenerator<Uint8Array, void> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const piece of pieces) {
    let at = 0;
    for (let end = piece.indexOf(LINE_FEED); end !== -1; end = piece.indexOf(LINE_FEED, at)) {
      const part = piece.subarray(at, end);
      if (heldBytes + part.length > limitBytes) onTooLong();
      else yield heldBytes === 0 ? part : joined([...held, part], heldBytes + part.length);
      held = [];
      heldBytes = 0;
      at = end + 1;
    }
    if (at === piece.length) continue;
    heldBytes += piece.length - at;
    // What is too long is counted on and not held.
    if (heldBytes > limitBytes) held = [];
    else held.push(piece.slice(at));
  }
  if (heldBytes > 0) throw new RangeError("Cannot read the last line: it has no end");
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
