/**
 * Promises lines as Fly.io's log stream has them, the same ones for the same seed, so that a test or a
 * measurement can be run again and a reader can see what is in it.
 *
 * @module
 */

import { createRandom, pick } from "./random.ts";

/** One message of the stream. */
export interface FlyLine {
  /** `logs.<app>.<region>.<machine>`. */
  subject: string;
  /** The record as JSON, or what stands in for it. */
  payload: string;
}

/** What {@linkcode flyLines} makes. */
export interface FlyLinesOptions {
  /** Chooses the sequence. Default: 1. */
  seed?: number;
  /** How many lines. Default: no end. */
  count?: number;
  /** The time of the first line, in milliseconds since 1970-01-01T00:00:00Z. */
  startMs: number;
  /** The time between two lines on average, in milliseconds. Default: 10. */
  intervalMs?: number;
  /** The app that records, of which there are a few lines too. Default: `flightlog`. */
  ownApp?: string;
}

/** What stands in a line of {@linkcode numberedLine} besides its number. */
export interface NumberedLineOptions {
  /** Default: `web`. */
  app?: string;
  /** RFC 3339, written as it is given. Default: the first instant of 2026-11-22 and as many milliseconds as the number. */
  timestamp?: string;
  /** What follows the number in the message. Default: nothing. */
  more?: string;
}

const APPS = [
  { name: "web", instances: ["0e286551c30586", "148e42edb79d08", "3d8d9e0c610789"], weight: 10 },
  { name: "api", instances: ["e784e903b24338", "91857500f93e83"], weight: 6 },
  { name: "worker-é", instances: ["5683d920b1618e"], weight: 3 },
  { name: "postgres", instances: ["6e82dd00f75687"], weight: 1 },
];
const REGIONS = ["sjc", "fra", "nrt"];
const ROUTES = [
  "/",
  "/login",
  "/api/v1/orders",
  "/checkout",
  "/healthz",
  "/static/app.css",
  "/search?q=caf%C3%A9",
];

const STACK_TRACE = [
  "TypeError: Cannot read properties of undefined (reading 'id')",
  "    at loadOrder (file:///app/orders.ts:41:23)",
  "    at async handle (file:///app/server.ts:118:9)",
  "\tat java.base/java.lang.Thread.run(Thread.java:1583)",
  "Caused by: java.sql.SQLTransientConnectionException: pool – request timed out after 30000ms",
];

const BUILDER_LINES = [
  "#8 [build 3/6] RUN npm ci",
  "\u001b[34m#8 12.41 added 512 packages in 12s\u001b[0m",
  'time="2026-11-22T10:00:00.000Z" level=info msg="containerd successfully booted"',
];

/**
 * Makes lines of several apps, regions, machines, levels and providers: plain text, ANSI colours, JSON,
 * emoji, tabs, stack traces line by line, builder output, own lines, and some that are no JSON at all.
 */
export function* flyLines(options: FlyLinesOptions): Generator<FlyLine, void> {
  const { seed = 1, count = Infinity, startMs, intervalMs = 10, ownApp = "flightlog" } = options;
  const random = createRandom(seed);
  let timeMs = startMs;
  let trace: Trace | undefined;

  for (let number = 0; number < count; number++) {
    timeMs += random() * 2 * intervalMs;
    const timestamp = nanosecondTimestamp(timeMs, Math.floor(random() * 1_000_000));
    if (trace !== undefined) {
      const { origin, next }: Trace = trace;
      yield line({ ...origin, timestamp, level: "error", provider: "app", message: STACK_TRACE[next]! });
      trace = next + 1 < STACK_TRACE.length ? { origin, next: next + 1 } : undefined;
      continue;
    }
    const app = pickWeighted(random);
    const origin = {
      app: app.name,
      region: pick(REGIONS, random),
      instance: pick(app.instances, random),
      timestamp,
    };
    const dice = Math.floor(random() * 1000);
    if (dice < 10) trace = { origin, next: 0 };
    yield lineOf(dice, number, origin, ownApp, random);
  }
}

interface Origin {
  app: string;
  region: string;
  instance: string;
  timestamp: string;
}

// A stack trace under way: its next line comes from the same machine.
interface Trace {
  origin: Origin;
  next: number;
}

// Out of 1000 lines so many are of each kind; a reader of the output sees the same proportions.
function lineOf(dice: number, number: number, origin: Origin, ownApp: string, random: () => number): FlyLine {
  const app = (level: string, message: string): FlyLine =>
    line({ ...origin, level, provider: "app", message });
  const status = pick([200, 200, 200, 200, 304, 404, 500], random);
  const tookMs = Math.floor(random() * 400);
  if (dice < 15) return { subject: subjectOf(origin), payload: `panic: not a record, line ${number}` };
  if (dice < 17) return { subject: subjectOf(origin), payload: `{"message":"cut off in the mid` };
  if (dice < 37) {
    const builder = { ...origin, app: "fly-builder-quiet-dawn-4711", instance: "d890d65f4e6d48" };
    return line({ ...builder, level: "info", provider: "app", message: pick(BUILDER_LINES, random) });
  }
  if (dice < 47) {
    const own = { ...origin, app: ownApp, instance: "7811e63a1d2e08" };
    return line({ ...own, level: "info", provider: "app", message: '{"event":"recording"}' });
  }
  if (dice < 100) {
    return line({
      ...origin,
      level: "info",
      provider: "proxy",
      message: `[PR03] could not find a good candidate, attempt ${number % 7}`,
    });
  }
  if (dice < 130) {
    return line({
      ...origin,
      level: "info",
      provider: "runner",
      message: "Pulling container image web:deployment-01",
    });
  }
  if (dice < 150) {
    return line({
      ...origin,
      level: "error",
      provider: "health",
      message: "Health check on port 8080 has failed. Your app is not responding properly.",
    });
  }
  if (dice < 400) {
    return app(
      "info",
      JSON.stringify({
        level: "info",
        method: "GET",
        path: pick(ROUTES, random),
        status,
        ms: tookMs,
        request: number,
      }),
    );
  }
  if (dice < 500) {
    return app(
      "info",
      `\u001b[32mGET\u001b[0m ${pick(ROUTES, random)} \u001b[1;33m${status}\u001b[0m ${tookMs}ms`,
    );
  }
  if (dice < 540) return app("warn", `⚠️ cache miss for “café” 🚀 naïve 日本語 retry=${number % 5}`);
  if (dice < 570) return app("debug", `id\tname\tms\t${number}\t${pick(ROUTES, random)}\t${tookMs}`);
  return app(
    "info",
    `10.0.${dice % 256}.${number % 256} - GET ${
      pick(ROUTES, random)
    } ${status} ${tookMs}ms request=${number}`,
  );
}

/** One valid line with the number `number` in its message, `line=…`, by which a test finds it again. */
export function numberedLine(number: number, options: NumberedLineOptions = {}): FlyLine {
  const { app = "web", more = "" } = options;
  const { timestamp = nanosecondTimestamp(Date.UTC(2026, 10, 22) + number, 0) } = options;
  return line({
    app,
    region: "sjc",
    instance: "0e286551c30586",
    timestamp,
    level: "info",
    provider: "app",
    message: `line=${number}${more}`,
  });
}

function line(record: Origin & { level: string; provider: string; message: string }): FlyLine {
  return {
    subject: subjectOf(record),
    // The order of the fields is the stream's own.
    payload: JSON.stringify({
      event: { provider: record.provider },
      fly: { app: { instance: record.instance, name: record.app }, region: record.region },
      host: "0ad1",
      log: { level: record.level },
      message: record.message,
      timestamp: record.timestamp,
    }),
  };
}

function subjectOf({ app, region, instance }: Omit<Origin, "timestamp">): string {
  return `logs.${app}.${region}.${instance}`;
}

function nanosecondTimestamp(epochMs: number, nanoseconds: number): string {
  return `${new Date(epochMs).toISOString().slice(0, -1)}${String(nanoseconds).padStart(6, "0")}Z`;
}

function pickWeighted(random: () => number): (typeof APPS)[number] {
  let rest = random() * 20;
  for (const app of APPS) {
    rest -= app.weight;
    if (rest < 0) return app;
  }
  return APPS[0]!;
}
