/**
 * Promises to tell of a stream that has gone silent. A stream can be dead without an error, and then it looks as it does
 * when nothing is printed.
 *
 * @module
 */

import type { Cancel, Clock } from "../clock.ts";

/** See {@linkcode watchForStall}. */
export interface StallWatchOptions {
  /** The time. */
  clock: Clock;
  /** A stream is silent after this long without a message, in milliseconds. */
  stallAfterMs: number;
  /** How many messages have come so far. */
  countReceived(): number;
  /** Told once, with the milliseconds that nothing came; the watch is over then. */
  onStall(silentMs: number): void;
}

/**
 * Looks every `stallAfterMs` whether a message has come since the last look. So a stall is told after one to two times
 * that long: with 4 s, where a message comes at 2 s and none after it, the look at 4 s is content and that at 8 s is not.
 */
export function watchForStall({ clock, stallAfterMs, countReceived, onStall }: StallWatchOptions): Cancel {
  let received = countReceived();
  let sinceMs = clock.elapsed();
  let cancel = clock.after(stallAfterMs, look);
  function look(): void {
    if (countReceived() === received) return onStall(clock.elapsed() - sinceMs);
    received = countReceived();
    sinceMs = clock.elapsed();
    cancel = clock.after(stallAfterMs, look);
  }
  return () => cancel();
}
