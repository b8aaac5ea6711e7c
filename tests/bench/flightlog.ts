/**
 * Promises Flightlog as its users run it: the task's own permissions, configured by the environment alone.
 *
 * @module
 */

import { join } from "node:path";
import { START_FLAGS } from "../rig/flightlog_process.ts";
import { until } from "./bench.ts";
import { Program } from "./program.ts";

/** The root of the working copy. */
const ROOT = join(import.meta.dirname!, "..", "..");

/** How long it may take to be ready, in milliseconds. */
const READY_LIMIT_MS = 60_000;

/** How Flightlog is started. */
export interface FlightlogOptions {
  /** The NATS server. */
  url: string;
  /** The archive. */
  directory: string;
  /** More variables. */
  env?: Record<string, string>;
}

/** Flightlog at work. */
export interface Flightlog {
  /** Its process. */
  program: Program;
  /** Its API, without a slash at the end. */
  api: string;
  /** From the start of the process until the API listened, in milliseconds. */
  listeningMs: number;
  /** From the start of the process until /ready said yes, in milliseconds. */
  readyMs: number;
}

/**
 * Starts Flightlog on a free port and waits until it records. It ends with `scope`.
 *
 * @throws {Error} If it ends instead, or is not ready in time.
 */
export async function startFlightlog(
  scope: AsyncDisposableStack,
  options: FlightlogOptions,
): Promise<Flightlog> {
  const startMs = performance.now();
  const program = scope.use(Program.start({
    name: "Flightlog",
    command: Deno.execPath(),
    args: ["run", ...START_FLAGS, "-P=start", "main.ts"],
    cwd: ROOT,
    env: {
      NATS_URL: options.url,
      LOG_DIR: options.directory,
      PORT: "0",
      METRICS_PORT: "off",
      RETENTION_DAYS: "0",
      MAX_DISK_PERCENT: "0",
      ...options.env,
    },
  }));
  const line = await program.log.until(
    (line) => line.includes('"event":"api listening"'),
    "its API",
    0,
    READY_LIMIT_MS,
  );
  const listeningMs = performance.now() - startMs;
  const api = `http://127.0.0.1:${JSON.parse(line).port}`;
  await until("Flightlog to be ready", READY_LIMIT_MS, 2, async () => {
    const answer = await fetch(`${api}/ready`);
    await answer.body?.cancel();
    return answer.ok;
  });
  return { program, api, listeningMs, readyMs: performance.now() - startMs };
}
