/**
 * Promises that memory which nobody needs any more goes back at once. V8 counts a buffer as the few bytes of the
 * object that stands for it, and keeps the megabyte itself until some 100 MB of such have gathered, on each thread.
 *
 * @module
 */

/** A buffer that is no larger may be Node's pool, of which others use a part too, in bytes. */
export const SHARED_BYTES_LIMIT = 64 * 1024;

/** A view that ends so many bytes before its buffer does has all that counts. */
export const SPARE_BYTES = 1;

const lending = new WeakSet<ReadableStream<Uint8Array>>();

/**
 * Frees the memory of `bytes` at once, all of the buffer that they are a view of. Nobody may look at it
 * afterwards: every view of it is empty then.
 */
export function freeBuffer({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > SHARED_BYTES_LIMIT) buffer.transfer(0);
}

/**
 * Says that nobody but the one who reads `stream` needs the buffers of its chunks; or only if that is so of `source`,
 * whose chunks it passes on as they are.
 */
export function lendBuffers(stream: ReadableStream<Uint8Array>, source = stream): void {
  if (source === stream || lending.has(source)) lending.add(stream);
}

/**
 * Passes on to a server what an answer has for it, and frees buffers that are lent when the server comes for what is
 * next: it has sent them then, but for those up to {@linkcode SHARED_BYTES_LIMIT}, which are its own. A buffer goes with the view of it that reaches its end, so no view of it
 * may come after that one.
 */
export function freeWhenSent(answer: Response): Response {
  const { body } = answer;
  if (body === null || !lending.has(body)) return answer;
  const reader = body.getReader();
  let sent: Uint8Array | null = null;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent !== null && reachesEnd(sent)) freeBuffer(sent);
      sent = null;
      const { done, value } = await reader.read();
      if (done) return controller.close();
      if (value.length > SHARED_BYTES_LIMIT) {
        sent = value;
        return controller.enqueue(value);
      }
      // A small part of a large buffer is copied, so that it may be kept while the server looks for more.
      controller.enqueue(value.slice());
      if (reachesEnd(value)) freeBuffer(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return new Response(stream, answer);
}

function reachesEnd({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  return byteOffset + byteLength >= buffer.byteLength - SPARE_BYTES;
}
