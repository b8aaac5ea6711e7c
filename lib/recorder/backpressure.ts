/**
 * Promises that the lines which wait for the disk never take more memory than they are allowed, whatever the disk
 * does, and that a line is dropped only where the source cannot be held back.
 *
 * Example with a limit of 32 MiB: the disk becomes slow, and with the next line 32 MiB wait. The source is paused;
 * what it had in its own buffer still comes, up to {@linkcode OVERSHOOT_BYTES}, and is taken. When the disk has
 * written half, 16 MiB, the source goes on. A source that cannot be paused has its lines dropped at 32 MiB instead,
 * until no more than 16 MiB wait.
 *
 * @module
 */

import type { Archive } from "../archive/archive.ts";
import type { SourceSession } from "../source/source.ts";

/** Lines that arrive while a pause of reading takes effect: a socket buffer of the source's and one message. */
export const OVERSHOOT_BYTES: number = 4 * 1024 * 1024;

/** Why lines are dropped: they come faster than the disk takes them, or the disk takes none. */
export type DropCause = "overflow" | "disk";

/** See {@linkcode Backpressure}. */
export interface BackpressureOptions {
  /** Says how much waits for the disk, and whether the disk fails. */
  archive: Pick<Archive, "waitingBytes" | "trouble">;
  /** So much may wait, in bytes. */
  limitBytes: number;
  /** Called with the first line that is dropped. */
  onDropping(cause: DropCause): void;
  /** Called when lines are taken again after some were dropped. */
  onTaking(): void;
}

/** Holds a source back while too much waits for the disk. */
export class Backpressure {
  readonly #options: BackpressureOptions;
  #session: Pick<SourceSession, "canPause" | "pause" | "resume"> | null = null;
  #isPaused = false;
  #isDropping = false;

  /** Holds nothing back before {@linkcode Backpressure.begin}. */
  constructor(options: BackpressureOptions) {
    this.#options = options;
  }

  /** Whether the source is held back now. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether lines were dropped, and half of what waited is not written yet. */
  get isDropping(): boolean {
    return this.#isDropping;
  }

  /** A session has begun, which is held back from now on where that is needed. */
  begin(session: Pick<SourceSession, "canPause" | "pause" | "resume">): void {
    this.#session = session;
    this.#isPaused = false;
    this.follow();
  }

  /** The session has ended. */
  end(): void {
    this.#session = null;
  }

  /** Whether there is room for one more line. Asks, and changes nothing. */
  hasRoom(): boolean {
    const { archive: { waitingBytes }, limitBytes } = this.#options;
    return waitingBytes < limitBytes || (this.#isPaused && waitingBytes < limitBytes + OVERSHOOT_BYTES);
  }

  /** A line was handed to the archive. */
  noteAppended(): void {
    if (this.#options.archive.waitingBytes >= this.#options.limitBytes) this.follow();
  }

  /** A line is about to be dropped, since there is no room. */
  noteDropped(): void {
    if (this.#isDropping) return;
    this.#isDropping = true;
    this.#options.onDropping(this.#options.archive.trouble === null ? "overflow" : "disk");
  }

  /** The archive has written something, or has begun or ceased to fail: pauses the source or lets it go on. */
  follow(): void {
    const { archive, limitBytes, onTaking } = this.#options;
    const isLow = archive.waitingBytes <= limitBytes / 2;
    if (isLow && this.#isDropping) {
      this.#isDropping = false;
      onTaking();
    }
    const session = this.#session;
    if (session === null || !session.canPause) return;
    // While the disk fails the source is read on: a server holds less for a reader that pauses than we can.
    const shouldPause = archive.trouble === null &&
      (this.#isPaused ? !isLow : archive.waitingBytes >= limitBytes);
    if (shouldPause === this.#isPaused) return;
    this.#isPaused = shouldPause;
    if (shouldPause) session.pause();
    else session.resume();
  }
}
