/**
 * Promises that what is known of each gap gets to the disk: it is written at once, and where the disk does not take it,
 * again every second until it does.
 *
 * @module
 */

import type { Cancel, Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Gap } from "./gap.ts";
import { GapFile } from "./ledger_file.ts";
import { gapLine } from "./ledger_line.ts";
import type { FoundGaps } from "./ledger_reader.ts";

/** An entry that could not be written is tried again after this long, in milliseconds. */
const RETRY_MS = 1000;

/** See {@linkcode LedgerWriter}. */
export interface LedgerWriterOptions {
  /** Where the ledger lies. */
  directory: string;
  /** What its files had; they are gone on with. */
  found: Pick<FoundGaps, "end" | "isTorn" | "reserved">;
  /** All gaps, for a file that is written anew. */
  gaps: () => readonly Gap[];
  /** Says when to try again. */
  clock: Clock;
  /** Takes what failed. */
  logger: Logger;
}

/** Writes the gaps of a ledger. */
export class LedgerWriter {
  readonly #file: GapFile;
  readonly #gaps: () => readonly Gap[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** The gaps of which the file does not say yet what is known. */
  readonly #pending = new Set<Gap>();
  #mustWriteAnew = false;
  #writing: Promise<void> | null = null;
  /** Takes back the next try; at most one waits, however many ask for one. */
  #cancelRetry: Cancel | null = null;
  #flushWaits: (() => void)[] = [];
  #closed = false;

  /** Writes nothing by itself. */
  constructor({ directory, found, gaps, clock, logger }: LedgerWriterOptions) {
    this.#file = new GapFile(directory, found, logger);
    this.#gaps = gaps;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Whether nothing is being written; what the disk did not take may still wait for its next try. */
  get isIdle(): boolean {
    return this.#writing === null;
  }

  /** Writes what is known of `gap`, as it is when its turn comes. */
  write(gap: Gap): void {
    this.#pending.add(gap);
    this.start();
  }

  /** Tries to write what is not on the disk yet. */
  start(): void {
    if (this.#closed) return;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#writing ??= this.#writeAll();
  }

  /** Has the file written anew where somebody has removed or cut it: what it had is known here. */
  look(): void {
    if (!this.#file.isWhole) this.start();
  }

  /** Writes the file anew before anything else is written. */
  writeAnewSoon(): void {
    this.#mustWriteAnew = true;
    this.start();
  }

  /**
   * Writes the file anew, with one line for each gap, whatever was pending among them; `damaged` lines are kept aside
   * first. A full disk has to wait: that is logged, and the file stays as it is. Tells whether it is written. Blocks; and must not
   * be called while something is being written, see {@linkcode LedgerWriter.isIdle}.
   */
  writeAnew(damaged: readonly string[] = []): boolean {
    if (this.#closed) return false;
    this.#mustWriteAnew = false;
    const { isWhole } = this.#file;
    try {
      if (damaged.length > 0) this.#file.keepDamaged(damaged);
      this.#file.writeAnew(this.#gaps());
      if (!isWhole) {
        const reason = "it was removed or cut while the program ran";
        this.#logger.log("error", "gap ledger written anew", { reason });
      }
      this.#pending.clear();
      return true;
    } catch (error) {
      this.#logger.log("warn", "gap ledger not compacted", { reason: (error as Error).message });
      return false;
    }
  }

  /** Waits until what is known is on the disk, or the writer is closed. */
  flush(): Promise<void> {
    if (this.#pending.size === 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#flushWaits.push(resolve));
  }

  /** Waits until what is known is on the disk, or a disk that does not take it has said so. Tells whether it is. */
  async tryWrite(): Promise<boolean> {
    await this.#writing;
    return this.#pending.size === 0;
  }

  /** Writes what is left, once, and ends. Tells whether all that is known is on the disk. */
  async close(): Promise<boolean> {
    await this.#writing;
    if (this.#pending.size > 0) {
      this.start();
      await this.#writing;
    }
    this.#closed = true;
    this.#cancelRetry?.();
    this.#endFlushWaits();
    return this.#pending.size === 0;
  }

  /** Writes what is pending. Never fails: it tries again. */
  async #writeAll(): Promise<void> {
    await Promise.resolve();
    try {
      if (this.#mustWriteAnew || !this.#file.isWhole) this.writeAnew();
      do {
        const gaps = [...this.#pending];
        const written = gaps.map((gap) => ({ ...gap }));
        await this.#file.write(written);
        for (const [number, gap] of gaps.entries()) {
          // A gap that has changed during the write stays pending, and is written once more.
          if (gapLine(gap) === gapLine(written[number]!)) this.#pending.delete(gap);
        }
      } while (this.#pending.size > 0);
    } catch (error) {
      const reason = (error as Error).message;
      // Lines that are in the reserve are on the disk, so it is no error that the ledger itself has no room for them yet.
      if (this.#pending.size > 0) this.#logger.log("error", "gap ledger not written", { reason });
    }
    if ((this.#pending.size > 0 || this.#file.isFull) && !this.#closed) {
      this.#cancelRetry ??= this.#clock.after(RETRY_MS, () => this.start());
    }
    if (this.#pending.size === 0) this.#endFlushWaits();
    this.#writing = null; // at once, so that no entry comes between the last look and this
  }

  #endFlushWaits(): void {
    for (const resolve of this.#flushWaits.splice(0)) resolve();
  }
}
