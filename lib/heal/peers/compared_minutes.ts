/**
 * Promises that two recorders which differ for good, by their filters or by a line that one of them refuses, do not fetch the same
 * minute for ever: while neither has more of it than after the last time it was compared, it is not compared again.
 *
 * @module
 */

import type { MinuteDigest } from "./peer_digest.ts";

/**
 * So many minutes are remembered, those compared last; each takes about 300 bytes. One that is forgotten is compared once
 * more, which costs time and nothing else.
 */
export const COMPARED_MINUTES_LIMIT = 20_000;

/** A minute, of one day, in one peer. */
export interface ComparedMinute {
  /** The peer's name. */
  peer: string;
  /** The day on which it was recorded. */
  day: number;
  /** The minute of the lines' own timestamps, counted since 1970. */
  minute: number;
}

/** The minutes that were compared and still differ. */
export class ComparedMinutes {
  readonly #minutes = new Map<string, string>();

  /** Remembers what each had when a minute was compared, with what was inserted after. */
  note(minute: ComparedMinute, theirs: MinuteDigest | undefined, ours: MinuteDigest | undefined): void {
    const key = keyOf(minute);
    this.#minutes.delete(key);
    this.#minutes.set(key, stateOf(theirs, ours));
    if (this.#minutes.size > COMPARED_MINUTES_LIMIT) this.#minutes.delete(this.#minutes.keys().next().value!);
  }

  /** Whether it was compared, and each has still what it had then. */
  isKnown(minute: ComparedMinute, theirs: MinuteDigest | undefined, ours: MinuteDigest | undefined): boolean {
    return this.#minutes.get(keyOf(minute)) === stateOf(theirs, ours);
  }
}

function keyOf({ peer, day, minute }: ComparedMinute): string {
  return `${day} ${minute} ${peer}`;
}

function stateOf(theirs: MinuteDigest | undefined, ours: MinuteDigest | undefined): string {
  return [theirs?.lines, theirs?.sum, ours?.lines, ours?.sum].join(" ");
}
