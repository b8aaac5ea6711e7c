/**
 * Promises the index of a day's sealed text as it was when the day was sealed: one that is damaged is made again from the
 * gzip file, also where it cannot be written.
 *
 * @module
 */

import { basename } from "node:path";
import { type DayIndex, IndexDamage, parseSealedIndex } from "../blocks/day_index.ts";
import type { MendedIndex } from "../repair/index_repair.ts";
import type { ScrubSealedTask } from "../repair/scrub_task.ts";
import type { DayCore } from "./day_core.ts";

/** The index of a day that is sealed. */
export class SealedIndex {
  readonly #core: DayCore;

  /** That of the day of `core`. */
  constructor(core: DayCore) {
    this.#core = core;
  }

  /**
   * The index. One that is damaged is made again. To be called in a task.
   *
   * @throws {IndexDamage} If it was written by a later version of the program.
   * @throws {Error} If it is not what was written when the day was sealed, and cannot be made again.
   */
  async read(): Promise<DayIndex> {
    const { day, paths } = this.#core;
    try {
      return parseSealedIndex(await Deno.readTextFile(paths.index), day);
    } catch (error) {
      if (!(error instanceof IndexDamage) || error.unknownVersion) throw error;
      return parseSealedIndex(await this.#mend(error.message), day);
    }
  }

  /**
   * Makes the index again from the gzip file, when the tasks before are over, and returns its text. `reason` says what is
   * wrong with the one that is there.
   *
   * @throws {Error} If the gzip file is damaged as well.
   */
  mend(reason: string): Promise<string> {
    return this.#core.tasks.run(() => this.#mend(reason));
  }

  /** Reads back the blocks from number `from` on, a few of them; null where nothing is sealed. */
  scrubTask(from: number): ScrubSealedTask | null {
    const { day, paths, seal } = this.#core;
    if (seal === null) return null;
    const { gz: gzPath, index: indexPath, edits: editsPath } = paths;
    return { kind: "scrubSealed", day, gzPath, indexPath, editsPath, seal, from };
  }

  async #mend(reason: string): Promise<string> {
    const { day, host, paths, seal } = this.#core;
    try {
      const result = await host.runBlockTask({
        kind: "mendIndex",
        day,
        gzPath: paths.gz,
        indexPath: paths.index,
        seal: seal!,
      });
      const { text, writeFault } = (result as { mended: MendedIndex }).mended;
      const done = writeFault === null ? "made again" : `made again in memory (${writeFault})`;
      host.onRepair(basename(paths.index), `${done} from the gzip file: ${reason}`);
      return text;
    } catch (error) {
      throw new Error(`${reason}; it cannot be made again either: ${(error as Error).message}`);
    }
  }
}
