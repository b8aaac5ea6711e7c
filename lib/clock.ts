/**
 * Promises that time enters the program here and nowhere else: whatever needs to know or to wait is
 * handed a {@linkcode Clock}, so that a test can move it.
 *
 * @module
 */

/** Takes back what {@linkcode Clock.after} or {@linkcode Clock.every} arranged; harmless when repeated. */
export type Cancel = () => void;

/** The time of day, the time that has passed, and calls at a later time. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970-01-01T00:00:00Z. It may jump. */
  now(): number;
  /** Milliseconds since some fixed moment, for durations. It never goes back. */
  elapsed(): number;
  /** Calls `callback` once, `delayMs` from now by {@linkcode Clock.elapsed}. */
  after(delayMs: number, callback: () => void): Cancel;
  /** Calls `callback` every `intervalMs` by {@linkcode Clock.elapsed}, first after one interval. */
  every(intervalMs: number, callback: () => void): Cancel;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  every(intervalMs, callback) {
    const timer = setInterval(callback, intervalMs);
    return () => clearInterval(timer);
  },
};

/**
 * Waits `delayMs`, or until `signal` aborts, whichever comes first. Aborting is no error: the caller looks
 * at the signal.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.after(delayMs, done);
    signal?.addEventListener("abort", done, { once: true });
    function done(): void {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    }
  });
}
