/**
 * Promises to know a line again that differs from one before in nothing but the text of its fields, which is
 * how nearly all lines of a stream differ.
 *
 * @module
 */

import { type JsonReader, NOT_FOUND } from "./json_reader.ts";

/** As many fields as there are strings that have a meaning to the scanner; each is in a line once at most. */
export const SHAPE_FIELDS = 8;

/** A line with more bytes than this outside of its fields has no shape. */
export const SHAPE_BYTES_LIMIT = 512;

/** Where the fields of a line are, in order; each span includes the quotes. */
export class FieldSpans {
  /** How many fields there are. */
  count = 0;
  /** Which member each field is, by the scanner's bits. */
  readonly members: Int32Array = new Int32Array(SHAPE_FIELDS);
  /** Where each field starts. */
  readonly starts: Int32Array = new Int32Array(SHAPE_FIELDS);
  /** Where each field ends. */
  readonly ends: Int32Array = new Int32Array(SHAPE_FIELDS);

  /** Adds the next field. */
  add(member: number, start: number, end: number): void {
    const { count } = this;
    this.members[count] = member;
    this.starts[count] = start;
    this.ends[count] = end;
    this.count = count + 1;
  }
}

/**
 * What a record is but for its fields: pieces of bytes, one before each field and one after the last. JSON
 * being what it is, a line with the same pieces and a valid string between each two is a record as well.
 */
export class LineShape {
  /** How many fields there are; 0 until a line was learned. */
  fields = 0;
  /** Which member each field is, by the scanner's bits. */
  readonly members: Int32Array = new Int32Array(SHAPE_FIELDS);
  /** Whether there are line feeds or carriage returns in the pieces. */
  hasNewline = false;
  /** Whether the member of an envelope is in the pieces. */
  hasEnvelope = false;

  readonly #bytes = new Uint8Array(SHAPE_BYTES_LIMIT);
  readonly #view = new DataView(this.#bytes.buffer);
  /** Where each piece starts in the bytes; one more for where the last ends. */
  readonly #starts = new Int32Array(SHAPE_FIELDS + 2);

  /** Takes the shape of the record that is `bytes` from `start` to `end`; keeps its own if that has none. */
  learn(bytes: Uint8Array, start: number, end: number, spans: FieldSpans): boolean {
    const { count } = spans;
    let length = end - start;
    for (let field = 0; field < count; field++) length -= spans.ends[field]! - spans.starts[field]!;
    if (length > SHAPE_BYTES_LIMIT) return false;
    let from = start;
    let at = 0;
    for (let piece = 0; piece <= count; piece++) {
      const to = piece < count ? spans.starts[piece]! : end;
      this.#starts[piece] = at;
      while (from < to) this.#bytes[at++] = bytes[from++]!;
      if (piece < count) from = spans.ends[piece]!;
    }
    this.#starts[count + 1] = at;
    this.members.set(spans.members);
    this.fields = count;
    return true;
  }

  /** Goes over the piece before `field`, or after the last one, and returns the position after it. */
  piece(field: number, json: JsonReader, at: number, end: number): number {
    const start = this.#starts[field]!;
    const length = this.#starts[field + 1]! - start;
    return at + length > end ? NOT_FOUND : json.literal(this.#view, start, length, at);
  }
}
