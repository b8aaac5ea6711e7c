/**
 * Flightlog records the log stream of a Fly.io organisation and serves it. This file wires the parts.
 *
 * @module
 */

import { readWorkersFor } from "./lib/archive/read/pool.ts";
import { readVolumeUsage, requireOwnVolume } from "./lib/archive/volume.ts";
import { systemClock as clock } from "./lib/clock.ts";
import { type Config, ConfigError, readConfig } from "./lib/config/config.ts";
import { VARIABLE_NAMES } from "./lib/config/environment.ts";
import { Flightlog } from "./lib/flightlog.ts";
import { recordedLinesOf } from "./lib/heal/peers/recorded_lines.ts";
import { createLogger } from "./lib/logger.ts";
import { machineMemory } from "./lib/machine/machine_memory.ts";
import { MemoryBudget, READER_BYTES, readingBytes } from "./lib/machine/memory_budget.ts";
import { Metrics } from "./lib/metrics.ts";
import { chooseConnections, countFreeFiles, METRICS_CONNECTIONS } from "./lib/machine/open_files.ts";
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
  const instance = crypto.randomUUID();
  const onTiming = metrics.noteTiming.bind(metrics);
  const machineBytes = machineMemory();
  const memory = new MemoryBudget({ limitBytes: readingBytes(machineBytes), clock });
  const readWorkers = readWorkersFor(machineBytes);
  const flightlog = await Flightlog.open({
    ...{ config, source: FlyStream.of(config, clock), clock, logger, print, memory, readWorkers, onTiming },
    onLockLost: ({ message }) => {
      // deno-lint-ignore no-console -- whoever started the program reads it
      console.error(message);
      Deno.exit(2);
    },
    ...{ instance, resolve: Deno.resolveDns },
    onHealed: (source, lines) => metrics.noteHealed(source === "fly" ? "fly" : "peer", lines),
    onSession: metrics.noteSession.bind(metrics),
    onRoundTrip: metrics.noteRoundTrip.bind(metrics),
  });
  const { archive, gaps, healer, ledger, recorder, scrub, followers } = flightlog;
  const volumeUsage = () => readVolumeUsage(directory);
  const healDue = () => healer.status().due;
  metrics.connect({ archive, recorder, gaps: ledger, healDue, clock, scrub, config, volumeUsage });
  const app = createApp({
    ...{ archive, gaps, healer, recorder, scrub, volumeUsage, clock, logger, config },
    ...{
      self: { instance, org: config.org, records: recordedLinesOf(config) },
      version: deno.version,
      lines: archive.lines,
      digests: archive.digests,
      followers,
      onAnswer: metrics.noteAnswer.bind(metrics),
    },
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
  flightlog.start();
  stopOnSignals({
    clock,
    logger,
    async stop() {
      await flightlog.stop(() => Promise.all(servers.map((server) => server.shutdown())));
    },
  });
}
