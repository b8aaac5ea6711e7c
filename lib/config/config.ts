/**
 * Promises that the environment is read once, and that every fault of it is named at once: whoever starts the
 * program mends it in one go. Names and defaults are those of fly-log-shipper where it has them, so that its
 * secrets work here unchanged.
 *
 * @module
 */

import { type Environment, readEnvironment, readHost, show } from "./environment.ts";
import { type Credentials, parseServerUrl, type ServerUrl } from "../source/nats/server_url.ts";

/** Where Fly's APIs are, and with what they are asked. */
export interface FlyAccess {
  /** The slug of the organisation. */
  org: string;
  /** The token, without the word before it. Secret. */
  token: string;
  /** Where the logs API is, without a slash at the end. */
  logsUrl: string;
  /** Where the machines API is, likewise. */
  machinesUrl: string;
}

/** How the program was told to run. Fixed while it runs; times are milliseconds, sizes bytes. */
export interface Config {
  /** The NATS server. Its credentials are secret; `redacted` is safe to show. */
  server: ServerUrl;
  /** The subject to subscribe to; may have wildcards. */
  subject: string;
  /** The queue group; null to get every line, which is the rule. */
  queue: string | null;
  /** Where the archive lies. */
  logDir: string;
  /** Sealed days older than this many days are removed; null to keep them. */
  retentionDays: number | null;
  /** The oldest sealed days are removed while the volume is fuller than this; null to keep them. */
  maxDiskPercent: number | null;
  /** A write is synced to the disk at most this much later; 0 after every write. */
  syncIntervalMs: number;
  /** A past day is sealed this long after its midnight and its last line. */
  sealAfterMs: number;
  /** Lines that wait for the disk take at most this much memory. */
  bufferLimitBytes: number;
  /** How often a line of our own is sent through Fly and back; null for never. Only set on Fly. */
  canaryIntervalMs: number | null;
  /** A session without any line for this long is ended; null for never. */
  stallAfterMs: number | null;
  /** Globs of apps whose lines are dropped. */
  excludeApps: string[];
  /** Globs of the only apps whose lines are kept; empty for all. */
  includeApps: string[];
  /** Lines whose message contains one of these are dropped. */
  excludeText: string[];
  /** How lines that are missing are looked for in Fly's logs API; null for not at all. */
  healFromFly: FlyAccess | null;
  /** Who may ask the API; empty for everyone off Fly and for no one on Fly. Secret. */
  apiTokens: string[];
  /** The port of the API; 0 for any that is free. */
  port: number;
  /** The address that the API listens on. */
  hostname: string;
  /** The port of the metrics; 0 for any that is free, null for no metrics. */
  metricsPort: number | null;
  /** The API has at most this many connections open; null for as many as the open files allow. */
  maxConnections: number | null;
  /** Other recorders of the same organisation: the beginnings of their addresses, such as `http://flightlog.internal:8080`. */
  peers: string[];
  /** With what those are asked; null for nothing. Secret. */
  peerToken: string | null;
  /** The slug of the organisation whose stream is recorded; null if unknown, as behind `NATS_URL`. */
  org: string | null;
  /** Whether this is a Fly machine, which is where `FLY_MACHINE_ID` is set. */
  onFly: boolean;
  /** The Fly app this is, whose own lines are never recorded; null if unknown. */
  app: string | null;
  /** The Fly region this runs in; null if unknown. */
  region: string | null;
  /** The Fly machine this runs on; null if unknown. */
  machine: string | null;
  /** This machine's address in the organisation's private network; null if unknown. */
  privateAddress: string | null;
}

/** An environment that cannot be run with. `faults` holds one line for each thing that is wrong, no secrets. */
export class ConfigError extends Error {
  /** One line for each fault: the variable, what is wrong, what it should look like. */
  readonly faults: readonly string[];

  /** Takes the faults, of which there is at least one. */
  constructor(faults: readonly string[]) {
    super(`Cannot run with this environment:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/** Whether an address can be reached from this machine only. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** What is wrong with the variables by which Fly's logs API is asked. */
function healFaults(values: Readonly<Partial<Record<keyof Environment, string>>>): string[] {
  const { HEAL_FROM_FLY: text, ...others } = values;
  if (!asksFly({ ...others, HEAL_FROM_FLY: text === undefined ? undefined : text === "on" })) return [];
  const token = flyTokenOf(values);
  if (token === undefined) {
    // Without NATS_URL it is said already that a token is needed.
    return values.NATS_URL === undefined ? [] : [
      'HEAL_FROM_FLY: "on" needs ACCESS_TOKEN, the token with which Fly\'s logs API is asked; make it with ' +
      '"fly tokens create readonly ORG", and set ORG to the organisation\'s slug',
    ];
  }
  if (/^((FlyV1|Bearer)\s+)?[\x21-\x7e]+$/i.test(token)) return [];
  return [
    "ACCESS_TOKEN: the value has characters that no token of Fly has, so Fly's logs API cannot be asked with it; " +
    'make another with "fly tokens create readonly ORG", or set HEAL_FROM_FLY to "off"',
  ];
}

/** What is wrong with the variables taken together; looks at the texts, so that it can be told in any case. */
function jointFaults(values: Readonly<Partial<Record<keyof Environment, string>>>): string[] {
  const faults: string[] = [];
  const onFly = values.FLY_MACHINE_ID !== undefined;
  if (values.NATS_URL === undefined && flyTokenOf(values) === undefined) {
    const org = values.ORG ?? "personal";
    faults.push(
      `ACCESS_TOKEN: is not set, and Fly's log stream needs one; make it with "fly tokens create readonly ` +
        `${/^[\w-]+$/.test(org) ? org : "ORG"}", and set ORG to the organisation's slug; ` +
        "or set NATS_URL to another server",
    );
  }
  faults.push(...healFaults(values));
  const host = values.HOST === undefined ? null : readHost(values.HOST);
  if (!onFly && values.API_TOKEN === undefined && host !== null && !isLoopback(host)) {
    faults.push(
      `HOST: ${show(host)} can be reached from other machines, so API_TOKEN must be set; ` +
        "without a token only 127.0.0.1, ::1 or localhost",
    );
  }
  if (!onFly && !["0", "off", undefined].includes(values.CANARY_INTERVAL)) {
    faults.push("CANARY_INTERVAL: works on Fly only, which carries the line back; elsewhere use STALL_AFTER");
  }
  if (values.PEER_TOKEN !== undefined && values.PEERS === undefined) {
    faults.push("PEER_TOKEN: is set, and PEERS is not; name in PEERS whom to ask with it, or take it out");
  }
  for (const name of onFly ? ["FLY_APP_NAME", "FLY_REGION"] as const : []) {
    if (values[name] === undefined) {
      faults.push(`${name}: is not set, though FLY_MACHINE_ID is; Fly sets all three`);
    }
  }
  const port = values.PORT ?? "8080";
  if (port !== "0" && port === (values.METRICS_PORT ?? "9091")) {
    faults.push(`METRICS_PORT: ${show(port)} is the port of the API too; it should be another, or "off"`);
  }
  return faults;
}

/**
 * Reads the environment. Credentials in `NATS_URL` go before `ORG` and `ACCESS_TOKEN`.
 *
 * @throws {ConfigError} If anything is wrong, with all of it and without any secret.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const { texts, read, faults } = readEnvironment(env);
  faults.push(...jointFaults(texts));
  if (read === null || faults.length > 0) throw new ConfigError(faults);

  const onFly = read.FLY_MACHINE_ID !== undefined;
  return {
    server: serverOf(read),
    subject: read.SUBJECT,
    queue: read.QUEUE ?? null,
    logDir: read.LOG_DIR ?? (onFly ? "/data/logs" : "./logs"),
    retentionDays: read.RETENTION_DAYS.value,
    maxDiskPercent: read.MAX_DISK_PERCENT.value,
    syncIntervalMs: read.SYNC_INTERVAL,
    sealAfterMs: read.SEAL_AFTER,
    bufferLimitBytes: read.BUFFER_LIMIT,
    canaryIntervalMs: read.CANARY_INTERVAL ? read.CANARY_INTERVAL.value : onFly ? 60_000 : null,
    stallAfterMs: read.STALL_AFTER.value,
    excludeApps: read.EXCLUDE_APPS,
    includeApps: read.INCLUDE_APPS ?? [],
    excludeText: read.EXCLUDE_TEXT ?? [],
    healFromFly: flyAccessOf(read),
    apiTokens: read.API_TOKEN ?? [],
    port: read.PORT,
    hostname: read.HOST ?? (onFly ? "::" : "127.0.0.1"),
    metricsPort: read.METRICS_PORT.value,
    maxConnections: read.MAX_CONNECTIONS ?? null,
    peers: read.PEERS ?? [],
    peerToken: read.PEER_TOKEN ?? read.API_TOKEN?.[0] ?? null,
    org: read.NATS_URL === undefined ? read.ORG ?? "personal" : null,
    onFly,
    app: read.FLY_APP_NAME ?? null,
    region: read.FLY_REGION ?? null,
    machine: read.FLY_MACHINE_ID ?? null,
    privateAddress: read.FLY_PRIVATE_IP ?? null,
  };
}

function flyTokenOf({ ACCESS_TOKEN, FLY_AUTH_TOKEN }: { ACCESS_TOKEN?: string; FLY_AUTH_TOKEN?: string }) {
  return ACCESS_TOKEN ?? FLY_AUTH_TOKEN;
}

/**
 * Whether Fly is asked for lines that are missing. Without being told, only from a Fly machine that records Fly's stream, and
 * all of it: a member of a queue group would bring the lines of all members.
 */
function asksFly(
  read: { HEAL_FROM_FLY?: boolean; FLY_MACHINE_ID?: string; NATS_URL?: string; QUEUE?: string },
): boolean {
  const { HEAL_FROM_FLY, FLY_MACHINE_ID, NATS_URL, QUEUE } = read;
  return HEAL_FROM_FLY ?? (FLY_MACHINE_ID !== undefined && NATS_URL === undefined && QUEUE === undefined);
}

function flyAccessOf(read: Environment): FlyAccess | null {
  const token = flyTokenOf(read);
  if (!asksFly(read) || token === undefined) return null;
  const machinesUrl = read.FLY_MACHINE_ID === undefined
    ? "https://api.machines.dev"
    : "http://_api.internal:4280";
  return {
    org: read.ORG ?? "personal",
    token,
    logsUrl: read.FLY_API_URL,
    machinesUrl: read.FLY_MACHINES_API_URL ?? machinesUrl,
  };
}

function serverOf(read: Environment): ServerUrl {
  const password = flyTokenOf(read);
  const beside: Credentials | undefined = password === undefined && read.ORG === undefined
    ? undefined
    : { user: read.ORG ?? "personal", password: password ?? "" };
  return parseServerUrl(read.NATS_URL ?? `nats://[${read.NETWORK}::3]:4223`, beside);
}
