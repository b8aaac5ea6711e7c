/**
 * Promises to keep what is no record: an envelope is one line, itself a record, from which the payload comes
 * back byte for byte.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import * as v from "valibot";
import { ENVELOPE_MEMBER, type FlyRecord, parseFlyRecord } from "./fly_log.ts";
import { formatTimestamp, timestampFromMs } from "../timestamp.ts";

/**
 * At most this many bytes of a payload are shown as the message of its envelope. The whole payload is beside
 * it in base64, so this is for reading only.
 */
export const ENVELOPE_TEXT_BYTES = 16_384;

/** So much of a payload is encoded at a time, in bytes: three become four characters, so none are left over in between. */
const BASE64_PIECE_BYTES = 3 * 8192;

/** What the subject of a message says about its origin. What it does not say is not there. */
export interface SubjectParts {
  /** The app's name. */
  app?: string;
  /** The region's code. */
  region?: string;
  /** The machine's id. */
  instance?: string;
}

/**
 * Reads a subject of the form `logs.<app>.<region>.<instance>`. Any string will do: parts that are empty or
 * missing are left out, what stands after the third dot is the instance, and a subject that does not begin
 * with `logs.` says nothing. The parts are well-formed Unicode and otherwise unchecked.
 */
export function subjectParts(subject: string): SubjectParts {
  const [prefix, app, region, ...rest] = subject.toWellFormed().split(".");
  if (prefix !== "logs") return {};
  const instance = rest.join(".");
  const parts: SubjectParts = {};
  if (app) parts.app = app;
  if (region) parts.region = region;
  if (instance) parts.instance = instance;
  return parts;
}

/** What {@linkcode createEnvelope} puts into a line. */
export interface EnvelopeContent {
  /** The bytes that are no record. */
  payload: Uint8Array;
  /** The subject they came with. */
  subject: string;
  /** When they came, in milliseconds since 1970-01-01T00:00:00Z. */
  receivedMs: number;
  /** Why they are no record, one of the reasons of `readPayload` in fly_log.ts. */
  reason: string;
}

/** Decodes what it can; what it cannot becomes U+FFFD. */
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Makes the line, without a line feed, that stands for a payload that is no record. Its timestamp is the time
 * of arrival, its message the beginning of the payload as far as that is text.
 *
 * @throws {RangeError} If `receivedMs` is outside the years 0001 to 9999.
 */
export function createEnvelope(content: EnvelopeContent): Uint8Array<ArrayBuffer> {
  const { payload, subject, receivedMs, reason } = content;
  const { app: name, region, instance } = subjectParts(subject);
  const empty = encoder.encode(JSON.stringify({
    timestamp: formatTimestamp(timestampFromMs(receivedMs)),
    message: lenientDecoder.decode(payload.subarray(0, textEnd(payload))),
    log: { level: "unknown" },
    fly: { app: { name, instance }, region },
    [ENVELOPE_MEMBER]: { rejected: reason, subject: subject.toWellFormed(), payload: "" },
  }));
  return insertBase64(empty, empty.length - '"}}'.length, payload);
}

/** `line` with `payload` in base64 at `at`, piece by piece: the text of a megabyte would stay in memory for a while. */
function insertBase64(line: Uint8Array, at: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(line.length + Math.ceil(payload.length / 3) * 4);
  bytes.set(line.subarray(0, at));
  let end = at;
  for (let start = 0; start < payload.length; start += BASE64_PIECE_BYTES) {
    const length = Math.min(BASE64_PIECE_BYTES, payload.length - start);
    const text = Buffer.from(payload.buffer, payload.byteOffset + start, length).toString("base64");
    end += encoder.encodeInto(text, bytes.subarray(end)).written;
  }
  bytes.set(line.subarray(at), end);
  return bytes;
}

/** Where the text of an envelope ends: at the limit, or before the character that the limit would cut. */
function textEnd(payload: Uint8Array): number {
  if (payload.length <= ENVELOPE_TEXT_BYTES) return payload.length;
  for (let end = ENVELOPE_TEXT_BYTES; end > ENVELOPE_TEXT_BYTES - 4; end--) {
    const continues = (payload[end]! & 0xc0) === 0x80;
    if (!continues) return end;
  }
  return ENVELOPE_TEXT_BYTES;
}

const envelopeSchema = v.object({
  rejected: v.string(),
  subject: v.string(),
  payload: v.pipe(v.string(), v.check((text) => Buffer.from(text, "base64").toString("base64") === text)),
});

/** What an envelope says of the message that it stands for. */
export interface EnvelopeMember {
  /** Why that is no record. */
  rejected: string;
  /** The subject it came with. */
  subject: string;
  /** Its bytes, in base64. */
  payload: string;
}

/** Returns what an envelope says; null if `record` is none. */
export function readEnvelope(record: FlyRecord): EnvelopeMember | null {
  const result = v.safeParse(envelopeSchema, record[ENVELOPE_MEMBER]);
  return result.success ? result.output : null;
}

/** Returns the payload that a line stands for; null if the line is no envelope. */
export function recoverPayload(line: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const { record } = parseFlyRecord(line);
  const envelope = record === undefined ? null : readEnvelope(record);
  return envelope && Uint8Array.from(Buffer.from(envelope.payload, "base64"));
}
