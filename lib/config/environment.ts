/**
 * Promises to know each variable of the environment: how its text is read, and what it should look like where
 * it cannot be. What the variables mean together is lib/config/config.ts's.
 *
 * @module
 */

import * as v from "valibot";
import { parseDuration } from "../duration.ts";
import { parseServerUrl } from "../source/nats/server_url.ts";

/** At most this many entries stand in a comma-separated list: each is compared with every line. */
export const LIST_LIMIT = 256;

/** At most so many other recorders are named: a gap is looked for in each, one after another. */
export const PEERS_LIMIT = 16;

/** A value that is shown in a fault is cut off after this many characters. */
const SHOWN_LIMIT = 60;

const KIB = 1024;
const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  kB: 1000,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: KIB,
  MiB: KIB ** 2,
  GiB: KIB ** 3,
};

/** The variables as read; those without a default may be missing. Durations are milliseconds, sizes bytes. */
export type Environment = {
  ORG?: string;
  ACCESS_TOKEN?: string;
  FLY_AUTH_TOKEN?: string;
  SUBJECT: string;
  QUEUE?: string;
  NETWORK: string;
  NATS_URL?: string;
  LOG_DIR?: string;
  RETENTION_DAYS: Switch;
  MAX_DISK_PERCENT: Switch;
  SYNC_INTERVAL: number;
  SEAL_AFTER: number;
  BUFFER_LIMIT: number;
  CANARY_INTERVAL?: Switch;
  STALL_AFTER: Switch;
  EXCLUDE_APPS: string[];
  INCLUDE_APPS?: string[];
  EXCLUDE_TEXT?: string[];
  HEAL_FROM_FLY?: boolean;
  FLY_API_URL: string;
  FLY_MACHINES_API_URL?: string;
  API_TOKEN?: string[];
  PORT: number;
  HOST?: string;
  METRICS_PORT: Switch;
  MAX_CONNECTIONS?: number;
  PEERS?: string[];
  PEER_TOKEN?: string;
  FLY_APP_NAME?: string;
  FLY_REGION?: string;
  FLY_MACHINE_ID?: string;
  FLY_PRIVATE_IP?: string;
};

/** A number, or null where `off` is written: a null of its own would mean that the text cannot be read. */
export interface Switch {
  /** The number; null for off. */
  value: number | null;
}

/** Makes a schema of a reader that returns null for a text that it cannot read. */
function readBy<T>(read: (text: string) => T | null, shape: string, secret = false) {
  return v.pipe(
    v.string(),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = read(dataset.value);
      if (value !== null) return value;
      addIssue({ message: `${secret ? "the value" : show(dataset.value)} is not ${shape}` });
      return NEVER;
    }),
  );
}

/** A value as faults show it: quoted, and cut off where it is long. */
export function show(text: string): string {
  return JSON.stringify(text.length > SHOWN_LIMIT ? `${text.slice(0, SHOWN_LIMIT)}…` : text);
}

function orOff(text: string, offWords: readonly string[], read: () => number | null): Switch | null {
  if (offWords.includes(text)) return { value: null };
  const value = read();
  return value === null ? null : { value };
}

function within(value: number | null, min: number, max: number): number | null {
  return value !== null && value >= min && value <= max ? value : null;
}

function readWhole(text: string, min: number, max: number): number | null {
  return /^\d{1,15}$/.test(text) ? within(Number(text), min, max) : null;
}

function readSize(text: string): number | null {
  const match = /^(\d{1,15})([kKMG]?i?B?)$/.exec(text);
  const unit = match ? SIZE_UNITS[match[2]!] : undefined;
  return match && unit ? Number(match[1]) * unit : null;
}

function readList(text: string): string[] | null {
  const entries = text.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
  return entries.length > 0 && entries.length <= LIST_LIMIT ? entries : null;
}

/** Only what an Authorization header can carry, and no comma, which parts the tokens. */
function readApiTokens(text: string): string[] | null {
  const tokens = readList(text);
  return tokens?.every((token) => /^[\x21-\x7e]+$/.test(token)) ? tokens : null;
}

/**
 * Addresses of other recorders without what stands behind the port, as `http://flightlog.internal:8080`: their routes are at
 * the root, and a token has its own variable.
 */
function readPeers(text: string): string[] | null {
  const entries = readList(text);
  if (entries === null || entries.length > PEERS_LIMIT) return null;
  const peers: string[] = [];
  for (const entry of entries) {
    const url = URL.parse(entry);
    if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return null;
    if (url.href !== `${url.origin}/`) return null;
    if (!peers.includes(url.origin)) peers.push(url.origin);
  }
  return peers;
}

/** A subject as the NATS protocol has it: tokens parted by dots, `*` for one of them, `>` for the rest. */
function readSubject(text: string): string | null {
  // deno-lint-ignore no-control-regex -- they are what must not be there
  if (/[\s\x00-\x1f\x7f]/.test(text)) return null;
  const tokens = text.split(".");
  const whole = tokens.every((token, place) =>
    token !== "" && (token !== ">" || place === tokens.length - 1)
  );
  return whole ? text : null;
}

/** Reads an address or a name to listen on, without the brackets of an IPv6 address; null for anything else. */
export function readHost(text: string): string | null {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  return /^[0-9A-Za-z.:%_-]+$/.test(host) ? host : null;
}

function readOnOff(text: string): boolean | null {
  if (text === "on") return true;
  return text === "off" ? false : null;
}

/** Reads the URL of an API, to which paths are added: without a slash at its end. */
function readApiUrl(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return null;
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

const duration = (min: string, max: string) =>
  readBy(
    (text) => within(parseDuration(text), parseDuration(min)!, parseDuration(max)!),
    `a duration between ${min} and ${max}, such as 500ms, 1s, 2m, 1h or 1d`,
  );
const durationOrOff = (min: string, max: string) =>
  readBy(
    (text) =>
      orOff(text, ["0", "off"], () => within(parseDuration(text), parseDuration(min)!, parseDuration(max)!)),
    `"off" or a duration between ${min} and ${max}, such as 500ms, 1s, 2m, 1h or 1d`,
  );
const wholeOrOff = (max: number) =>
  readBy(
    (text) => orOff(text, ["0", "off"], () => readWhole(text, 1, max)),
    `a whole number from 1 to ${max}, or 0 for off`,
  );
const list = (shape: string) => readBy(readList, `${shape}, parted by commas, at most ${LIST_LIMIT}`);
/** What is wrong may have credentials in it, so it is not shown. */
const apiUrl = (example: string) =>
  readBy(
    readApiUrl,
    `an http or https URL of nothing but a host, a port and a path, such as ${example}`,
    true,
  );
const secret = v.pipe(v.string(), v.transform((text) => text.replace(/^(FlyV1|Bearer)\s+/i, "")));

const schema = v.object({
  ORG: v.optional(v.string()),
  ACCESS_TOKEN: v.optional(secret),
  FLY_AUTH_TOKEN: v.optional(secret),
  SUBJECT: v.optional(
    readBy(
      readSubject,
      'a NATS subject, such as logs.> or logs.*.fra.>: no spaces, no empty parts, ">" last',
    ),
    "logs.>",
  ),
  QUEUE: v.optional(readBy((text) => /\s/.test(text) ? null : text, "a queue group, a name without spaces")),
  NETWORK: v.optional(
    readBy(
      (text) => /^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){0,5}$/i.test(text) ? text : null,
      "the first part of an IPv6 address, such as fdaa",
    ),
    "fdaa",
  ),
  NATS_URL: v.optional(v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      try {
        parseServerUrl(dataset.value);
      } catch (error) {
        addIssue({ message: (error as TypeError).message });
      }
    }),
  )),
  LOG_DIR: v.optional(v.string()),
  RETENTION_DAYS: v.optional(wholeOrOff(36_500), "30"),
  MAX_DISK_PERCENT: v.optional(wholeOrOff(99), "85"),
  SYNC_INTERVAL: v.optional(duration("0", "1m"), "1s"),
  SEAL_AFTER: v.optional(duration("0", "8d"), "1h"),
  BUFFER_LIMIT: v.optional(
    readBy(
      (text) => within(readSize(text), 64 * KIB, 4 * KIB ** 3),
      "a size between 64KiB and 4GiB, such as 32MiB, 10MB or 1048576",
    ),
    "32MiB",
  ),
  CANARY_INTERVAL: v.optional(durationOrOff("10ms", "1h")),
  STALL_AFTER: v.optional(durationOrOff("10ms", "30d"), "off"),
  EXCLUDE_APPS: v.optional(
    readBy(
      (text) => text === "off" ? [] : readList(text),
      `"off", or app names or globs parted by commas, at most ${LIST_LIMIT}`,
    ),
    "fly-builder-*",
  ),
  INCLUDE_APPS: v.optional(list("app names or globs")),
  EXCLUDE_TEXT: v.optional(list("pieces of text")),
  HEAL_FROM_FLY: v.optional(readBy(readOnOff, '"on" or "off"')),
  FLY_API_URL: v.optional(apiUrl("https://api.fly.io"), "https://api.fly.io"),
  FLY_MACHINES_API_URL: v.optional(apiUrl("https://api.machines.dev or http://_api.internal:4280")),
  API_TOKEN: v.optional(readBy(
    readApiTokens,
    `one token or several parted by commas, at most ${LIST_LIMIT}, each of visible ASCII characters`,
    true,
  )),
  PORT: v.optional(readBy((text) => readWhole(text, 0, 65_535), "a port from 0 to 65535, 0 for any"), "8080"),
  HOST: v.optional(readBy(readHost, "an address or a name to listen on, such as 127.0.0.1 or ::")),
  METRICS_PORT: v.optional(
    readBy(
      (text) => orOff(text, ["off"], () => readWhole(text, 0, 65_535)),
      '"off" or a port from 0 to 65535, 0 for any',
    ),
    "9091",
  ),
  MAX_CONNECTIONS: v.optional(
    readBy((text) => readWhole(text, 1, 100_000), "a whole number from 1 to 100000"),
  ),
  PEERS: v.optional(readBy(
    readPeers,
    `addresses of other recorders parted by commas, at most ${PEERS_LIMIT}, each http or https and no more than a host and ` +
      "a port, such as http://flightlog.internal:8080; a token belongs in PEER_TOKEN",
    true,
  )),
  PEER_TOKEN: v.optional(readBy(
    (text) => /^[\x21-\x7e]+$/.test(text) ? text : null,
    "one token of visible ASCII characters, one of those in API_TOKEN of the recorders in PEERS",
    true,
  )),
  FLY_APP_NAME: v.optional(v.string()),
  FLY_REGION: v.optional(v.string()),
  FLY_MACHINE_ID: v.optional(v.string()),
  FLY_PRIVATE_IP: v.optional(v.string()),
});

/** Every variable that is read; nothing else of the environment is. */
export const VARIABLE_NAMES: readonly string[] = Object.keys(schema.entries);

/**
 * Reads the variables and names each that cannot be read, in `faults`, without any secret. An empty variable
 * is as good as none, and white space around a value is taken off. `texts` are the variables before reading,
 * `read` is null if there are faults.
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): {
  texts: Readonly<Partial<Record<keyof Environment, string>>>;
  read: Environment | null;
  faults: string[];
} {
  const texts: Partial<Record<keyof Environment, string>> = {};
  for (const name of Object.keys(schema.entries) as (keyof Environment)[]) {
    const text = env[name]?.trim();
    if (text) texts[name] = text;
  }
  const result = v.safeParse(schema, texts);
  const faults = (result.issues ?? []).map((issue) => `${v.getDotPath(issue)}: ${issue.message}`);
  return { texts, read: result.success ? result.output : null, faults };
}
