/**
 * Promises that the same line has the same identity whichever way it came: from the stream, from another recorder, from
 * Fly's logs API. So "do I have this one?" is a comparison of two short strings.
 *
 * An identity is made of four things: the app, the instance, the moment of the timestamp, and the decoded message. It does
 * not see the host, which not every source knows, nor anything about the bytes: escapes, white space, the order of members,
 * and the form of the timestamp (`10:00:00Z` and `11:00:00+01:00` are one moment) may differ.
 *
 * **Precision.** The stream's timestamps have nine decimals; a source may have six or three. An identity is therefore made
 * at a stated number of decimals, and what is finer is cut off, on both sides of a comparison. Example: the stream has a line
 * at `10:00:00.123456789Z`, a source with three decimals calls it `10:00:00.123Z`. At nine decimals these are two lines; at
 * three, both are at 10:00:00.123 and are one. Identities at different precisions are never equal, so a comparison that mixes
 * them finds nothing instead of something wrong. The same goes for a source that does not know the instance.
 *
 * A coarser identity takes more lines for repeats of one another. Nothing is lost by that as long as repeats are counted
 * (see multiset.ts): of 3 lines that they have and 2 that we have, 1 is missing, at any precision.
 *
 * **The hash** is SHA-256, cut to 128 bits, of node:crypto. It must be the same in every recorder and every version, so a
 * standard one; nobody who chooses what an app prints may be able to make two lines equal, so MD5 is out; and of those that
 * node:crypto has, it is the fastest here, since processors have instructions for it. Measured on lines of 260 bytes, hashing
 * included: 375,000 lines a second on one core, so 13 s for a day of 5,000,000 lines.
 *
 * @module
 */

import { hash } from "node:crypto";
import { ENVELOPE_MEMBER, type FlyRecord, parseFlyRecord } from "./fly_log.ts";
import { APP, INSTANCE, LineScanner, MESSAGE } from "./scanner.ts";
import { readTimestamp, type Timestamp } from "../timestamp.ts";

/**
 * The version of what is hashed and how. It is hashed too: identities of different versions are never equal, so recorders
 * must tell each other theirs before they compare.
 */
export const IDENTITY_VERSION = 1;

/** How long an identity is, in hexadecimal digits: 128 bits. */
export const IDENTITY_LENGTH = 32;

/** An identity: {@linkcode IDENTITY_LENGTH} lower-case hexadecimal digits. */
export type Identity = string;

/** How many decimals of a second count. */
export type Decimals = 3 | 6 | 9;

/** What two lines must have in common to be one. Compare only identities of the same form. */
export interface IdentityForm {
  /** So many decimals of the timestamp; what is finer is cut off. */
  readonly decimals: Decimals;
  /** Whether the instance counts. Some rows of Fly's logs API do not know theirs. */
  readonly hasInstance: boolean;
}

/** All that can count, as the stream has it. */
export const FULL_IDENTITY: IdentityForm = { decimals: 9, hasInstance: true };

/** So many nanoseconds are one unit of the last decimal that counts. */
const UNIT_NANOSECONDS: Readonly<Record<Decimals, number>> = { 3: 1_000_000, 6: 1000, 9: 1 };

/** What stands first in all that is hashed, so that a line's identity and that of its bytes are never equal. */
const OF_LINE = 1;
const OF_BYTES = 2;

/** What stands before app, instance and message: version, kind, decimals, instance or not, seconds, nanoseconds, two lengths. */
const HEAD_BYTES = 4 + 8 + 4 + 4 + 4;
const SECONDS_AT = 4;
const NANOSECONDS_AT = 12;
const APP_LENGTH_AT = 16;
const INSTANCE_LENGTH_AT = 20;

/** UTF-8 has at most so many bytes for one unit of a string. */
const BYTES_PER_UNIT = 3;

/** So large is the buffer at first; it grows with the longest line. */
const FIRST_BUFFER_BYTES = 16 * 1024;

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Makes identities of one form. It is made once and used for line after line; it keeps a buffer of about the size of the
 * longest line.
 *
 * @example Two ways to write one line, and a line without a time.
 * ```ts
 * import assert from "node:assert/strict";
 * import { LineIdentifier } from "./identity.ts";
 *
 * const identifier = new LineIdentifier();
 * const identify = (line: string) => {
 *   const bytes = new TextEncoder().encode(line);
 *   return identifier.identify(bytes, 0, bytes.length);
 * };
 * assert.equal(
 *   identify('{"message":"caf\u00e9","timestamp":"2026-11-22T10:00:00Z"}'),
 *   identify('{ "timestamp":"2026-11-22T11:00:00.000+01:00", "host":"0ad1", "message":"caf\\u00e9" }'),
 * );
 * assert.equal(identify('{"message":"caf\u00e9"}'), null);
 * ```
 */
export class LineIdentifier {
  /** What counts. */
  readonly form: IdentityForm;
  /** The second since 1970 of the last line that has an identity; what is finer is cut off. */
  seconds = 0;
  readonly #unit: number;
  readonly #scanner = new LineScanner();
  readonly #moment: Timestamp = { seconds: 0, nanoseconds: 0 };
  #bytes = new Uint8Array(FIRST_BUFFER_BYTES);
  #view = new DataView(this.#bytes.buffer);

  /** Makes identities of `form`; by default of the one with all that can count. */
  constructor(form: IdentityForm = FULL_IDENTITY) {
    this.form = form;
    this.#unit = UNIT_NANOSECONDS[form.decimals];
  }

  /**
   * The identity of the line that is `bytes` from `start` to `end`, without its line feed. Null for a line that has none and
   * is compared by its bytes ({@linkcode LineIdentifier.identifyBytes}): it is no record, its timestamp is missing or no
   * moment, or its `flightlog` member says that its time is not Fly's, as that of an envelope is not.
   */
  identify(bytes: Uint8Array, start: number, end: number): Identity | null {
    const scanner = this.#scanner;
    if (!scanner.scan(bytes, start, end) || scanner.hasEnvelope) {
      const { record } = parseFlyRecord(bytes.subarray(start, end));
      return record === undefined ? null : this.#identifyRecord(record);
    }
    if (!scanner.timed) return null;
    const { escaped, messageStart, messageEnd } = scanner;
    // Decoded, a string is no longer than it was in JSON.
    this.#reserve(end - start);
    let at = HEAD_BYTES;
    at = this.#putField(at, bytes, scanner.appStart, scanner.appEnd, (escaped & APP) !== 0);
    const appEnd = at;
    if (this.form.hasInstance) {
      const isEscaped = (escaped & INSTANCE) !== 0;
      at = this.#putField(at, bytes, scanner.instanceStart, scanner.instanceEnd, isEscaped);
    }
    const instanceEnd = at;
    at = this.#putField(at, bytes, messageStart, messageEnd, (escaped & MESSAGE) !== 0);
    return this.#finish(scanner, appEnd, instanceEnd, at);
  }

  /**
   * What stands for a line without an identity when it is compared by its bytes, from `start` to `end`, without its line
   * feed. It is never equal to the identity of a line.
   */
  identifyBytes(bytes: Uint8Array, start: number, end: number): Identity {
    this.#reserve(end - start);
    this.#bytes[0] = IDENTITY_VERSION;
    this.#bytes[1] = OF_BYTES;
    this.#bytes.set(bytes.subarray(start, end), 2);
    return digest(this.#bytes.subarray(0, 2 + end - start));
  }

  #identifyRecord(record: FlyRecord): Identity | null {
    if (Object.hasOwn(record, ENVELOPE_MEMBER) && !isHealed(record[ENVELOPE_MEMBER])) return null;
    const { timestamp, message, fly } = record;
    if (timestamp === undefined) return null;
    const text = encoder.encode(timestamp);
    if (!readTimestamp(text, 0, text.length, this.#moment)) return null;
    const app = fly?.app?.name ?? "";
    const instance = this.form.hasInstance ? fly?.app?.instance ?? "" : "";
    this.#reserve((app.length + instance.length + message.length) * BYTES_PER_UNIT);
    const appEnd = this.#put(HEAD_BYTES, app);
    const instanceEnd = this.#put(appEnd, instance);
    return this.#finish(this.#moment, appEnd, instanceEnd, this.#put(instanceEnd, message));
  }

  /** Writes the head before the fields, which are in place, and hashes all. */
  #finish(moment: Timestamp, appEnd: number, instanceEnd: number, end: number): Identity {
    const bytes = this.#bytes;
    const view = this.#view;
    this.seconds = moment.seconds;
    bytes[0] = IDENTITY_VERSION;
    bytes[1] = OF_LINE;
    bytes[2] = this.form.decimals;
    bytes[3] = this.form.hasInstance ? 1 : 0;
    view.setFloat64(SECONDS_AT, moment.seconds);
    view.setUint32(NANOSECONDS_AT, moment.nanoseconds - moment.nanoseconds % this.#unit);
    view.setUint32(APP_LENGTH_AT, appEnd - HEAD_BYTES);
    view.setUint32(INSTANCE_LENGTH_AT, instanceEnd - appEnd);
    return digest(bytes.subarray(0, end));
  }

  /** Puts the decoded string that is between two quotes of JSON, if there is one, and returns the position after it. */
  #putField(at: number, bytes: Uint8Array, start: number, end: number, isEscaped: boolean): number {
    const raw = start < 0 ? NOTHING : bytes.subarray(start, end);
    if (isEscaped) return this.#put(at, JSON.parse(`"${decoder.decode(raw)}"`));
    this.#bytes.set(raw, at);
    return at + raw.length;
  }

  /** A lone surrogate, which UTF-8 cannot say, is written as U+FFFD, as a source that sends it on would have to. */
  #put(at: number, text: string): number {
    return at + encoder.encodeInto(text, this.#bytes.subarray(at)).written;
  }

  #reserve(fieldBytes: number): void {
    if (HEAD_BYTES + fieldBytes <= this.#bytes.length) return;
    this.#bytes = new Uint8Array(2 * (HEAD_BYTES + fieldBytes));
    this.#view = new DataView(this.#bytes.buffer);
  }
}

/** Whether the `flightlog` member says that the line is a record of the stream that was brought back. */
function isHealed(member: unknown): boolean {
  return typeof member === "object" && member !== null && Object.hasOwn(member, "healed");
}

function digest(bytes: Uint8Array): Identity {
  return hash("sha256", bytes, "hex").slice(0, IDENTITY_LENGTH);
}
