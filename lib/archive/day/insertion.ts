/**
 * Promises a day's text with lines inserted at their times, made beside the files that are read: every line that was there is
 * still there, in its order and byte for byte, and every line that was found is there once.
 *
 * @module
 */

import { dirname } from "node:path";
import type { DayNumber } from "../../day.ts";
import { type DayIndex, indexHeader, indexText, sealOf } from "../blocks/day_index.ts";
import { removeIfThere, syncDirectory, writeAll } from "../disk.ts";
import type { BlockEntry, HealedEntry, SealEntry } from "../format.ts";
import { FoundReader } from "../found_reader.ts";
import { freeBuffer } from "../../machine/spent_buffers.ts";
import { cutEdits } from "./edits_check.ts";
import { EditsWriter } from "./edits_writer.ts";
import { GzipTarget } from "./gzip_target.ts";
import { goesBefore, momentOf } from "./line_placing.ts";
import { verifyCopy } from "./sealing.ts";
import { type InsertionSource, SourceBlocks } from "./source_blocks.ts";

export type { InsertionSource } from "./source_blocks.ts";

/** What {@linkcode insertLines} does. */
export interface InsertTask {
  /** Tells the tasks of the block worker apart. */
  kind: "insert";
  /** Which day it is. */
  day: DayNumber;
  /** The text as it is: what is sealed, then the blocks made of the plain file, either of which may be missing. */
  sources: readonly InsertionSource[];
  /** The seal of the text that is sealed; null where none is. */
  before: SealEntry | null;
  /** The lines to insert, in the order of their times; see found_lines.ts. */
  foundPath: string;
  /** The day's edits. What is after those of `before` is cut off first. */
  editsPath: string;
  /** Where the whole gzip file is put together. */
  gzTargetPath: string;
  /** Where the whole index is written. */
  indexTargetPath: string;
}

/** What was inserted. */
export interface Insertion {
  /** The totals of the new text. */
  seal: SealEntry;
  /** How many lines were inserted. */
  lines: number;
  /** How many bytes. */
  bytes: number;
}

/** What was inserted into a text that was never healed. */
const NOTHING_HEALED: HealedEntry = { edition: 0, bytes: 0, lines: 0, editsBytes: 0 };

/**
 * Puts the new gzip file, its index and the edits together, syncs and verifies them. All that is left is to rename the index
 * and then the gzip file. Blocks.
 *
 * Where it fails, nothing is left of what it wrote. The files that are read are not touched.
 *
 * @throws {RangeError} If there are no lines to insert.
 * @throws {Error} If a block is damaged, the lines are not in order, or what was written does not read back.
 */
export function insertLines(task: InsertTask): Insertion {
  const healed = task.before?.healed ?? NOTHING_HEALED;
  try {
    const { blocks, made, bytes, lines, editsBytes } = merge(task, healed);
    const seal = sealOf(blocks, {
      edition: healed.edition + 1,
      bytes: healed.bytes + bytes,
      lines: healed.lines + lines,
      editsBytes,
    });
    const index: DayIndex = { header: indexHeader(task.day, 0, 0), blocks, seal };
    verifyCopy(task.gzTargetPath, index, made);
    writeIndex(task.indexTargetPath, index);
    syncDirectory(dirname(task.editsPath));
    return { seal, lines, bytes };
  } catch (error) {
    clearUp(task, healed);
    throw error;
  }
}

/** What was put together. */
interface Merged {
  blocks: BlockEntry[];
  /** The numbers of the blocks that were not copied. */
  made: ReadonlySet<number>;
  bytes: number;
  lines: number;
  editsBytes: number;
}

/** Writes the gzip file and the edits. */
function merge(task: InsertTask, { edition, editsBytes }: HealedEntry): Merged {
  using sources = new SourceBlocks(task.day, task.sources);
  using found = new FoundReader(task.foundPath);
  using target = new GzipTarget(task.gzTargetPath);
  using edits = new EditsWriter(task.editsPath, editsBytes);
  const merger = new Merger(task.day, { sources, found, target, edits });
  if (merger.isDone) throw new RangeError(`Cannot insert the lines of "${task.foundPath}": there are none`);
  for (let number = 0; number < sources.length; number++) merger.takeBlock(number);
  merger.takeRest();
  target.finish();
  const { blocks, made } = target;
  return {
    blocks,
    made,
    bytes: edits.total,
    lines: merger.lines,
    editsBytes: edits.finish(edition + 1, merger.lines),
  };
}

/** Goes through a text and the lines that were found side by side. */
class Merger {
  /** How many lines were inserted. */
  lines = 0;
  readonly #day: DayNumber;
  readonly #sources: SourceBlocks;
  readonly #found: FoundReader;
  readonly #target: GzipTarget;
  readonly #edits: EditsWriter;
  /** The next line to insert, and its moment; null and infinity after the last. */
  #line: Uint8Array | null = null;
  #moment = Infinity;

  constructor(
    day: DayNumber,
    parts: { sources: SourceBlocks; found: FoundReader; target: GzipTarget; edits: EditsWriter },
  ) {
    this.#day = day;
    this.#sources = parts.sources;
    this.#found = parts.found;
    this.#target = parts.target;
    this.#edits = parts.edits;
    this.#goOn();
  }

  /** Whether all lines are inserted. */
  get isDone(): boolean {
    return this.#line === null;
  }

  /**
   * Takes the next block over, with what belongs into it. One that has no line later than the next to insert is copied as it
   * lies; the last one is not, if lines remain, so that they make a block together.
   */
  takeBlock(number: number): void {
    const isLast = number === this.#sources.length - 1;
    const { bytes, entry } = this.#sources.read(number);
    if (this.isDone || (!isLast && this.#sources.latest(number) <= this.#moment)) {
      this.#target.copy(bytes, entry);
    } else {
      const text = this.#sources.text(number, bytes);
      const taken = this.#takeInto(number, text);
      if (taken === null && (this.isDone || !isLast)) this.#target.copy(bytes, entry);
      else this.#target.add(text.subarray(taken ?? 0));
      freeBuffer(text);
    }
    freeBuffer(bytes);
  }

  /** Inserts what belongs behind all text. */
  takeRest(): void {
    while (this.#line !== null) this.#insert(this.#line, this.#sources.rawBytes);
  }

  /** Inserts what belongs into the text of a block; gives up to where that is taken over then, null where nothing did. */
  #takeInto(number: number, text: Uint8Array): number | null {
    const { starts, moments } = this.#sources.timedLines(number, text);
    let taken: number | null = null;
    for (const [at, start] of starts.entries()) {
      while (this.#line !== null && goesBefore(moments, at, this.#moment)) {
        this.#target.add(text.subarray(taken ?? 0, start));
        taken = start;
        this.#insert(this.#line, this.#sources.rawAt(number) + start);
      }
    }
    return taken;
  }

  /** Inserts a line at `offset` of the text. */
  #insert(line: Uint8Array, offset: number): void {
    this.#target.add(line);
    this.#edits.add(offset, line.length);
    this.lines++;
    this.#goOn();
  }

  #goOn(): void {
    const found = this.#found.next();
    this.#line = found?.line ?? null;
    this.#moment = found === null ? Infinity : momentOf(found.time, this.#day);
  }
}

function writeIndex(path: string, index: DayIndex): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  writeAll(file, new TextEncoder().encode(indexText(index)));
  file.syncSync();
}

/** Removes what was written for an insertion that fails. What cannot be removed is at the next start, or overwritten. */
function clearUp(task: InsertTask, { editsBytes }: HealedEntry): void {
  try {
    for (const path of [task.gzTargetPath, task.indexTargetPath]) removeIfThere(path);
    cutEdits(task.editsPath, editsBytes);
  } catch {
    // Why the insertion failed says more, and is told.
  }
}
