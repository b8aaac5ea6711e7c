/**
 * Flightlog records the log stream of a Fly.io organisation and serves it. This file wires the parts.
 *
 * @module
 */

import { AliveMark } from "./lib/gaps/alive_mark.ts";
import { Archive } from "./lib/archive/archive.ts";
import { GapLedger } from "./lib/gaps/ledger.ts";
import { readWorkersFor } from "./lib/archive/read/pool.ts";
import { Scrub } from "./lib/archive/repair/scrub.ts";
import { readVolumeUsage, requireOwnVolume } from "./lib/archive/volume.ts";
import { systemClock as clock } from "./lib/clock.ts";
import { type Config, ConfigError, readConfig } from "./lib/config/config.ts";
import { VARIABLE_NAMES } from "./lib/config/environment.ts";
import { Followers } from "./lib/follow/followers.ts";
import { createLogger } from "./lib/logger.ts";
import { machineMemory } from "./lib/machine/machine_memory.ts";
import { MemoryBudget, READER_BYTES, readingBytes } from "./lib/machine/memory_budget.ts";
import { Metrics } from "./lib/metrics.ts";
import { chooseConnections, countFreeFiles, METRICS_CONNECTIONS } from "./lib/machine/open_files.ts";
import { RecordedSpan } from "./lib/gaps/recorded_span.ts";
import { Recorder } from "./lib/recorder/recorder.ts";
import { FlyStream } from "./lib/source/nats/fly_stream.ts";
import { stopOnSignals } from "./lib/stop_signals.ts";
import { createApp } from "./routes/app.ts";
import { createMetricsApp } from "./routes/metrics.ts";
import { serve } from "./routes/serve.ts";
import deno from "./deno.json" with { type: "json" };

// deno-lint-ignore no-console -- the recorder's own log, and the canary, go to stdout
const print = (line: string): void => console.log(line);
const logger = createLogger({ clock, write: print });

try {
  await run(readConfig(Object.fromEntries(VARIABLE_NAMES.map((name) => [name, Deno.env.get(name)]))));
} catch (error) {
  const reason = (error as Error).message;
  // deno-lint-ignore no-console -- whoever started the program reads it
  console.error(error instanceof ConfigError ? reason : `Cannot start: ${reason}`);
  Deno.exit(2);
}

async function run(config: Config): Promise<void> {
  const { logDir: directory, hostname, port, metricsPort } = config;
  if (config.onFly) await requireOwnVolume(directory);
  const metrics = new Metrics();
  const onTiming = metrics.noteTiming.bind(metrics);
  const machineBytes = machineMemory();
  const memory = new MemoryBudget({ limitBytes: readingBytes(machineBytes), clock });
  const readWorkers = readWorkersFor(machineBytes);
  const archive = await Archive.open({ ...config, directory, clock, logger, onTiming, memory, readWorkers });
  const gaps = GapLedger.open(directory, { clock, logger });
  const alive = new AliveMark(directory);
  const recorder = new Recorder({
    ...{ source: FlyStream.of(config, clock), config, archive, gaps, alive, clock, logger, print },
    onSession: metrics.noteSession.bind(metrics),
    onRoundTrip: metrics.noteRoundTrip.bind(metrics),
  });
  const scrub = new Scrub(directory, { archive, clock, logger });
  const volumeUsage = () => readVolumeUsage(directory);
  const known = new RecordedSpan({ ledger: gaps, archive, clock });
  const followers = new Followers({ archive, gaps: known, clock, logger, memory });
  metrics.connect({ archive, recorder, gaps, scrub, config, volumeUsage });
  const app = createApp({
    ...{ archive, gaps: known, recorder, scrub, volumeUsage, clock, logger, config, version: deno.version },
    ...{ lines: archive.lines, followers, onAnswer: metrics.noteAnswer.bind(metrics) },
  });

  const freeFiles = countFreeFiles(directory);
  const maxConnections = chooseConnections({
    ...{ asked: config.maxConnections, freeFiles, readers: memory.limitBytes / READER_BYTES },
  });
  const servers = [
    await serve(app, { hostname, port, maxConnections, clock, logger, event: "api listening" }),
  ];
  if (metricsPort !== null) {
    // It asks for no token, so off Fly, where no private network is around it, it is for this machine only.
    const address = { hostname: config.onFly ? hostname : "127.0.0.1", port: metricsPort };
    const metricsApp = createMetricsApp({ metrics, recorder, logger });
    const event = "metrics listening";
    const few = { maxConnections: METRICS_CONNECTIONS, clock, logger, event };
    servers.push(await serve(metricsApp, { ...address, ...few }));
  }
  recorder.start();
  scrub.start();
  stopOnSignals({
    clock,
    logger,
    async stop() {
      const served = servers.map((server) => server.shutdown());
      await recorder.stop();
      const read = scrub.stop(); // a piece that is being read ends with the archive's tasks
      const unwritten = await archive.stop();
      await followers.close();
      // The signs vouch for both: what was recorded, and what is known to be missing.
      if (await gaps.close() && unwritten === 0) await recorder.leave();
      await Promise.all([...served, read]);
      await archive.close();
    },
  });
}
