/**
 * Promises to find out while a body is sent whether it has lines of the log, keeping none of them, and to add a hint at
 * the end of one that has none.
 *
 * @module
 */

import { lendBuffers } from "../lib/machine/spent_buffers.ts";

/** What a line begins with that is about the log and not of it. */
const REMARK = new TextEncoder().encode("--- ");

const NEWLINE = 0x0a;

/** So many chunks with remarks only are kept before a body counts as one with lines. */
const KEPT_CHUNKS_LIMIT = 64;

/** Reads `body` up to its first line; returns whether there is one, and the body as it was. */
export async function peekLines(
  body: ReadableStream<Uint8Array>,
): Promise<{ hasLines: boolean; body: ReadableStream<Uint8Array> }> {
  const reader = body.getReader();
  const kept: Uint8Array[] = [];
  let hasLines = false;
  while (!hasLines) {
    const { done, value } = await reader.read();
    if (done) break;
    kept.push(value);
    hasLines = kept.length === KEPT_CHUNKS_LIMIT || hasLine(value);
  }
  return { hasLines, body: continued(kept, { body, reader }, null) };
}

/** `body`, and if it ends without a line what `ending` then returns, if anything. */
export function endEmptyWith(
  body: ReadableStream<Uint8Array>,
  ending: () => Promise<string | null>,
): ReadableStream<Uint8Array> {
  return continued([], { body, reader: body.getReader() }, ending);
}

/** `first`, then `body`. */
export function beginWith(first: string, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  return continued([new TextEncoder().encode(first)], { body, reader: body.getReader() }, null);
}

function continued(
  kept: Uint8Array[],
  source: { body: ReadableStream<Uint8Array>; reader: ReadableStreamDefaultReader<Uint8Array> },
  ending: (() => Promise<string | null>) | null,
): ReadableStream<Uint8Array> {
  const { reader } = source;
  let isWaiting = ending !== null;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const first = kept.shift();
      if (first !== undefined) return controller.enqueue(first);
      const { done, value } = await reader.read();
      if (!done) {
        if (isWaiting && hasLine(value)) isWaiting = false;
        return controller.enqueue(value);
      }
      const last = isWaiting ? await ending!() : null;
      if (last !== null) controller.enqueue(new TextEncoder().encode(last));
      controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  lendBuffers(stream, source.body);
  return stream;
}

/** Whether there is a line that is no remark. */
function hasLine(bytes: Uint8Array): boolean {
  for (let start = 0; start < bytes.length;) {
    if (!REMARK.every((byte, i) => bytes[start + i] === byte)) return true;
    const newline = bytes.indexOf(NEWLINE, start);
    if (newline === -1) return false;
    start = newline + 1;
  }
  return false;
}
