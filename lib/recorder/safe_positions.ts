/**
 * Promises that a source is told of a position only once every line up to it is on the disk, and never of one up to
 * which a line was dropped: the source forgets what it is told of.
 *
 * Example: at 10.0 s the source has handed over the messages 1 to 7, and a sync is asked for. Until it is done, at 10.1 s,
 * 8 and 9 come. The source is told that 7 is safe; of 9 it is told after the next sync. If the disk refuses the lines, the
 * sync is not done, and the source is told nothing until it is; if the archive is closed without it, never.
 *
 * @module
 */

import type { Archive } from "../archive/archive.ts";
import type { SourcePositions } from "../source/source.ts";

/** See {@linkcode SafePositions}. */
export interface SafePositionsOptions {
  /** Tells when the lines are on the disk. */
  archive: Pick<Archive, "sync">;
  /** What the source of one session wants to hear of. */
  positions: SourcePositions;
  /** Whether a message of the session was dropped. */
  hasDropped(): boolean;
}

/** Tells the source of one session what is safe. */
export class SafePositions {
  readonly #options: SafePositionsOptions;
  #toldPosition: unknown = null;
  #syncing: Promise<void> | null = null;

  /** Tells nothing by itself. */
  constructor(options: SafePositionsOptions) {
    this.#options = options;
  }

  /**
   * Has everything synced that has come until now, and tells the source then; at most one sync at a time. Resolves when
   * that is done, or the archive is closed without it.
   *
   * @throws What the source throws.
   */
  look(): Promise<void> {
    this.#syncing ??= this.#sync().finally(() => this.#syncing = null);
    return this.#syncing;
  }

  /** As {@linkcode look}, of all that came in the session, which has ended. */
  async finish(): Promise<void> {
    await this.#syncing;
    await this.look();
  }

  async #sync(): Promise<void> {
    const { archive, positions, hasDropped } = this.#options;
    // Nothing may come between the position and the sync: of every line that the position covers it is known here that it
    // was appended before, so the sync covers it.
    const position = positions.current();
    if (position === null || position === this.#toldPosition || hasDropped()) return;
    if (!await archive.sync()) return;
    this.#toldPosition = position;
    positions.onSafe(position);
  }
}
