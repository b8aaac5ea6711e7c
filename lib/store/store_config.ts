/**
 * Promises to know each variable of the environment that says where the second copy goes, and to name every fault of them at once, without any
 * secret. The first five are those that `fly storage create` sets.
 *
 * @module
 */

import { show } from "../config/environment.ts";
import { parseDuration } from "../duration.ts";
import { type Addressing, isBucketName, isEndpoint } from "./bucket_address.ts";

/** Where the second copy goes. Fixed while the program runs. */
export interface StoreConfig {
  /** The server of the bucket. */
  endpoint: string;
  /** The bucket's name. */
  bucket: string;
  /** With what it is asked. */
  accessKeyId: string;
  /** Belongs to {@linkcode accessKeyId}. Secret. */
  secretAccessKey: string;
  /** The region that is signed for. */
  region: string;
  /** Where the bucket's name stands in addresses; null to go by the server. */
  addressing: Addressing | null;
  /** How often what is new today goes there, in milliseconds. */
  intervalMs: number;
  /** Days older than this many days are removed there; null to keep them for ever. */
  retentionDays: number | null;
  /** Days older than this many days are kept there only; null to keep all on the volume too. */
  localDays: number | null;
}

/** A variable: what it is read as, and what it should look like where it cannot be. */
interface Variable<Value> {
  read(text: string): Value | null;
  shape: string;
  /** Whether its value is not shown: it is a secret, or may have one in it. */
  isSecret?: boolean;
}

/** A number, or null where the variable says that there is no limit: a null of its own would mean that the text cannot be read. */
interface Limit {
  value: number | null;
}

const SHORTEST_INTERVAL = "1s";
const LONGEST_INTERVAL = "1h";
const DAYS_LIMIT = 36_500;

/** What each variable is read as. */
interface Variables {
  BUCKET_NAME: Variable<string>;
  AWS_ENDPOINT_URL_S3: Variable<string>;
  AWS_ACCESS_KEY_ID: Variable<string>;
  AWS_SECRET_ACCESS_KEY: Variable<string>;
  AWS_REGION: Variable<string>;
  BUCKET_ADDRESSING: Variable<Addressing>;
  STORE_INTERVAL: Variable<number>;
  STORE_RETENTION_DAYS: Variable<Limit>;
  LOCAL_DAYS: Variable<Limit>;
}

const VARIABLES: Variables = {
  BUCKET_NAME: {
    read: (text) => isBucketName(text) ? text : null,
    shape: "the name of a bucket: 3 to 63 lower-case letters, digits, hyphens and dots",
  },
  AWS_ENDPOINT_URL_S3: {
    read: (text) => isEndpoint(text) ? new URL(text).origin : null,
    shape: "an http or https URL of nothing but a host and a port, such as https://fly.storage.tigris.dev",
    isSecret: true,
  },
  AWS_ACCESS_KEY_ID: { read: readKey, shape: "a key: visible ASCII characters", isSecret: true },
  AWS_SECRET_ACCESS_KEY: {
    read: readKey,
    shape: "a key: visible ASCII characters",
    isSecret: true,
  },
  AWS_REGION: {
    read: (text) => /^[a-z0-9-]{1,64}$/.test(text) ? text : null,
    shape: "a region, such as auto or eu-central-1",
  },
  BUCKET_ADDRESSING: {
    read: (text) => text === "path" || text === "host" ? text : null,
    shape: '"path" or "host", where the bucket\'s name stands in addresses',
  },
  STORE_INTERVAL: {
    read: readInterval,
    shape: `a duration between ${SHORTEST_INTERVAL} and ${LONGEST_INTERVAL}, such as 60s or 5m`,
  },
  STORE_RETENTION_DAYS: {
    read: (text) => readDays(text, "0"),
    shape: `a whole number from 1 to ${DAYS_LIMIT}, or 0 for ever`,
  },
  LOCAL_DAYS: {
    read: (text) => readDays(text, "all"),
    shape: `"all" or a whole number from 1 to ${DAYS_LIMIT}`,
  },
};

type Name = keyof Variables;

/** What a bucket cannot be asked without. */
const NEEDED = [
  "BUCKET_NAME",
  "AWS_ENDPOINT_URL_S3",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_REGION",
] as const;

/** What says nothing without a bucket. */
const DEPENDENT = ["BUCKET_ADDRESSING", "STORE_INTERVAL", "STORE_RETENTION_DAYS", "LOCAL_DAYS"] as const;

/** Every variable that is read here. */
export const STORE_VARIABLE_NAMES: readonly string[] = Object.keys(VARIABLES);

/**
 * Reads the variables. `store` is null where no bucket is named, and where there are faults, of which each is a line: the variable, what is
 * wrong, what to do. An empty variable is as good as none, and white space around a value is taken off.
 *
 * A bucket is named by `BUCKET_NAME` or `AWS_ENDPOINT_URL_S3`, and then all five are needed. Keys or a region alone name none: many a machine
 * has these for other programs.
 */
export function readStoreConfig(
  env: Readonly<Record<string, string | undefined>>,
): { store: StoreConfig | null; faults: string[] } {
  const texts: Partial<Record<Name, string>> = {};
  for (const name of Object.keys(VARIABLES) as Name[]) {
    const text = env[name]?.trim();
    if (text) texts[name] = text;
  }
  const isNamed = texts.BUCKET_NAME !== undefined || texts.AWS_ENDPOINT_URL_S3 !== undefined;
  const faults = isNamed ? missingFaults(texts) : dependentFaults(texts);
  if (!isNamed) return { store: null, faults };

  /** What a variable is read as; `missing` stands for one that is not set or cannot be read. */
  function read<Value>(
    name: Name,
    { read, shape, isSecret = false }: Variable<Value>,
    missing: Value,
  ): Value {
    const text = texts[name];
    if (text === undefined) return missing;
    const value = read(text);
    if (value === null) faults.push(`${name}: ${isSecret ? "the value" : show(text)} is not ${shape}`);
    return value ?? missing;
  }

  const store: StoreConfig = {
    bucket: read("BUCKET_NAME", VARIABLES.BUCKET_NAME, ""),
    endpoint: read("AWS_ENDPOINT_URL_S3", VARIABLES.AWS_ENDPOINT_URL_S3, ""),
    accessKeyId: read("AWS_ACCESS_KEY_ID", VARIABLES.AWS_ACCESS_KEY_ID, ""),
    secretAccessKey: read("AWS_SECRET_ACCESS_KEY", VARIABLES.AWS_SECRET_ACCESS_KEY, ""),
    region: read("AWS_REGION", VARIABLES.AWS_REGION, ""),
    addressing: read<Addressing | null>("BUCKET_ADDRESSING", VARIABLES.BUCKET_ADDRESSING, null),
    intervalMs: read("STORE_INTERVAL", VARIABLES.STORE_INTERVAL, 60_000),
    retentionDays: read("STORE_RETENTION_DAYS", VARIABLES.STORE_RETENTION_DAYS, { value: 365 }).value,
    localDays: read("LOCAL_DAYS", VARIABLES.LOCAL_DAYS, { value: null }).value,
  };
  return { store: faults.length === 0 ? store : null, faults };
}

function missingFaults(texts: Readonly<Partial<Record<Name, string>>>): string[] {
  const set = NEEDED.find((name) => texts[name] !== undefined);
  return NEEDED.filter((name) => texts[name] === undefined).map((name) =>
    `${name}: is not set, though ${set} is; "fly storage create" sets ${
      NEEDED.slice(0, -1).join(", ")
    } and ` +
    `${NEEDED.at(-1)}, all of which a bucket needs`
  );
}

function dependentFaults(texts: Readonly<Partial<Record<Name, string>>>): string[] {
  return DEPENDENT.filter((name) => texts[name] !== undefined).map((name) =>
    `${name}: is set, and BUCKET_NAME is not; name the bucket that it is about, or take it out`
  );
}

function readKey(text: string): string | null {
  return /^[\x21-\x7e]+$/.test(text) ? text : null;
}

function readInterval(text: string): number | null {
  const intervalMs = parseDuration(text);
  if (intervalMs === null) return null;
  const [shortestMs, longestMs] = [parseDuration(SHORTEST_INTERVAL)!, parseDuration(LONGEST_INTERVAL)!];
  return intervalMs >= shortestMs && intervalMs <= longestMs ? intervalMs : null;
}

function readDays(text: string, unlimited: string): Limit | null {
  if (text === unlimited) return { value: null };
  const days = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  return days >= 1 && days <= DAYS_LIMIT ? { value: days } : null;
}
