/**
 * Promises the lines of a body of text, each when it is whole, and never one that has no end.
 *
 * @module
 */

/** A line is at most this many characters long. */
export const TEXT_LINE_LIMIT = 1024 * 1024;

/** Makes lines, without their line feeds, of bytes of UTF-8. What stands after the last line feed is left out. */
export class TextLineStream extends TransformStream<Uint8Array, string> {
  /** A body whose line is longer than {@linkcode TEXT_LINE_LIMIT} breaks off with a RangeError. */
  constructor() {
    const decoder = new TextDecoder();
    let rest = "";
    super({
      transform(bytes, controller) {
        const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
        rest = lines.pop()!;
        if (rest.length > TEXT_LINE_LIMIT) throw new RangeError("Cannot read a line: it is too long");
        for (const line of lines) controller.enqueue(line);
      },
    });
  }
}
