/**
 * Promises what one piece of a day's text gives to a reader: the lines that it asks for, in the form in which
 * it gets them. Runs on any thread, and gives the same on each.
 *
 * @module
 */

import type { DayNumber } from "../../day.ts";
import { freeBuffer } from "../../machine/spent_buffers.ts";
import { compileFilter, type Filter, type FilterSpec } from "../../filter/filter.ts";
import { textLine } from "../../line/text_line.ts";
import { placePrefix } from "../place.ts";

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** So many compiled filters are remembered on each thread; a reader uses one for all its blocks. */
const FILTERS_LIMIT = 32;

/**
 * Lines are looked for in so many bytes at a time. A filter makes a string of them, and one of this size is
 * among those that are collected often, and the buffers with it; larger ones would pile up to 100 MB.
 */
const SLICE_BYTES = 64 * 1024;

/** More than the number of a byte takes in an event's id. */
const NUMBER_LENGTH = 16;

/** How lines are written: as they are stored, as text for people, or as such text with its colours. */
export type LineStyle = "jsonl" | "text" | "color";

/**
 * What makes each line an event of a `text/event-stream`, whose id is the place where the line ends and then `rest`.
 */
export interface EventIds {
  /** The day. */
  day: DayNumber;
  /** What stands after the offset. ASCII, no line ends. */
  rest: string;
}

/** What is asked of a piece of text. May be used as a structured clone. */
export interface LineSelection {
  /** Which lines. */
  filter: FilterSpec;
  /** The same for the same filter. */
  filterKey: string;
  /** How they are written. */
  style: LineStyle;
  /** Set where each is to be an event. */
  events: EventIds | null;
  /** Where the text begins in its day, in bytes. */
  offset: number;
  /** The part of the text that counts, in bytes from its start. A line that is cut by either end does not. */
  from: number;
  /** See `from`. */
  to: number;
  /** At most so many lines are wanted; null for all. */
  limit: number | null;
  /** Whether those are the last ones and not the first. */
  fromEnd: boolean;
}

/** What a piece of text gives. */
export interface SelectedLines {
  /** The lines, each with its line feed, or the events. */
  bytes: Uint8Array;
  /** Where each line is; null where the selection has no limit. */
  marks: LineMarks | null;
}

/** Where lines are: offsets in bytes from the start of the text, and for `outputEnds` of what was made of it. */
export interface LineMarks {
  /** Where each begins. */
  starts: Uint32Array;
  /** Where each ends, behind its line feed. */
  ends: Uint32Array;
  /** Where what was made of it ends. */
  outputEnds: Uint32Array;
}

/** A key for {@linkcode LineSelection.filterKey}. */
export function filterKeyOf(filter: FilterSpec): string {
  return JSON.stringify(filter);
}

const filters = new Map<string, Filter>();

/** The filter of a selection, compiled once on this thread as long as it is used. */
export function rememberedFilter(selection: Pick<LineSelection, "filter" | "filterKey">): Filter {
  const key = selection.filterKey;
  const filter = filters.get(key) ?? compileFilter(selection.filter);
  filters.delete(key);
  filters.set(key, filter);
  if (filters.size > FILTERS_LIMIT) filters.delete(filters.keys().next().value!);
  return filter;
}

/** Whether a selection is nothing but the text itself. */
export function selectsAll(selection: LineSelection): boolean {
  return selection.limit === null && selection.style === "jsonl" && selection.events === null &&
    rememberedFilter(selection).matchesAll;
}

/** Takes the selected lines out of `text`, whose start is the start of a line or lies before `from`. */
export function selectLines(text: Uint8Array, selection: LineSelection): SelectedLines {
  const from = lineStart(text, selection.from);
  const to = Math.max(from, text.lastIndexOf(NEWLINE, selection.to - 1) + 1);
  if (selectsAll(selection)) return { bytes: text.subarray(from, to), marks: null };
  const found = findLines(text.subarray(from, to), selection);
  const output = writeLines(text, from, found, selection);
  if (selection.limit === null) return { bytes: output.bytes, marks: null };
  const marks = {
    starts: found.starts.slice(0, found.count).map((start) => start + from),
    ends: found.ends.slice(0, found.count).map((end) => end + from + 1),
    outputEnds: output.ends,
  };
  return { bytes: output.bytes, marks };
}

/** The start of the first line at or behind `from`. */
function lineStart(text: Uint8Array, from: number): number {
  if (from === 0 || text[from - 1] === NEWLINE) return from;
  const newline = text.indexOf(NEWLINE, from);
  return newline === -1 ? text.length : newline + 1;
}

interface FoundLines {
  starts: Uint32Array;
  ends: Uint32Array;
  count: number;
}

function findLines(text: Uint8Array, selection: LineSelection): FoundLines {
  const limit = selection.limit ?? Infinity;
  const stopAt = selection.fromEnd ? Infinity : limit;
  let starts = new Uint32Array(64);
  let ends = new Uint32Array(64);
  let count = 0;
  const filter = rememberedFilter(selection);
  for (let at = 0; at < text.length && count < stopAt;) {
    const slice = text.subarray(at, endOfSlice(text, at));
    filter.matchingLines(slice, (start, end) => {
      if (count === starts.length) {
        starts = grown(starts);
        ends = grown(ends);
      }
      starts[count] = at + start;
      ends[count++] = at + end;
      return count < stopAt;
    });
    at += slice.length;
  }
  const first = selection.fromEnd ? Math.max(0, count - limit) : 0;
  return { starts: starts.subarray(first, count), ends: ends.subarray(first, count), count: count - first };
}

/** The end of the whole lines in the next {@linkcode SLICE_BYTES}, or of one line that is longer. */
function endOfSlice(text: Uint8Array, at: number): number {
  if (text.length - at <= SLICE_BYTES) return text.length;
  const end = text.lastIndexOf(NEWLINE, at + SLICE_BYTES - 1) + 1;
  return end > at ? end : text.indexOf(NEWLINE, at) + 1;
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 4);
  larger.set(array);
  return larger;
}

/** What was made of the lines, and where that of each one ends. */
interface WrittenLines {
  bytes: Uint8Array;
  ends: Uint32Array;
}

function writeLines(
  text: Uint8Array,
  from: number,
  found: FoundLines,
  selection: LineSelection,
): WrittenLines {
  if (selection.events !== null) return writeEvents(text, from, found, selection, selection.events);
  return selection.style === "jsonl" ? copyLines(text, from, found) : writeText(text, from, found, selection);
}

function copyLines(text: Uint8Array, from: number, { starts, ends, count }: FoundLines): WrittenLines {
  const outputEnds = new Uint32Array(count);
  let size = 0;
  for (let line = 0; line < count; line++) outputEnds[line] = size += ends[line]! - starts[line]! + 1;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (let line = 0; line < count;) {
    const first = line;
    while (line + 1 < count && starts[line + 1] === ends[line]! + 1) line++;
    bytes.set(text.subarray(from + starts[first]!, from + ends[line]! + 1), at);
    at = outputEnds[line++]!;
  }
  return { bytes, ends: outputEnds };
}

const encoder = new TextEncoder();

function writeText(
  text: Uint8Array,
  from: number,
  { starts, ends, count }: FoundLines,
  { style }: LineSelection,
): WrittenLines {
  const options = { color: style === "color" };
  const outputEnds = new Uint32Array(count);
  let size = 0;
  for (let line = 0; line < count; line++) size += ends[line]! - starts[line]! + 1;
  let bytes = new Uint8Array(size);
  let at = 0;
  for (let line = 0; line < count; line++) {
    const written = `${textLine(text, from + starts[line]!, from + ends[line]!, options)}\n`;
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

/** Writes events as the HTML standard has them, section 9.2.6; a line becomes one `data` field. */
function writeEvents(
  text: Uint8Array,
  from: number,
  found: FoundLines,
  selection: LineSelection,
  events: EventIds,
): WrittenLines {
  const lines = selection.style === "jsonl"
    ? copyLines(text, from, found)
    : writeText(text, from, found, selection);
  const before = encoder.encode(`id: ${placePrefix(events.day)}`);
  const between = encoder.encode(`${events.rest}\ndata: `);
  const perLine = before.length + NUMBER_LENGTH + between.length + 1;
  const bytes = new Uint8Array(lines.bytes.length + found.count * perLine);
  const ends = new Uint32Array(found.count);
  let at = 0;
  for (let line = 0, start = 0; line < found.count; line++) {
    bytes.set(before, at);
    at += before.length;
    const offset = String(selection.offset + from + found.ends[line]! + 1);
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
    bytes[at++] = NEWLINE;
    ends[line] = at;
    start = lines.ends[line]!;
  }
  freeBuffer(lines.bytes);
  return { bytes: bytes.subarray(0, at), ends };
}
