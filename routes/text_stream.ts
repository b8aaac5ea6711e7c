/**
 * Promises to turn a stream of JSON lines into text for people, a chunk at a time, in time that grows with the
 * bytes and not with how they were cut.
 *
 * @module
 */

import { textLine } from "../lib/line/text_line.ts";

const NEWLINE = 0x0a;

/**
 * Writes each line of `source` as text. A line that is cut by the end of a chunk waits for the rest; chunks are
 * kept apart until then, so that a long line in small pieces is copied once. Cancelling cancels `source`, and
 * an error of it is an error here.
 */
export function textStream(
  source: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const encoder = new TextEncoder();
  let pieces: Uint8Array[] = [];

  return new ReadableStream({ pull, cancel: (reason) => reader.cancel(reason) }, { highWaterMark: 0 });

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (true) {
      const { done, value } = await reader.read();
      if (done) {
        const rest = join(pieces);
        if (rest.length > 0) controller.enqueue(encoder.encode(writeLines(rest)));
        return controller.close();
      }
      const end = value.lastIndexOf(NEWLINE) + 1;
      if (end === 0) {
        pieces.push(value);
        continue;
      }
      const lines = join([...pieces, value.subarray(0, end)]);
      pieces = end === value.length ? [] : [value.subarray(end)];
      return controller.enqueue(encoder.encode(writeLines(lines)));
    }
  }
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const joined = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

function writeLines(bytes: Uint8Array): string {
  let text = "";
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    text += textLine(bytes, start, end, { color: false }) + "\n";
    start = end + 1;
  }
  return text;
}
