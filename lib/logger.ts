/**
 * Promises that the recorder's own log is one JSON object a line, and that no more than a bounded number of
 * lines of one kind leave in a minute: the log is itself a line source on Fly, and must not become a flood.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** How grave an event is; Fly shows the word as the line's level. */
export type Level = "debug" | "info" | "warn" | "error";

/** What an event carries besides its name. Never a secret, never the text of a recorded line. */
export type Details = Record<string, string | number | boolean | null | undefined>;

/** Takes events of the recorder's own life. `event` is a fixed lower-case phrase, never built from data. */
export interface Logger {
  /** Reports one event. */
  log(level: Level, event: string, details?: Details): void;
}

/** At most this many lines of one event name are written in each {@linkcode WINDOW_MS}. */
export const LINES_PER_WINDOW = 20;

/** The span over which lines of one event name are counted, in milliseconds. */
export const WINDOW_MS = 60_000;

/** A logger that drops everything, for parts that are used on their own. */
export const silentLogger: Logger = { log: () => {} };

/**
 * Makes a logger that hands each event to `write` as one line of JSON without a newline. Event names are
 * counted apart; the first line after a window in which some were held back says how many in `suppressed`.
 */
export function createLogger(options: { clock: Clock; write: (line: string) => void }): Logger {
  const { clock, write } = options;
  const windows = new Map<string, { startMs: number; lines: number; suppressed: number }>();

  function log(level: Level, event: string, details: Details = {}): void {
    const nowMs = clock.elapsed();
    let window = windows.get(event);
    let suppressed: number | undefined;
    if (window === undefined || nowMs - window.startMs >= WINDOW_MS) {
      suppressed = window?.suppressed || undefined;
      window = { startMs: nowMs, lines: 0, suppressed: 0 };
      windows.set(event, window);
    }
    if (window.lines >= LINES_PER_WINDOW) {
      window.suppressed++;
      return;
    }
    window.lines++;
    write(
      JSON.stringify({ time: new Date(clock.now()).toISOString(), level, event, ...details, suppressed }),
    );
  }

  return { log };
}
