/**
 * Promises a run in which Flightlog is ended and started again while lines come steadily, and what the oracle finds about
 * the gaps that it wrote down.
 *
 * @module
 */

import { FlightlogProcess } from "../rig/flightlog_process.ts";
import type { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { checkOracle, type Claim, NumberedLines, untilLastReadable } from "./oracle.ts";
import { SteadyLines } from "./steady_lines.ts";

/** It is away for so long, in milliseconds. */
const AWAY_MS = 500;

/**
 * Ends Flightlog as many times as `times`, each `runMs` after it has begun to record. Returns the gaps that this
 * has made.
 *
 * @throws {Error} If the oracle finds a fault.
 */
export async function endSteadily(
  server: NatsServer,
  { signal, times, runMs }: { signal: "SIGKILL" | "SIGTERM"; times: number; runMs: number },
): Promise<Claim[]> {
  await using publisher = await Publisher.connect({ port: server.port });
  const logDirectory = await Deno.makeTempDir({ prefix: "flightlog-end-" });
  try {
    const lines = new NumberedLines();
    const options = { env: { NATS_URL: server.url }, logDirectory };
    await using steady = new SteadyLines(publisher, lines);
    await steady.pause();
    for (let end = 0; end < times; end++) {
      await using flightlog = await FlightlogProcess.start(options);
      await flightlog.untilLog("recording");
      steady.resume();
      await steady.for(runMs);
      flightlog.signal(signal);
      await flightlog.status;
      await steady.for(AWAY_MS);
    }
    await using flightlog = await FlightlogProcess.start(options);
    await flightlog.untilLog("recording");
    await steady.for(AWAY_MS);
    await steady.pause();
    await untilLastReadable(flightlog, lines);
    const { claims } = await checkOracle(flightlog, lines);
    return claims.filter(({ cause }) => cause === "crash" || cause === "stop");
  } finally {
    await Deno.remove(logDirectory, { recursive: true });
  }
}
