/**
 * Promises to say what a Fly log record is: its schema, the reason why a payload is none, the day it belongs
 * to, and how its bytes become a line.
 *
 * @module
 */

import * as v from "valibot";
import { DAY_MS, type DayNumber, dayOf } from "../day.ts";
import type { LineScanner } from "./scanner.ts";

/** A record's own timestamp decides its day when it is at most this many milliseconds before its arrival. */
export const LATE_LIMIT_MS: number = 8 * DAY_MS;

/** A record's own timestamp decides its day when it is at most this many milliseconds after its arrival. */
export const EARLY_LIMIT_MS = 3_600_000;

/** The member that only envelopes have; a payload that has it is put into one. */
export const ENVELOPE_MEMBER = "flightlog";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

const optionalString = v.optional(v.string());

/** What is an object in JSON and has these members; valibot alone takes an array for an object too. */
function objectWith<Entries extends v.ObjectEntries>(entries: Entries) {
  return v.pipe(v.unknown(), v.check((value) => !Array.isArray(value)), v.looseObject(entries));
}

/** A Fly log record. Only the message has to be there, and unknown members stay. */
export interface FlyRecord {
  /** What was printed. */
  message: string;
  /** When, in RFC 3339; but any string, because a record with a strange one is still a record. */
  timestamp?: string;
  /** The host that the machine runs on. */
  host?: string;
  /** `level`: how grave it is. */
  log?: { level?: string; [member: string]: unknown };
  /** `app.name`, `app.instance` and `region`: where it was printed. */
  fly?: {
    app?: { name?: string; instance?: string; [member: string]: unknown };
    region?: string;
    [member: string]: unknown;
  };
  /** `provider`: what kind of thing printed it. */
  event?: { provider?: string; [member: string]: unknown };
  /** Whatever else there is. */
  [member: string]: unknown;
}

/** Accepts what is a {@linkcode FlyRecord}: what is known has its type, never null, and unknown members stay. */
const flyRecordSchema: v.GenericSchema<unknown, FlyRecord> = objectWith({
  message: v.string(),
  timestamp: optionalString,
  host: optionalString,
  log: v.optional(objectWith({ level: optionalString })),
  fly: v.optional(objectWith({
    app: v.optional(objectWith({ name: optionalString, instance: optionalString })),
    region: optionalString,
  })),
  event: v.optional(objectWith({ provider: optionalString })),
});

/** What {@linkcode parseFlyRecord} returns: a record, or why there is none. */
export type ParsedRecord = { record: FlyRecord; reason?: undefined } | { record?: undefined; reason: string };

/** A BOM stays, so that JSON.parse refuses it: RFC 8259 section 8.1 forbids it. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a record from a line or a payload. The reason why there is none is one of a few fixed phrases such as
 * `not JSON` or `fly.app.name is not a string`, and never contains anything of the bytes.
 */
export function parseFlyRecord(bytes: Uint8Array): ParsedRecord {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { reason: "not UTF-8" };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { reason: "not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { reason: "not an object" };
  const result = v.safeParse(flyRecordSchema, value, { abortEarly: true });
  return result.success ? { record: result.output } : { reason: describe(result.issues[0]) };
}

/** Turns an issue into a reason. Its path names members of the schema only. */
function describe(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  if (issue.received === "undefined") return `${path} is missing`;
  return issue.expected === "string" ? `${path} is not a string` : `${path} is not an object`;
}

/**
 * Reads a payload that is to become a line. Returns null when `scanner` recognises it, as it does nearly every line of
 * Fly's: then it is a record, and the scanner knows where its fields are. Any other payload is parsed, once, into the
 * record that it is, or the reason why it may not become a line as it is. Besides what {@linkcode parseFlyRecord} refuses,
 * this is a payload that looks like an envelope: only what the recorder itself has put into one may claim to be one.
 *
 * @example A line that the scanner recognises, one that it leaves to the parser, and one that is no record.
 * ```ts
 * import assert from "node:assert/strict";
 * import { readPayload } from "./fly_log.ts";
 * import { LineScanner } from "./scanner.ts";
 *
 * const scanner = new LineScanner();
 * const read = (payload: string) => readPayload(new TextEncoder().encode(payload), scanner);
 * assert.equal(read('{"message":"hello"}'), null);
 * assert.deepEqual(read('{"m\\u0065ssage":"hello"}'), { record: { message: "hello" } });
 * assert.deepEqual(read("hello"), { reason: "not JSON" });
 * ```
 */
export function readPayload(payload: Uint8Array, scanner: LineScanner): ParsedRecord | null {
  if (scanner.scan(payload, 0, payload.length) && !scanner.hasEnvelope) return null;
  const parsed = parseFlyRecord(payload);
  const isForged = parsed.record !== undefined && Object.hasOwn(parsed.record, ENVELOPE_MEMBER);
  return isForged ? { reason: `${ENVELOPE_MEMBER} is reserved` } : parsed;
}

/**
 * The day that a record belongs to: that of its own timestamp, in seconds since 1970 in UTC, if this is within
 * {@linkcode LATE_LIMIT_MS} and {@linkcode EARLY_LIMIT_MS} of its arrival; else, or when it is null, the day
 * of arrival, in milliseconds since 1970.
 */
export function dayOfLine(timestampSeconds: number | null, arrivalMs: number): DayNumber {
  if (timestampSeconds === null) return dayOf(arrivalMs);
  const ownMs = timestampSeconds * 1000;
  const near = ownMs >= arrivalMs - LATE_LIMIT_MS && ownMs <= arrivalMs + EARLY_LIMIT_MS;
  return dayOf(near ? ownMs : arrivalMs);
}

/**
 * Copies a record's bytes to `target` at `at`, with a line feed after them, and returns the position after
 * that: `payload.length + 1` bytes further. Line feeds and carriage returns become spaces. In a record they
 * can only stand between tokens, so nothing but white space changes; pass only what {@linkcode readPayload}
 * does not refuse. `hasNewline` false says that there are none to look for.
 *
 * @throws {RangeError} If `target` is too short.
 */
export function copyAsLine(payload: Uint8Array, target: Uint8Array, at: number, hasNewline = true): number {
  const end = at + payload.length;
  if (end >= target.length) {
    throw new RangeError(`Cannot copy ${payload.length} bytes to ${at}: target has ${target.length}`);
  }
  target.set(payload, at);
  if (hasNewline) {
    for (let i = at; i < end; i++) {
      if (target[i] === LINE_FEED || target[i] === CARRIAGE_RETURN) target[i] = SPACE;
    }
  }
  target[end] = LINE_FEED;
  return end + 1;
}
