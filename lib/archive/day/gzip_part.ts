/**
 * Promises that gzip blocks are made of the plain file of a day as soon as there is enough synced text for a full one, so
 * that sealing has little left to do; and that blocks whose files are gone are made again.
 *
 * @module
 */

import { dayName } from "../../day.ts";
import type { BlockPlace } from "../blocks/block.ts";
import { type DayIndex, indexHeader, indexLine, nextPlace, sealCrc32 } from "../blocks/day_index.ts";
import { sizeOf } from "../disk.ts";
import { BLOCK_BYTES, type BlockEntry, GZIP_TRAILER_BYTES, gzPartFile, type SealEntry } from "../format.ts";
import { SCRUB_BLOCKS, type ScrubHotTask } from "../repair/scrub_task.ts";
import { type DayCore, sealedEndOf, shiftOf } from "./day_core.ts";
import type { PlainWriter } from "./plain_writer.ts";
import type { HotFiles } from "./sealing.ts";

/** The blocks made of the plain file so far. They become the end of the sealed gzip file. */
export class GzipPart {
  readonly #core: DayCore;
  #index: DayIndex;
  #isMaking = false;

  /** Goes on with the blocks in `index`. */
  constructor(core: DayCore, index: DayIndex) {
    this.#core = core;
    this.#index = index;
  }

  /** Their index. */
  get index(): DayIndex {
    return this.#index;
  }

  /** Where the next one goes. */
  get nextPlace(): BlockPlace {
    return nextPlace(this.#index, sealCrc32(this.#core.seal));
  }

  /** Begins anew, without blocks, for a plain file that continues the text of `seal`, or that is the first (null). */
  continueAfter(seal: SealEntry | null): void {
    const gzFrom = seal === null ? 0 : seal.gzBytes - GZIP_TRAILER_BYTES;
    this.#begin(sealedEndOf({ seal }), gzFrom);
  }

  /** Begins anew, without blocks, when those there were are sealed. */
  endAt(seal: SealEntry): void {
    this.#begin(seal.rawBytes, 0);
  }

  /** The files that blocks are made of and written to. */
  files(writer: PlainWriter): HotFiles {
    const { paths } = this.#core;
    return {
      plainPath: writer.path,
      plainFrom: writer.from + shiftOf(this.#core),
      gzPartPath: paths.gzPart,
      indexPartPath: paths.indexPart,
      gzFrom: this.#index.header.gzFrom,
    };
  }

  /** Has full blocks made of what is synced; what fails is tried again after the next sync. */
  makeDue(): void {
    const core = this.#core;
    const { host, tasks } = core;
    if (this.#isMaking || !this.#hasDueBlock()) return;
    this.#isMaking = true;
    tasks.run(async () => {
      while (!tasks.closed && this.#hasDueBlock() && await this.make(this.#syncedEnd(), false) > 0);
    })
      .catch((error) => host.onFault(`making gzip blocks of ${dayName(core.day)}`, error))
      .finally(() => this.#isMaking = false);
  }

  /**
   * Has blocks made of the text up to `upTo`, in bytes from the day's start, and with `final` also the last one, which is not
   * full. To be called in a task. Returns how many were made.
   *
   * @throws {Error} If they cannot be written.
   */
  async make(upTo: number, final: boolean): Promise<number> {
    const index = this.#index;
    const result = await this.#core.host.runBlockTask({
      kind: "makeBlocks",
      ...this.files(this.#core.writer!),
      place: this.nextPlace,
      header: indexLine(index.header),
      upTo,
      final,
    });
    const { entries } = result as { entries: BlockEntry[] };
    index.blocks.push(...entries);
    return entries.length;
  }

  /**
   * Has blocks made of all of the text up to `upTo`, where a line ends. To be called in a task.
   *
   * @throws {Error} If they cannot be written, or no line ends there.
   */
  async makeAll(upTo: number): Promise<void> {
    while (this.nextPlace.rawOffset < upTo) {
      if (await this.make(upTo, true) > 0) continue;
      throw new Error(`Cannot make blocks of ${dayName(this.#core.day)}: no line ends at ${upTo}`);
    }
  }

  /**
   * Has the blocks of the plain file made again where somebody has removed or cut their files; when those that are being made
   * are in them.
   */
  makeAnewIfGone(writer: PlainWriter): Promise<void> {
    const { day, host, tasks } = this.#core;
    return tasks.run(() => {
      if (this.#core.writer === writer && !tasks.closed && !this.#isThere()) {
        const what = "or its index was removed or cut: made again from the plain file";
        host.onMeddled(gzPartFile(day), what);
        this.forget();
        this.makeDue();
      }
      return Promise.resolve();
    });
  }

  /** Throws the derived files away; they are made again from the plain file. */
  forget(): void {
    this.#core.paths.removeParts();
    this.#index.blocks.length = 0;
  }

  /** Reads back the blocks from number `from` on, a few of them; null where there are none. */
  scrubTask(from: number): ScrubHotTask | null {
    const { writer } = this.#core;
    const blocks = this.#index.blocks.slice(from, from + SCRUB_BLOCKS);
    if (writer === null || blocks.length === 0) return null;
    return { kind: "scrubHot", ...this.files(writer), blocks, from };
  }

  #begin(rawFrom: number, gzFrom: number): void {
    this.#index = { header: indexHeader(this.#core.day, rawFrom, gzFrom), blocks: [], seal: null };
  }

  #hasDueBlock(): boolean {
    return this.#core.writer !== null && this.#syncedEnd() - this.nextPlace.rawOffset >= BLOCK_BYTES;
  }

  /** Where the text ends that is on the disk, while there is a plain file. */
  #syncedEnd(): number {
    return this.#core.writer!.synced + shiftOf(this.#core);
  }

  /** Whether the files of the blocks are there, as long as they have to be. */
  #isThere(): boolean {
    const { paths } = this.#core;
    if (this.#index.blocks.length === 0) return true;
    const gzBytes = sizeOf(paths.gzPart) ?? 0;
    const isIndexed = (sizeOf(paths.indexPart) ?? 0) > 0;
    return isIndexed && gzBytes >= nextPlace(this.#index).gzOffset - this.#index.header.gzFrom;
  }
}
