/**
 * Promises the whole program over an archive that is spelt out, for a browser to look at, and a way to have it
 * record more.
 *
 * @module
 */

import { join } from "node:path";
import { HeartbeatFiles } from "../../lib/gaps/heartbeat_files.ts";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";

/** What there is before the program starts. */
export interface RecordedOptions {
  /** The lines of each day, by its name. */
  days?: Record<string, readonly string[]>;
  /** The lines of the gap ledger. */
  gaps?: readonly string[];
  /** More of its environment. */
  env?: Record<string, string>;
}

/** The program, the server that it records from, and who publishes there. */
export interface Recorded extends AsyncDisposable {
  /** The address of its API, without a slash at the end. */
  url: string;
  /** The program. */
  flightlog: FlightlogProcess;
  /** The server. */
  server: NatsServer;
  /** Publishes records. Settles when the server has them. */
  publish(...records: FlyRecord[]): Promise<void>;
}

/** A record, as far as tests say what is in it. */
export interface FlyRecord {
  message: string;
  app?: string;
  region?: string;
  instance?: string;
  level?: string;
  timestamp?: string;
}

/** Starts everything and waits until the program records. */
export async function startRecorded(options: RecordedOptions = {}): Promise<Recorded> {
  await using stack = new AsyncDisposableStack();
  const logDirectory = await Deno.makeTempDir({ prefix: "flightlog-page-" });
  stack.defer(() => Deno.remove(logDirectory, { recursive: true }));
  for (const [day, lines] of Object.entries(options.days ?? {})) {
    await Deno.writeTextFile(join(logDirectory, `${day}.jsonl`), lines.map((line) => `${line}\n`).join(""));
  }
  if (options.gaps !== undefined) {
    const gaps = options.gaps.map((gap) => `${gap}\n`).join("");
    await Deno.writeTextFile(join(logDirectory, "gaps.jsonl"), gaps);
    await new HeartbeatFiles(logDirectory).move(Date.now()); // else all since the last gap would be one
  }
  const server = stack.use(await NatsServer.start());
  const publisher = stack.use(await Publisher.connect({ port: server.port }));
  const flightlog = stack.use(
    await FlightlogProcess.start({
      logDirectory,
      env: { NATS_URL: server.url, RETENTION_DAYS: "0", MAX_DISK_PERCENT: "0", ...options.env },
    }),
  );
  await flightlog.untilLog("recording");
  const owned = stack.move();
  return {
    url: flightlog.url,
    flightlog,
    server,
    async publish(...records) {
      for (const record of records) {
        await publisher.publish(`logs.web.fra.0e286551c30586`, recordLine(record));
      }
      await publisher.flush();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A record as the stream has it. */
export function recordLine(record: FlyRecord): string {
  const { message, app = "web", region = "fra", instance = "0e286551c30586", level = "info" } = record;
  const { timestamp = new Date().toISOString() } = record;
  return JSON.stringify({
    event: { provider: "app" },
    fly: { app: { instance, name: app }, region },
    host: "0ad1",
    log: { level },
    message,
    timestamp,
  });
}
