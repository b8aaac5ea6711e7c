/**
 * Promises that a day is sealed whole or not at all: everything is made and verified beside the files that are read, and
 * takes their place in one go.
 *
 * @module
 */

import { dayName } from "../../day.ts";
import type { BlockResult } from "../blocks/block_task.ts";
import type { DayIndex } from "../blocks/day_index.ts";
import { type SealEntry, TEMPORARY_SUFFIX } from "../format.ts";
import { setAside } from "../repair/aside.ts";
import { type DayCore, shiftOf } from "./day_core.ts";
import type { GzipPart } from "./gzip_part.ts";
import type { PlainWriter } from "./plain_writer.ts";
import type { SealedIndex } from "./sealed_index.ts";
import { takePlace } from "./take_place.ts";

/** Files that are ready to take their place. */
export interface PreparedSeal {
  /** The totals of the text in them. */
  seal: SealEntry;
  /** The index of what was sealed before; null where nothing was. */
  before: DayIndex | null;
  /** Set where the plain file is not what the blocks were made of: what is wrong with it. */
  plainFault?: string;
}

/** Makes the sealed files of a day. */
export class DaySealer {
  readonly #core: DayCore;
  readonly #part: GzipPart;
  readonly #index: SealedIndex;

  /** Seals the day of `core`, whose plain file has the blocks of `part`. */
  constructor(core: DayCore, part: GzipPart, index: SealedIndex) {
    this.#core = core;
    this.#part = part;
    this.#index = index;
  }

  /**
   * Makes the last block, puts the gzip file and its index together under other names and verifies them. To be called in a
   * task.
   *
   * @throws {Error} If what was written does not read back as what the blocks were made of. The derived files are thrown
   * away then, and made again from the plain file before the next try.
   * @throws {Error} As {@linkcode SealedIndex.read}.
   */
  async prepare(writer: PlainWriter): Promise<PreparedSeal> {
    const { host, paths, seal, tasks } = this.#core;
    const before = seal === null ? null : await this.#index.read();
    try {
      await this.#part.makeAll(writer.committed + shiftOf(this.#core));
      const result = await host.runBlockTask({
        kind: "prepareSeal",
        ...this.#part.files(writer),
        index: this.#part.index,
        before: before && { gzPath: paths.gz, index: before },
        gzTargetPath: this.#gzTargetPath(),
        indexTargetPath: paths.index + TEMPORARY_SUFFIX,
      });
      return { ...result as Extract<BlockResult, { seal: SealEntry }>, before };
    } catch (error) {
      if (!tasks.closed) this.#part.forget();
      throw error;
    }
  }

  /**
   * Lets what is prepared take its place; see take_place.ts.
   *
   * @throws {Error} If a file cannot be renamed; everything is as it was before then.
   */
  takePlace({ before }: PreparedSeal): void {
    const { paths } = this.#core;
    takePlace(paths, this.#gzTargetPath(), before);
    paths.sync();
  }

  /**
   * Removes the files of the day that are not needed any more, the plain file at `plainPath` among them. One that is not
   * what the blocks were made of is kept aside: the blocks are the day's text.
   */
  clearUp(plainPath: string, { plainFault }: PreparedSeal): void {
    const { day, host, paths } = this.#core;
    if (plainFault !== undefined) {
      const aside = setAside(plainPath);
      const what = `${plainFault}; sealed as the blocks have it, the plain file is kept as "${aside}"`;
      host.onFault(`sealing ${dayName(day)}`, new Error(what));
    }
    paths.removeHot(plainPath);
  }

  /**
   * A day that was never sealed turns its part into the gzip file; one that was needs a whole new file, since
   * somebody may be reading the old one.
   */
  #gzTargetPath(): string {
    const { paths, seal } = this.#core;
    return seal === null ? paths.gzPart : paths.gz + TEMPORARY_SUFFIX;
  }
}
