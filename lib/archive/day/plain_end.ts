/**
 * Promises that a plain file ends with a whole line that is a record, and that what stood after it is kept.
 *
 * @module
 */

import { LineScanner } from "../../line/scanner.ts";
import { parseFlyRecord } from "../../line/fly_log.ts";
import { cutBlock, emptySummary, inspectText, type TextSummary } from "../blocks/block.ts";
import { earlier, later } from "../blocks/day_index.ts";
import { copyBytes, readAt, removeIfThere, sizeOf } from "../disk.ts";
import { BLOCK_BYTES, LINE_FEED } from "../format.ts";

/** The end of a file is looked at from this many bytes before it, and from twice as many each time after. */
const FIRST_LOOK_BYTES = 64 * 1024;

/** What {@linkcode cutTornTail} did. */
export interface TailCut {
  /** The size of the file now, in bytes. */
  size: number;
  /** How many bytes were cut off. */
  tornBytes: number;
  /** Why they could not be kept elsewhere, in the system's words; null where they are. */
  fault: string | null;
}

/**
 * Cuts a plain file after its last line that is a record, never before `covered`. What is cut off (the start
 * of a line that a crash tore, zeros or garbage from a disk that lost its power) is first written to the
 * file that `tornPath` names; where that fails, on a full disk, it is cut all the same, since it is no line, and no part of
 * it is left there.
 */
export function cutTornTail(path: string, covered: number, tornPath: (end: number) => string): TailCut {
  using file = Deno.openSync(path, { read: true, write: true });
  const size = file.statSync().size;
  const end = endOfRecords(file, covered, size);
  if (end === size) return { size, tornBytes: 0, fault: null };
  const fault = keepBytes(file, end, size - end, tornPath(end));
  file.truncateSync(end);
  file.syncSync();
  return { size: end, tornBytes: size - end, fault };
}

function endOfRecords(file: Deno.FsFile, covered: number, size: number): number {
  for (let look = FIRST_LOOK_BYTES;; look *= 2) {
    const start = Math.max(covered, size - look);
    const bytes = readAt(file, start, size - start);
    const end = lastRecordEnd(bytes, start === covered);
    if (end !== null) return start + end;
    if (start === covered) return covered;
  }
}

/** The end of the last record in `bytes`; the first line only counts if `bytes` begin where a line does. */
function lastRecordEnd(bytes: Uint8Array, fromLineStart: boolean): number | null {
  const scanner = new LineScanner();
  let newline = bytes.lastIndexOf(LINE_FEED);
  while (newline !== -1) {
    const before = newline === 0 ? -1 : bytes.lastIndexOf(LINE_FEED, newline - 1);
    if (before === -1 && !fromLineStart) return null;
    if (scanner.scan(bytes, before + 1, newline) || isRecord(bytes.subarray(before + 1, newline))) {
      return newline + 1;
    }
    newline = before;
  }
  return null;
}

function isRecord(line: Uint8Array): boolean {
  return "record" in parseFlyRecord(line);
}

/** Puts bytes of a file at the end of another, all of them or none; says why where it is none. */
function keepBytes(file: Deno.FsFile, start: number, length: number, path: string): string | null {
  const before = tryKeeping(() => sizeOf(path));
  if (before instanceof Error) return before.message;
  const fault = tryKeeping(() => {
    using torn = Deno.openSync(path, { append: true, create: true });
    file.seekSync(start, Deno.SeekMode.Start);
    copyBytes(file, torn, length);
    torn.syncSync();
  });
  if (!(fault instanceof Error)) return null;
  tryKeeping(() => before === null ? removeIfThere(path) : Deno.truncateSync(path, before));
  return fault.message;
}

function tryKeeping<Result>(action: () => Result): Result | Error {
  try {
    return action();
  } catch (error) {
    return error as Error;
  }
}

/** Looks at the lines of a plain file from `start` to `end`, which begin and end whole lines. */
export function inspectFile(
  path: string,
  start: number,
  end: number,
): { summary: TextSummary; damagedLines: number } {
  using file = Deno.openSync(path, { read: true });
  let summary = emptySummary();
  let damagedLines = 0;
  for (let at = start; at < end;) {
    let length = Math.min(BLOCK_BYTES, end - at);
    let text = readAt(file, at, length);
    let cut = cutBlock(text);
    while (cut === 0) {
      length = Math.min(length * 2, end - at);
      text = readAt(file, at, length);
      cut = cutBlock(text);
    }
    const piece = inspectText(text.subarray(0, cut));
    summary = joinSummaries(summary, piece.summary);
    damagedLines += piece.damagedLines;
    at += cut;
  }
  return { summary, damagedLines };
}

/** The summary of two pieces of text, one after the other, but for the apps: those are asked for by block. */
function joinSummaries(a: TextSummary, b: TextSummary): TextSummary {
  return {
    lines: a.lines + b.lines,
    first: earlier(a.first, b.first),
    last: later(a.last, b.last),
    untimed: a.untimed + b.untimed,
    apps: null,
  };
}
