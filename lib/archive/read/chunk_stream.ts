/**
 * Promises a client what is read for it, in slices, with no more in memory than the client's own place has room
 * for, and that the place is free when the answer is over, however it ends.
 *
 * @module
 */

import type { MemoryHold } from "../../machine/memory_budget.ts";
import { lendBuffers, SPARE_BYTES } from "../../machine/spent_buffers.ts";

/** A client gets no more at a time, in bytes: what it does not read waits outside of this program's reach. */
export const SLICE_BYTES = 128 * 1024;

/** See {@linkcode chunkStream}. */
export interface ChunkStreamOptions {
  /** The client's place, which it loses when it stalls and others wait; null for none. Given back at the end. */
  hold: MemoryHold | null;
  /** Called once, when it is over. */
  onEnd?(): void;
  /** Hears why the chunks broke off. */
  onError?(error: unknown): void;
}

/**
 * A stream of what `chunks` yields. Whoever yields a chunk does not look at it again. An error of `chunks` is one of
 * the stream, and so is it when the place is lost; cancelling ends `chunks`.
 */
export function chunkStream(
  chunks: AsyncGenerator<Uint8Array, void>,
  { hold, onEnd, onError }: ChunkStreamOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let rest: Uint8Array = new Uint8Array();
  let isOver = false;
  let isCancelled = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    rest = new Uint8Array();
    hold?.[Symbol.dispose]();
    onEnd?.();
  };
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      hold?.resume();
      try {
        while (rest.length === 0) {
          const { done, value } = await chunks.next();
          if (isCancelled) return;
          if (done) {
            end();
            return controller.close();
          }
          rest = value;
        }
      } catch (error) {
        onError?.(error);
        end();
        throw error;
      }
      // A rest that is no longer than the spare bytes of a buffer goes out with the slice before; see freeWhenSent().
      const length = rest.length <= SLICE_BYTES + SPARE_BYTES ? rest.length : SLICE_BYTES;
      controller.enqueue(rest.subarray(0, length) as Uint8Array<ArrayBuffer>);
      rest = rest.subarray(length);
      hold?.await((reason) => {
        controller.error(reason);
        chunks.return().catch(() => {}).finally(end);
      });
    },
    async cancel() {
      isCancelled = true;
      try {
        await chunks.return();
      } finally {
        end();
      }
    },
  }, { highWaterMark: 0 });
  lendBuffers(stream);
  return stream;
}
