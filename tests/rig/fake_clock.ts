/**
 * Promises time that moves only when a test says so.
 *
 * @module
 */

import type { Cancel, Clock } from "../../lib/clock.ts";

interface Timer {
  dueMs: number;
  intervalMs: number | null;
  callback: () => void;
}

/**
 * A clock with two hands, as the real one has: {@linkcode FakeClock.now} can be moved either way,
 * {@linkcode FakeClock.elapsed} only goes on, and timers go by the second.
 */
export class FakeClock implements Clock {
  #nowMs: number;
  #elapsedMs = 0;
  // In the order of their making, which is the order of those that are due at the same moment.
  #timers = new Set<Timer>();

  /** Starts at `start`: RFC 3339, or milliseconds since 1970-01-01T00:00:00Z. */
  constructor(start: string | number) {
    this.#nowMs = typeof start === "number" ? start : Date.parse(start);
    if (!Number.isFinite(this.#nowMs)) {
      throw new TypeError(`Cannot start the clock at "${start}": not a time`);
    }
  }

  /** How many timers are waiting. */
  get pending(): number {
    return this.#timers.size;
  }

  /** See {@linkcode Clock.now}. */
  now(): number {
    return this.#nowMs;
  }

  /** See {@linkcode Clock.elapsed}. */
  elapsed(): number {
    return this.#elapsedMs;
  }

  /** See {@linkcode Clock.after}. */
  after(delayMs: number, callback: () => void): Cancel {
    return this.#add({ dueMs: this.#elapsedMs + Math.max(0, delayMs), intervalMs: null, callback });
  }

  /** See {@linkcode Clock.every}. Intervals are at least a millisecond, as the real ones are. */
  every(intervalMs: number, callback: () => void): Cancel {
    const atLeastMs = Math.max(1, intervalMs);
    return this.#add({ dueMs: this.#elapsedMs + atLeastMs, intervalMs: atLeastMs, callback });
  }

  /** Lets `ms` pass, calling each timer that comes due, in order and at its own moment. */
  advance(ms: number): void {
    const endMs = this.#elapsedMs + ms;
    while (this.#runNext(endMs));
    this.#moveTo(endMs);
  }

  /**
   * As {@linkcode FakeClock.advance}, but after each timer lets promises settle and pending reads and writes
   * come back before time goes on.
   */
  async advanceAsync(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await settle();
    while (this.#runNext(endMs)) await settle();
    this.#moveTo(endMs);
  }

  /** Lets `ms` pass, for both hands, and leaves the timers that come due to the next {@linkcode FakeClock.advance}. */
  skip(ms: number): void {
    this.#moveTo(this.#elapsedMs + ms);
  }

  /** Moves the wall clock alone by `ms`, which may be negative; no timer notices. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }

  #add(timer: Timer): Cancel {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  #runNext(endMs: number): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    if (next === undefined) return false;
    this.#moveTo(Math.max(next.dueMs, this.#elapsedMs));
    this.#timers.delete(next);
    // The same object is added again, so that its Cancel still finds it.
    if (next.intervalMs !== null) {
      next.dueMs += next.intervalMs;
      this.#timers.add(next);
    }
    next.callback();
    return true;
  }

  #moveTo(elapsedMs: number): void {
    this.#nowMs += elapsedMs - this.#elapsedMs;
    this.#elapsedMs = elapsedMs;
  }
}

// A turn of the event loop: microtasks run before it, finished reads and writes within it.
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
