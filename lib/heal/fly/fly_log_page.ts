/**
 * Promises the rows of a page of Fly's logs API, with every number as it was written.
 *
 * The API's answer is a JSON:API document (fly-go resource_logs.go; Fly's documentation, logs-api-options). Its `next_token` is
 * a Unix time in nanoseconds, which fly-go takes for a string and others have seen as a number. Such a number is above 2^53:
 * JavaScript would round 1795341600123456789 to 1795341600123456800, and the next page would begin 11 ns late.
 *
 * @module
 */

import * as v from "valibot";
import type { Decimals } from "../../line/identity.ts";
import { parseTimestamp } from "../../timestamp.ts";
import { FlyApiError } from "./fly_api_error.ts";

/** One row: what Fly's store knows of a line. */
export interface FlyLogRow {
  /** The row's own name. Whether it is the same each time is not known. */
  id: string;
  /** RFC 3339, as the API wrote it. */
  timestamp: string;
  /** The moment that `timestamp` says, in Unix nanoseconds. */
  atNs: bigint;
  /** With how many decimals: 3 for up to three, 6 for up to six, else 9. */
  decimals: Decimals;
  /** What was printed. */
  message: string;
  /** How grave it is; null if not known. */
  level: string | null;
  /** The machine's id; null if not known. */
  instance: string | null;
  /** The region's code; null if not known. */
  region: string | null;
  /** What kind of thing printed it; null if not known. */
  provider: string | null;
  /** The members `error`, `http` and `url` of `meta`, if there is something in them. */
  more: Record<string, unknown>;
}

/** One page. */
export interface FlyLogPage {
  /** In the order of the page. */
  rows: FlyLogRow[];
  /** How many rows could not be read. */
  unreadable: number;
  /** With what the next page is asked for, in Unix nanoseconds; null if the page does not say. */
  nextToken: bigint | null;
}

/** Members whose numbers are kept as they are written. */
const EXACT_MEMBERS: ReadonlySet<string> = new Set(["next_token", "id"]);

/** Members of `meta` that a record keeps. What else is in it, a record has elsewhere. */
const KEPT_MEMBERS = ["error", "http", "url"];

/** So many levels of these members are kept. `http.response.status_code` has three. */
const KEPT_LEVELS = 8;

const textOrNull = v.optional(v.nullable(v.string()), null);

const rowSchema = v.object({
  id: v.optional(v.nullable(v.string()), ""),
  attributes: v.object({
    timestamp: v.string(),
    message: v.string(),
    level: textOrNull,
    instance: textOrNull,
    region: textOrNull,
    meta: v.optional(
      v.nullable(v.looseObject({
        instance: textOrNull,
        region: textOrNull,
        event: v.optional(v.nullable(v.object({ provider: textOrNull })), null),
      })),
      null,
    ),
  }),
});

const pageSchema = v.object({
  data: v.array(v.unknown()),
  meta: v.optional(v.nullable(v.object({ next_token: textOrNull })), null),
});

/**
 * Reads a page from the text of an answer. A row that cannot be read is counted and left out, since all others are worth having.
 *
 * @throws {FlyApiError} If the text is no page.
 */
export function parseFlyLogPage(text: string): FlyLogPage {
  const result = v.safeParse(pageSchema, parseExactly(text));
  if (!result.success) {
    throw new FlyApiError(
      "answer",
      "Cannot read logs from Fly: the answer is no page of logs; check the API's URL",
    );
  }
  const { data, meta } = result.output;
  const rows = data.map(readRow).filter((row) => row !== null);
  return { rows, unreadable: data.length - rows.length, nextToken: readToken(meta?.next_token ?? null) };
}

/** Parses JSON with the numbers of some members as the text that they are; undefined if it is none. */
function parseExactly(text: string): unknown {
  // The third parameter is of the proposal "JSON.parse source text access"; TypeScript's library does not know it yet.
  const keepExact = (name: string, value: unknown, context?: { source?: string }) => {
    return typeof value === "number" && EXACT_MEMBERS.has(name) ? context?.source : value;
  };
  try {
    return JSON.parse(text, keepExact);
  } catch {
    return undefined;
  }
}

function readToken(text: string | null): bigint | null {
  // Twenty digits are the year 5138; more are no time, and would make the arithmetic slow.
  return text !== null && /^\d{1,20}$/.test(text) ? BigInt(text) : null;
}

function readRow(value: unknown): FlyLogRow | null {
  const result = v.safeParse(rowSchema, value);
  if (!result.success) return null;
  const { id, attributes } = result.output;
  const { timestamp, message, level, meta } = attributes;
  const moment = parseTimestamp(timestamp);
  if (moment === null) return null;
  return {
    id: id ?? "",
    timestamp,
    atNs: BigInt(moment.seconds) * 1_000_000_000n + BigInt(moment.nanoseconds),
    decimals: decimalsOf(timestamp),
    message,
    level: level || null,
    instance: attributes.instance || meta?.instance || null,
    region: attributes.region || meta?.region || null,
    provider: meta?.event?.provider || null,
    more: meta === null ? {} : keptMembers(meta),
  };
}

function decimalsOf(timestamp: string): Decimals {
  const digits = /\.(\d+)/.exec(timestamp)?.[1]?.length ?? 0;
  if (digits <= 3) return 3;
  return digits <= 6 ? 6 : 9;
}

function keptMembers(meta: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const name of KEPT_MEMBERS) {
    const value = withoutNulls(meta[name]);
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** The value without members that are null, have nothing in them or are too deep; undefined if nothing is left. */
function withoutNulls(value: unknown, levels: number = KEPT_LEVELS): unknown {
  if (value === null || value === undefined || levels === 0) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) return value;
  const members = Object.entries(value)
    .map(([name, member]) => [name, withoutNulls(member, levels - 1)])
    .filter(([, member]) => member !== undefined);
  return members.length === 0 ? undefined : Object.fromEntries(members);
}
