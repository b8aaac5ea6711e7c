/**
 * Promises to notice when nobody has read the connection for a while, so that the lines which come then may have waited in
 * it: the process was frozen, the machine had no time for it or not enough, or the source was held back.
 *
 * A line that has waited does not prove that everything published before it came is here. **In numbers**: the process is
 * frozen from 10 s to 18 s. The system takes lines for it until 12 s, then nothing fits any more, and at 16 s the server
 * puts it out. At 18 s it reads the lines of 10 s to 12 s, all within an instant, and the end of the connection. What was
 * published from 12 s on is lost, although a line came at 18 s.
 *
 * So from then on lines are in doubt ({@linkcode KnownGood.doubtLines}), until the server has answered a question that was
 * asked after the pause: the answer comes behind everything that waited.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { KnownGood } from "./known_good.ts";

/**
 * After a pause longer than this, in milliseconds, lines are in doubt. Those of a shorter one are no later than
 * {@linkcode GAP_MARGIN_MS}, by which a gap begins earlier anyway.
 */
export const UNREAD_MS = 1000;

/** Notices that lines may have waited. Moments are {@linkcode Clock.elapsed}. */
export class ReadingWatch {
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #knownGood: Pick<KnownGood, "doubtLines" | "trustLines">;
  /** When it was last seen that the program runs. */
  #seenMs: number;
  /** When the last pause was noticed, while lines are in doubt; else null. */
  #noticedMs: number | null = null;

  /** Doubts nothing yet. */
  constructor(clock: Pick<Clock, "elapsed">, knownGood: Pick<KnownGood, "doubtLines" | "trustLines">) {
    this.#clock = clock;
    this.#knownGood = knownGood;
    this.#seenMs = clock.elapsed();
  }

  /** A session begins: nothing waits in its connection. */
  begin(): void {
    this.#seenMs = this.#clock.elapsed();
    this.#trust();
  }

  /** A line comes at `elapsedMs`; to be called before the line is noted as a proof. */
  noteLine(elapsedMs: number): void {
    if (elapsedMs - this.#seenMs > UNREAD_MS) this.#notice(elapsedMs);
    this.#seenMs = elapsedMs;
  }

  /**
   * To be called several times a second; `isBehind` tells whether what the source has sent is known to wait: it is held back,
   * or its answers are read late.
   */
  look(isBehind: boolean): void {
    const elapsedMs = this.#clock.elapsed();
    if (isBehind || elapsedMs - this.#seenMs > UNREAD_MS) this.#notice(elapsedMs);
    this.#seenMs = elapsedMs;
  }

  /** The server has answered what it was asked at `askedMs`, so nothing of before waits any more. */
  noteAnswer(askedMs: number): void {
    if (this.#noticedMs !== null && askedMs >= this.#noticedMs) this.#trust();
  }

  #notice(elapsedMs: number): void {
    this.#noticedMs = elapsedMs;
    this.#knownGood.doubtLines();
  }

  #trust(): void {
    this.#noticedMs = null;
    this.#knownGood.trustLines();
  }
}
