/**
 * Promises that what somebody does to the plain file of a day while it is written is put right and told of, and that lines
 * which are lost by it become a gap.
 *
 * @module
 */

import { basename } from "node:path";
import { parseTimestamp, timestampMs } from "../../timestamp.ts";
import { runBlockTask } from "../blocks/block_task.ts";
import { later } from "../blocks/day_index.ts";
import { setDirectoryAside } from "../repair/aside.ts";
import { spanOfLost } from "../repair/losses.ts";
import { type DayCore, sealedEndOf, shiftOf } from "./day_core.ts";
import type { DayTotals } from "./day_totals.ts";
import type { GzipPart } from "./gzip_part.ts";
import type { FilledHole, HoleTask } from "./hole.ts";
import { openPlainFile, type PlainFile } from "./plain_file.ts";
import type { FileMender, PlainWriter } from "./plain_writer.ts";

/** Puts right what was done to the plain file of a day. */
export class DayMender implements FileMender {
  readonly #core: DayCore;
  readonly #part: GzipPart;
  readonly #totals: DayTotals;

  /** For the day of `core`, whose plain file has the blocks of `part`. */
  constructor(core: DayCore, part: GzipPart, totals: DayTotals) {
    this.#core = core;
    this.#part = part;
    this.#totals = totals;
  }

  /** See {@linkcode FileMender.confirm}. */
  confirm(): void {
    this.#core.host.confirmLock();
  }

  /** See {@linkcode FileMender.onPutBack}. */
  onPutBack(aside: string | null): void {
    const { host } = this.#core;
    const writer = this.#core.writer!;
    const what = aside === null ? "was removed" : `was replaced, by what is kept as "${aside}",`;
    host.onMeddled(basename(writer.path), `${what} while it was written: put back from the open file`);
    this.#part.makeAnewIfGone(writer)
      .catch((error) => host.onFault("making gzip blocks anew", error));
  }

  /** See {@linkcode FileMender.fillHole}; a day that is closed, whose worker takes nothing more, does it here. */
  fillHole(end: number): Promise<void> {
    const { day, host, tasks } = this.#core;
    const writer = this.#core.writer!;
    return tasks.run(async () => {
      const task: HoleTask = {
        ...{ kind: "fillHole", ...this.#part.files(writer), day, blocks: this.#part.index.blocks },
        ...{ end: end + shiftOf(this.#core), sealedEnd: sealedEndOf(this.#core) },
      };
      const result = tasks.closed ? runBlockTask(task) : await host.runBlockTask(task).catch((error) => {
        // The worker was ended meanwhile, since it was busy with something that can wait. This cannot.
        if (tasks.closed) return runBlockTask(task);
        throw error;
      });
      this.#noteFilled(writer, (result as { filled: FilledHole }).filled);
    });
  }

  /**
   * Opens the plain file for writing; a directory of its name, which somebody may have made, is set aside.
   *
   * @throws {Error} If the file cannot be opened, or the directory not be set aside.
   */
  async openPlainFile(path: string): Promise<PlainFile> {
    const { host } = this.#core;
    const open = host.openFile ?? openPlainFile;
    try {
      return await open(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.IsADirectory)) throw error;
      const finding = setDirectoryAside(path);
      // What cannot be set aside is tried again with every write; the trouble that it makes is told.
      if (finding.damage) throw error;
      host.onRepair(finding.file, finding.what);
      return await open(path);
    }
  }

  #noteFilled(writer: PlainWriter, filled: FilledHole): void {
    const { day, host, seal } = this.#core;
    const { backBytes, lostBytes, last, lines, areBlocksRight } = filled;
    if (!areBlocksRight) this.#part.forget();
    this.#totals.lines = (seal?.lines ?? 0) + lines + writer.unsyncedLines;
    const back = backBytes === 0
      ? "what was not synced is written again"
      : `${backBytes} bytes are put back from blocks`;
    const lost = lostBytes === 0 ? "" : `, ${lostBytes} bytes of lines are lost`;
    host.onMeddled(basename(writer.path), `was cut or changed while it was written: ${back}${lost}`);
    if (lostBytes === 0) return;
    const largest = parseTimestamp(this.#totals.last ?? "");
    const knownMs = largest === null ? host.clock.now() : Math.floor(timestampMs(largest)) + 1;
    host.onLost(spanOfLost(day, later(seal?.last ?? null, last), knownMs));
  }
}
