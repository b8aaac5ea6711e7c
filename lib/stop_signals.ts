/**
 * Promises that the first SIGTERM or SIGINT ends the process in order and in time, and the second at once.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";

/**
 * Answers under way get this long, in milliseconds; recording is safe on the disk long before. Fly kills
 * after `kill_timeout`, which is 5 s unless it is set, and a process that is busy with 2,000 connections ends up to
 * 1.6 s late (measured on two shared cores).
 */
export const STOP_LIMIT_MS = 3000;

/** See {@linkcode stopOnSignals}. */
export interface StopOptions {
  /** Measures {@linkcode STOP_LIMIT_MS}. */
  clock: Clock;
  /** Takes the signal, and how it went. */
  logger: Logger;
  /** Stops everything. */
  stop(): Promise<void>;
}

/** Ends the process with 0 once `stop` is done or its time is over, with 1 if it fails. */
export function stopOnSignals(options: StopOptions): void {
  const { clock, logger, stop } = options;
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (stopping) Deno.exit(1);
      stopping = true;
      logger.log("info", "stopping", { signal });
      clock.after(STOP_LIMIT_MS, () => {
        logger.log("warn", "stopped with answers under way");
        Deno.exit(0);
      });
      stop().then(() => {
        logger.log("info", "stopped");
        Deno.exit(0);
      }, (error) => {
        logger.log("error", "stopping failed", { reason: String(error) });
        Deno.exit(1);
      });
    });
  }
}
