/**
 * Promises that lines are inserted into a day all or none: the new text is made and verified beside the files that are read, and
 * takes their place in one go, while lines are recorded as ever.
 *
 * Lines are inserted into what is sealed. Of a day that still grows, what is on the disk by now is sealed with it; its plain file
 * stays and goes on. Example: the plain file has 5,000 bytes, and 300 are inserted. The gzip file has 5,300 bytes of text then. The
 * next line is byte 5,000 of the plain file as before, and stands at 5,300 of the text.
 *
 * @module
 */

import { dayName } from "../../day.ts";
import type { DayIndex } from "../blocks/day_index.ts";
import { removeIfThere, sizeOf } from "../disk.ts";
import { GZIP_TRAILER_BYTES, TEMPORARY_SUFFIX } from "../format.ts";
import type { FoundLines } from "../found_lines.ts";
import { readVolumeUsage } from "../volume.ts";
import { type DayCore, shiftOf } from "./day_core.ts";
import type { DayTotals } from "./day_totals.ts";
import { cutEdits } from "./edits_check.ts";
import type { GzipPart } from "./gzip_part.ts";
import type { Insertion, InsertionSource, InsertTask } from "./insertion.ts";
import type { PlainWriter } from "./plain_writer.ts";
import type { SealedIndex } from "./sealed_index.ts";
import { takePlace } from "./take_place.ts";

/**
 * So much of the volume stays free while lines are inserted, in bytes: room for recording to go on, some seconds of a flood, until
 * retention makes more.
 */
export const INSERTION_SPARE_BYTES: number = 64 * 1024 * 1024;

/** Inserts lines into a day. */
export class DayHealer {
  readonly #core: DayCore;
  readonly #part: GzipPart;
  readonly #index: SealedIndex;
  readonly #totals: DayTotals;

  /** For the day of `core`, whose plain file has the blocks of `part`. */
  constructor(core: DayCore, part: GzipPart, index: SealedIndex, totals: DayTotals) {
    this.#core = core;
    this.#part = part;
    this.#index = index;
    this.#totals = totals;
  }

  /**
   * Inserts the lines of `found`, whose file is closed and stays. `beforeCommit` is called in the same turn in which the new text
   * takes the place of the old one; it may throw, and then nothing is inserted.
   *
   * @throws {Error} If the disk takes nothing or has too little room, if a block is damaged, or if the day is removed or closed
   * meanwhile. The day is as it was then.
   * @throws {Error} As {@linkcode SealedIndex.read}.
   */
  async insert(found: FoundLines, beforeCommit: () => void): Promise<Insertion> {
    // Not within the task: a file that has to be put right first is put right by another one.
    await this.#sync();
    return await this.#core.tasks.run(() => this.#insert(found, beforeCommit));
  }

  /** Waits until what was appended so far is on the disk. */
  async #sync(): Promise<void> {
    const { writer } = this.#core;
    if (writer === null) return;
    if (writer.trouble !== null) throw this.#refusal(`the disk takes no lines: ${writer.trouble}`);
    if (!await writer.sync()) throw this.#refusal("it is closed");
  }

  async #insert(found: FoundLines, beforeCommit: () => void): Promise<Insertion> {
    const { host, paths, seal, tasks, writer } = this.#core;
    if (tasks.closed) throw this.#refusal("it is closed");
    this.#confirmThere();
    await this.#confirmRoom(found, writer);
    const before = seal === null ? null : await this.#index.read();
    const gzTargetPath = paths.gz + TEMPORARY_SUFFIX;
    let insertion: Insertion;
    try {
      insertion = await this.#prepare({
        kind: "insert",
        day: this.#core.day,
        before: seal,
        foundPath: found.path,
        editsPath: paths.edits,
        gzTargetPath,
        indexTargetPath: paths.index + TEMPORARY_SUFFIX,
      }, { writer, index: before });
      this.#confirmThere();
      host.confirmLock();
      beforeCommit();
      takePlace(paths, gzTargetPath, before);
    } catch (error) {
      this.#clearUp(gzTargetPath);
      this.#confirmThere(); // says more than that a file is missing
      throw error;
    }
    this.#goOnAfter(insertion);
    return insertion;
  }

  /**
   * Has the last block made of what is on the disk, and the new text of all blocks. If that fails, the blocks that are not sealed
   * may be damaged: they are thrown away, and made again from the plain file before the next try.
   */
  async #prepare(
    task: Omit<InsertTask, "sources">,
    { writer, index }: { writer: PlainWriter | null; index: DayIndex | null },
  ): Promise<Insertion> {
    const { host, tasks } = this.#core;
    try {
      if (writer !== null) await this.#part.makeAll(writer.synced + shiftOf(this.#core));
      const result = await host.runBlockTask({ ...task, sources: this.#sources(index) });
      return (result as { inserted: Insertion }).inserted;
    } catch (error) {
      const isFull = error instanceof Error && /os error 28/.test(error.message);
      if (writer !== null && !tasks.closed && !isFull) this.#part.forget();
      throw error;
    }
  }

  /** The text as it is. */
  #sources(before: DayIndex | null): InsertionSource[] {
    const { paths } = this.#core;
    const sources: InsertionSource[] = [];
    if (before !== null) sources.push({ gzPath: paths.gz, index: before });
    if (this.#part.index.blocks.length > 0) sources.push({ gzPath: paths.gzPart, index: this.#part.index });
    return sources;
  }

  /** The files have taken their place: what is recorded from now on stands after them. */
  #goOnAfter({ seal, lines }: Insertion): void {
    const core = this.#core;
    core.seal = seal;
    if (core.writer === null) this.#part.endAt(seal);
    else this.#part.continueAfter(seal);
    this.#totals.noteInserted({ lines, first: seal.first, last: seal.last });
    try {
      core.paths.sync();
      core.paths.removeParts();
    } catch (error) {
      // The lines are in all answers by now. What a crash may bring back is an earlier state of the day, and a whole one.
      core.host.onFault(`inserting lines into ${dayName(core.day)}`, error);
    }
    this.#part.makeDue();
  }

  /**
   * Removes what was made so far. Edits that belong to no edition must not stay: where the index is lost, it is their file that says
   * how much was inserted.
   */
  #clearUp(gzTargetPath: string): void {
    const { isRemoved, paths, seal } = this.#core;
    removeIfThere(gzTargetPath);
    removeIfThere(paths.index + TEMPORARY_SUFFIX);
    cutEdits(paths.edits, isRemoved ? 0 : seal?.healed?.editsBytes ?? 0);
  }

  #confirmThere(): void {
    if (this.#core.isRemoved) throw this.#refusal("it was removed to make room, or since it is too old");
  }

  /** Makes sure that there is room for another gzip file of the day with the lines in it, and then some. */
  async #confirmRoom(found: FoundLines, writer: PlainWriter | null): Promise<void> {
    const { host, seal } = this.#core;
    const { rawOffset, gzOffset } = this.#part.nextPlace;
    const withoutBlocks = writer === null ? 0 : writer.synced + shiftOf(this.#core) - rawOffset;
    const gzBytes = Math.max(seal?.gzBytes ?? 0, gzOffset + GZIP_TRAILER_BYTES);
    const neededBytes = gzBytes + withoutBlocks + (sizeOf(found.path) ?? 0) + INSERTION_SPARE_BYTES;
    const { availableBytes } = await (host.readUsage ?? readVolumeUsage)(host.directory);
    if (availableBytes >= neededBytes) return;
    throw this.#refusal(
      `it takes ${neededBytes} bytes of the volume for a while, and ${availableBytes} are free; ` +
        "extend the volume, or lower RETENTION_DAYS",
    );
  }

  #refusal(reason: string): Error {
    return new Error(`Cannot insert lines into ${dayName(this.#core.day)}: ${reason}`);
  }
}
