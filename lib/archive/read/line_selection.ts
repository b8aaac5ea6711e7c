/**
 * Promises the lines of one piece of a day's text that a reader asks for, and where they are, in the form in which it
 * gets them. Runs on any thread, and finds the same on each.
 *
 * @module
 */

import { compileFilter, type Filter, type FilterSpec } from "../../filter/filter.ts";
import { LINE_FEED } from "../format.ts";
import { type FoundLines, type LineFormat, writeLines } from "./line_format.ts";

/** So many compiled filters are remembered on each thread; a reader uses one for all its blocks. */
const FILTERS_LIMIT = 32;

/**
 * Lines are looked for in so many bytes at a time. A filter makes a string of them, and one of this size is
 * among those that are collected often, and the buffers with it; larger ones would pile up to 100 MB.
 */
const SLICE_BYTES = 64 * 1024;

/** What is asked of a piece of text. May be used as a structured clone. */
export interface LineSelection extends LineFormat {
  /** Which lines. */
  filter: FilterSpec;
  /** The same for the same filter. */
  filterKey: string;
  /** Where the text begins in its day, in bytes. */
  baseOffset: number;
  /** The part of the text that counts, in bytes from its start. A line that is cut by either end does not. */
  from: number;
  /** See `from`. */
  to: number;
  /** At most so many lines are wanted; null for all. */
  limit: number | null;
  /** Whether those are the last ones and not the first. */
  fromEnd: boolean;
  /** Whether it is wanted where each line is; with a limit it is told anyway. */
  withMarks: boolean;
}

/** What was found in a piece of text. */
export interface SelectedLines {
  /** The lines, each with its line feed, or the events. */
  bytes: Uint8Array;
  /** Where each line is; null where the selection has no limit and does not ask for it. */
  marks: LineMarks | null;
}

/** Where lines are: offsets in bytes from the start of the text, and for `outputEnds` of what was made of it. */
export interface LineMarks {
  /** Where each begins. */
  starts: Uint32Array;
  /** Where each ends, after its line feed. */
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
  return !hasMarks(selection) && selection.style === "jsonl" && selection.events === null &&
    rememberedFilter(selection).matchesAll;
}

function hasMarks({ limit, withMarks }: LineSelection): boolean {
  return limit !== null || withMarks;
}

/** Takes the selected lines out of `text`, whose start is the start of a line or lies before `from`. */
export function selectLines(text: Uint8Array, selection: LineSelection): SelectedLines {
  const from = lineStart(text, selection.from);
  const to = Math.max(from, text.lastIndexOf(LINE_FEED, selection.to - 1) + 1);
  if (selectsAll(selection)) return { bytes: text.subarray(from, to), marks: null };
  const lines = text.subarray(from, to);
  const found = findLines(lines, selection);
  const output = writeLines(lines, selection.baseOffset + from, found, selection);
  if (!hasMarks(selection)) return { bytes: output.bytes, marks: null };
  const marks = {
    starts: found.starts.slice(0, found.count).map((start) => start + from),
    ends: found.ends.slice(0, found.count).map((end) => end + from + 1),
    outputEnds: output.ends,
  };
  return { bytes: output.bytes, marks };
}

/** The start of the first line at or after `from`. */
function lineStart(text: Uint8Array, from: number): number {
  if (from === 0 || text[from - 1] === LINE_FEED) return from;
  const newline = text.indexOf(LINE_FEED, from);
  return newline === -1 ? text.length : newline + 1;
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
  const end = text.lastIndexOf(LINE_FEED, at + SLICE_BYTES - 1) + 1;
  return end > at ? end : text.indexOf(LINE_FEED, at) + 1;
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 4);
  larger.set(array);
  return larger;
}
