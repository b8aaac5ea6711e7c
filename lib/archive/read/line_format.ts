/**
 * Promises lines in each form in which a reader may want them: as they are stored, as text for people, as events. Runs
 * on any thread, and makes the same of the same lines on each.
 *
 * @module
 */

import type { DayNumber } from "../../day.ts";
import { textLine } from "../../line/text_line.ts";
import { freeBuffer } from "../../machine/spent_buffers.ts";
import { LINE_FEED } from "../format.ts";
import { placePrefix } from "../place.ts";

const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** More than the offset of a place takes in an event's id, in bytes: it has up to 15 digits. */
const NUMBER_LENGTH = 16;

/** How lines are written: as they are stored, as text for people, or as such text with its colours. */
export type LineStyle = "jsonl" | "text" | "color";

/**
 * What makes each line an event of a `text/event-stream`, whose id is the place where the line ends and then `rest`.
 */
export interface EventIds {
  /** The day. */
  day: DayNumber;
  /** What stands after the offset, its edition too: see {@linkcode placeSuffix}. ASCII, no line ends. */
  rest: string;
}

/** The form in which lines are wanted. May be used as a structured clone. */
export interface LineFormat {
  /** How they are written. */
  style: LineStyle;
  /** Set where each is to be an event. */
  events: EventIds | null;
}

/** Where lines are in a text, in bytes from its start. */
export interface FoundLines {
  /** Where each begins. */
  starts: Uint32Array;
  /** Where the line feed of each is. */
  ends: Uint32Array;
  /** How many there are. */
  count: number;
}

/** What was made of the lines, and where that of each one ends. */
export interface WrittenLines {
  /** What was made of them, one after another. */
  bytes: Uint8Array;
  /** Where that of each ends in `bytes`. */
  ends: Uint32Array;
}

/** Writes the lines that were found in `text`, which begins at `baseOffset` of its day, in bytes. */
export function writeLines(
  text: Uint8Array,
  baseOffset: number,
  found: FoundLines,
  { style, events }: LineFormat,
): WrittenLines {
  const lines = style === "jsonl" ? copyLines(text, found) : writeText(text, found, style === "color");
  return events === null ? lines : writeEvents(lines, baseOffset, found, events);
}

function copyLines(text: Uint8Array, { starts, ends, count }: FoundLines): WrittenLines {
  const outputEnds = new Uint32Array(count);
  let size = 0;
  for (let line = 0; line < count; line++) outputEnds[line] = size += ends[line]! - starts[line]! + 1;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (let line = 0; line < count;) {
    const first = line;
    while (line + 1 < count && starts[line + 1] === ends[line]! + 1) line++;
    bytes.set(text.subarray(starts[first]!, ends[line]! + 1), at);
    at = outputEnds[line++]!;
  }
  return { bytes, ends: outputEnds };
}

const encoder = new TextEncoder();

function writeText(text: Uint8Array, { starts, ends, count }: FoundLines, color: boolean): WrittenLines {
  const options = { color };
  const outputEnds = new Uint32Array(count);
  let size = 0;
  for (let line = 0; line < count; line++) size += ends[line]! - starts[line]! + 1;
  let bytes = new Uint8Array(size);
  let at = 0;
  for (let line = 0; line < count; line++) {
    const written = `${textLine(text, starts[line]!, ends[line]!, options)}\n`;
    if (bytes.length - at < written.length * 3) bytes = enlarged(bytes, at, written.length * 3);
    at += encoder.encodeInto(written, bytes.subarray(at)).written;
    outputEnds[line] = at;
  }
  const written = bytes.slice(0, at);
  freeBuffer(bytes);
  return { bytes: written, ends: outputEnds };
}

function enlarged(bytes: Uint8Array, used: number, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2 + needed);
  larger.set(bytes.subarray(0, used));
  freeBuffer(bytes);
  return larger;
}

/** Makes lines events as the HTML standard has them, section 9.2.6; a line becomes one `data` field. */
function writeEvents(
  lines: WrittenLines,
  baseOffset: number,
  found: FoundLines,
  events: EventIds,
): WrittenLines {
  const before = encoder.encode(`id: ${placePrefix(events.day)}`);
  const between = encoder.encode(`${events.rest}\ndata: `);
  const perLine = before.length + NUMBER_LENGTH + between.length + 1;
  const bytes = new Uint8Array(lines.bytes.length + found.count * perLine);
  const ends = new Uint32Array(found.count);
  let at = 0;
  for (let line = 0, start = 0; line < found.count; line++) {
    bytes.set(before, at);
    at += before.length;
    const offset = String(baseOffset + found.ends[line]! + 1);
    at += encoder.encodeInto(offset, bytes.subarray(at)).written;
    bytes.set(between, at);
    at += between.length;
    const data = lines.bytes.subarray(start, lines.ends[line]!);
    bytes.set(data, at);
    // A carriage return ends a field; only a damaged line has one.
    for (let i = data.indexOf(CARRIAGE_RETURN); i !== -1; i = data.indexOf(CARRIAGE_RETURN, i + 1)) {
      bytes[at + i] = SPACE;
    }
    at += data.length;
    bytes[at++] = LINE_FEED;
    ends[line] = at;
    start = lines.ends[line]!;
  }
  freeBuffer(lines.bytes);
  return { bytes: bytes.subarray(0, at), ends };
}
