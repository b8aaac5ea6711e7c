/**
 * Promises text for a `text/event-stream` (HTML standard, section 9.2) besides the lines themselves.
 *
 * @module
 */

const encoder = new TextEncoder();

/** A client whose connection ends asks again after this long, in milliseconds. */
export const RETRY_MS = 2000;

/** A comment is sent this often, in milliseconds, so that nobody on the way takes the stream for dead. */
export const COMMENT_INTERVAL_MS = 15_000;

/** What a stream begins with. */
export const OPENING: Uint8Array<ArrayBuffer> = encoder.encode(`retry: ${RETRY_MS}\n\n`);

/** A comment, which clients pass over. */
export const COMMENT: Uint8Array<ArrayBuffer> = encoder.encode(":\n\n");

/** An event of a named kind with `data` as JSON. It has no id, so a client that resumes names the last line that it got. */
export function namedEvent(
  name: "gap" | "healed" | "held" | "lagged",
  data: unknown,
): Uint8Array<ArrayBuffer> {
  return encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}
