/**
 * Promises that a plain file that somebody has cut while it was written has its length again, and says what it lost: what
 * blocks were made of is put back from them, since their checksums tell that they are right, and where lines are lost for
 * good, others say so, see lost_line.ts. So every offset into the day's text stays what it was. Runs in the block worker.
 *
 * A file that was cut and written on has NULs between what is left of it and what was written. No line has a NUL in it.
 * Example: of a file of 5,000 bytes 3,000 are left, and 100 are written at 5,000. The 2,000 bytes between are NULs; if the
 * last line feed before them is at 2,949, the text from 2,950 to 5,000 is the hole. If the first 4,000 bytes of the file are
 * sealed as well, it begins at 4,000.
 *
 * @module
 */

import { dayName, type DayNumber } from "../../day.ts";
import { lostLines } from "../../line/lost_line.ts";
import { inflateBlock, isTextOf } from "../blocks/block.ts";
import { later } from "../blocks/day_index.ts";
import { COPY_BYTES, readAt, sizeOf, writeAll } from "../disk.ts";
import { type BlockEntry, LINE_FEED } from "../format.ts";
import { inspectFile } from "./plain_end.ts";
import type { HotFiles } from "./sealing.ts";

/** What {@linkcode fillHole} does. */
export interface HoleTask extends HotFiles {
  /** Tells the tasks of the block worker apart. */
  kind: "fillHole";
  /** Which day it is. */
  day: DayNumber;
  /** The blocks that were made of the plain file, each beginning where the one before ends. */
  blocks: readonly BlockEntry[];
  /** The text up to here was on the disk, and ended with a line feed; in bytes from the day's start. */
  end: number;
  /**
   * The text up to here is in the sealed gzip file, too. Of a plain file into whose lines others were inserted that is some; what
   * is lost of it in the plain file is left a hole, in which nobody reads.
   */
  sealedEnd: number;
}

/** What {@linkcode fillHole} did. */
export interface FilledHole {
  /** How many bytes were put back from blocks. */
  backBytes: number;
  /** How many bytes of lines are lost. */
  lostBytes: number;
  /** The largest timestamp of the lines before those that are lost, as in an index; null where none has one. */
  last: string | null;
  /** Whether the blocks are still those of the text. */
  areBlocksRight: boolean;
  /** How many lines the plain file has now up to `end`, without those that are sealed as well. */
  lines: number;
}

/** A piece of a plain file, in bytes from its start; `text` is what belongs there, null where that is lost. */
interface Piece {
  start: number;
  end: number;
  text: Uint8Array | null;
}

/**
 * Does the task, and syncs the file.
 *
 * @throws {Error} If the disk does not take it; doing it again is then right.
 */
export function fillHole(task: HoleTask): FilledHole {
  const { plainPath, plainFrom, day, blocks } = task;
  const length = task.end - plainFrom;
  const filled = { backBytes: 0, lostBytes: 0, last: null as string | null, areBlocksRight: true };
  {
    using plain = Deno.openSync(plainPath, { read: true, write: true, create: true });
    const sealed = sealedLength(task);
    const textEnd = endOfText(plain, Math.min(length, plain.statSync().size));
    if (textEnd < sealed) endLineAt(plain, sealed);
    const start = Math.max(textEnd, sealed);
    for (const piece of piecesOf(task, start, length)) {
      plain.seekSync(piece.start, Deno.SeekMode.Start);
      if (piece.text !== null) {
        writeAll(plain, piece.text);
        filled.backBytes += piece.text.length;
        continue;
      }
      if (filled.lostBytes === 0) filled.last = lastBefore(task, piece.start);
      filled.lostBytes += piece.end - piece.start;
      const timestamp = filled.last ?? `${dayName(day)}T00:00:00.000000000Z`;
      for (const line of lostLines(piece.end - piece.start, timestamp)) writeAll(plain, line);
      if (
        blocks.some((block) =>
          block.rawOffset - plainFrom < piece.end && endOf(block, plainFrom) > piece.start
        )
      ) {
        filled.areBlocksRight = false;
      }
    }
    plain.syncSync();
  }
  const counted = filled.areBlocksRight ? blocks : [];
  const lines = counted.reduce((sum, block) => sum + block.lines, 0);
  const tailStart = counted.length === 0 ? sealedLength(task) : endOf(counted.at(-1)!, plainFrom);
  return { ...filled, lines: lines + inspectFile(plainPath, tailStart, length).summary.lines };
}

/** How much of the plain file is sealed as well, in bytes from its start. */
function sealedLength({ sealedEnd, plainFrom }: HoleTask): number {
  return Math.max(0, sealedEnd - plainFrom);
}

/** Writes a line feed before `end`: whoever looks at the file expects one where a line was written last. */
function endLineAt(plain: Deno.FsFile, end: number): void {
  plain.seekSync(end - 1, Deno.SeekMode.Start);
  writeAll(plain, Uint8Array.of(LINE_FEED));
}

/** Where a block's text ends, in bytes from the start of the plain file. */
function endOf({ rawOffset, rawLength }: BlockEntry, plainFrom: number): number {
  return rawOffset + rawLength - plainFrom;
}

/** The end of the last whole line before `size` after which there are only NULs or the start of a line. */
function endOfText(plain: Deno.FsFile, size: number): number {
  let isHole = true; // only NULs were met until now
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - COPY_BYTES);
    const bytes = readAt(plain, start, end - start);
    let at = bytes.length;
    if (isHole) { while (at > 0 && bytes[at - 1] === 0) at--; }
    if (at > 0) {
      isHole = false;
      const lineFeed = bytes.lastIndexOf(LINE_FEED, at - 1);
      if (lineFeed !== -1) return start + lineFeed + 1;
    }
    end = start;
  }
  return 0;
}

/** What belongs into the file from `start`, where a line begins, to `end`. Blocks that cannot be read are lost. */
function* piecesOf(task: HoleTask, start: number, end: number): Generator<Piece> {
  let lostFrom: number | null = null;
  for (const block of task.blocks) {
    const from = Math.max(start, block.rawOffset - task.plainFrom);
    const to = endOf(block, task.plainFrom);
    if (to <= start || from >= end) continue;
    const text = textOf(task, block);
    if (text === null) {
      lostFrom ??= from;
      continue;
    }
    if (lostFrom !== null) yield { start: lostFrom, end: from, text: null };
    lostFrom = null;
    yield { start: from, end: to, text: text.subarray(from - (block.rawOffset - task.plainFrom)) };
  }
  const last = task.blocks.at(-1);
  const covered = Math.max(start, last === undefined ? sealedLength(task) : endOf(last, task.plainFrom));
  if (covered < end) lostFrom ??= covered;
  if (lostFrom !== null) yield { start: lostFrom, end, text: null };
}

/** The text of a block: that of the plain file if it is still right, else that of the gzip file; null for neither. */
function textOf(
  { plainPath, plainFrom, gzPartPath, gzFrom }: HoleTask,
  block: BlockEntry,
): Uint8Array | null {
  {
    using plain = Deno.openSync(plainPath, { read: true });
    const text = readAt(plain, block.rawOffset - plainFrom, block.rawLength);
    if (isTextOf(text, block)) return text;
  }
  if (sizeOf(gzPartPath) === null) return null;
  try {
    using part = Deno.openSync(gzPartPath, { read: true });
    return inflateBlock(readAt(part, block.gzOffset - gzFrom, block.gzLength), block);
  } catch {
    return null;
  }
}

/** The largest timestamp of the text before `end` that is not sealed, in bytes from the start of the plain file. */
function lastBefore(task: HoleTask, end: number): string | null {
  const { plainPath, plainFrom, blocks } = task;
  const before = blocks.filter((block) => endOf(block, plainFrom) <= end);
  const start = before.length === 0 ? sealedLength(task) : endOf(before.at(-1)!, plainFrom);
  const { last } = inspectFile(plainPath, start, end).summary;
  return before.reduce<string | null>((latest, block) => later(latest, block.last), last);
}
