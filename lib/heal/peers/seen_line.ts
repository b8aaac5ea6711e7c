/**
 * Promises to tell of a line, in two recorders alike, what it is compared by and where it stands in time.
 *
 * Four kinds of lines come out of an archive:
 *
 * - *records* of the stream, and those that were brought back, are compared by their identity (identity.ts);
 * - *envelopes* around what was no record by the subject and the payload, since all else in them is the recorder's own: each
 *   recorder received the message at a time of its own;
 * - *untimed* records, without a timestamp that is a moment, by their bytes;
 * - *others* are none that another recorder wants: lines that stand for lost ones, lines whose time is not Fly's, and
 *   what is no record at all.
 *
 * @module
 */

import { readEnvelope } from "../../line/envelope.ts";
import { ENVELOPE_MEMBER, type FlyRecord, parseFlyRecord } from "../../line/fly_log.ts";
import { type Decimals, type Identity, type IdentityForm, LineIdentifier } from "../../line/identity.ts";
import { LineScanner } from "../../line/scanner.ts";
import type { LineRules } from "../../filter/rules.ts";
import { parseTimestamp, type Timestamp } from "../../timestamp.ts";
import { HEALED_BY_FLY } from "../fly/fly_record.ts";

/** What is known of a line. */
export type SeenLine =
  | {
    kind: "record";
    /** Its identity, by all that can count. */
    key: Identity;
    /** Its own timestamp. */
    time: Timestamp;
    /** What of the timestamp and the instance it knows, if it came from Fly's logs API and lacks something; else null. */
    form: IdentityForm | null;
  }
  | {
    kind: "envelope";
    /** Stands for its subject and payload. */
    key: Identity;
    /** When it was received. */
    time: Timestamp;
  }
  | {
    kind: "untimed";
    /** Stands for its bytes. */
    key: Identity;
  }
  | { kind: "other" }
  /** Left out here on purpose, see filter/rules.ts. */
  | { kind: "unwanted" };

const OTHER: SeenLine = { kind: "other" };
const UNWANTED: SeenLine = { kind: "unwanted" };
const CARRIAGE_RETURN = 0x0d;

/** A line of an archive does not say with which subject it came. */
const NO_SUBJECT = { subject: "" };

const encoder = new TextEncoder();

/** Looks at lines. It is made once and used for line after line. */
export class LineSight {
  readonly #rules: LineRules | null;
  readonly #scanner = new LineScanner();
  readonly #identifier = new LineIdentifier();

  /** `rules` tell which lines are unwanted; null for none, as among those that are here already. */
  constructor(rules: LineRules | null) {
    this.#rules = rules;
  }

  /** Looks at the line that is `bytes` from `start` to `end`, without its line feed. */
  see(bytes: Uint8Array, start: number, end: number): SeenLine {
    const scanner = this.#scanner;
    if (!scanner.scan(bytes, start, end) || scanner.hasEnvelope) return this.#seeParsed(bytes, start, end);
    if (scanner.hasNewline) return OTHER;
    if (this.#rules?.leavesOut(bytes, scanner, NO_SUBJECT)) return UNWANTED;
    const key = this.#identifier.identify(bytes, start, end);
    if (key === null) return { kind: "untimed", key: this.#identifier.identifyBytes(bytes, start, end) };
    const { seconds, nanoseconds } = scanner;
    return { kind: "record", key, time: { seconds, nanoseconds }, form: null };
  }

  #seeParsed(bytes: Uint8Array, start: number, end: number): SeenLine {
    const { record } = parseFlyRecord(bytes.subarray(start, end));
    if (record === undefined || bytes.subarray(start, end).includes(CARRIAGE_RETURN)) return OTHER;
    if (Object.hasOwn(record, ENVELOPE_MEMBER)) return this.#seeMarked(record, bytes, start, end);
    if (this.#rules?.leavesOutParsed(record, NO_SUBJECT)) return UNWANTED;
    const key = this.#identifier.identify(bytes, start, end);
    if (key === null) return { kind: "untimed", key: this.#identifier.identifyBytes(bytes, start, end) };
    return { kind: "record", key, time: parseTimestamp(record.timestamp!)!, form: null };
  }

  /** Looks at a record that has the member which only recorders write. */
  #seeMarked(record: FlyRecord, bytes: Uint8Array, start: number, end: number): SeenLine {
    const time = parseTimestamp(record.timestamp ?? "");
    if (time === null) return OTHER;
    const envelope = readEnvelope(record);
    if (envelope !== null) {
      if (this.#rules?.leavesOutParsed({ message: "" }, envelope)) return UNWANTED;
      const text = encoder.encode(`${envelope.subject.toWellFormed()}\n${envelope.payload}`);
      return { kind: "envelope", key: this.#identifier.identifyBytes(text, 0, text.length), time };
    }
    const key = this.#identifier.identify(bytes, start, end);
    if (key === null) return OTHER;
    if (this.#rules?.leavesOutParsed(record, NO_SUBJECT)) return UNWANTED;
    return { kind: "record", key, time, form: knownForm(record) };
  }
}

/**
 * What a line knows that was brought back: null if all, or if it is not from Fly's logs API. The API's decimals are not marked in it, so
 * they are read from its timestamp, which has fewer where zeros at the end were left out: `10:00:00.12Z` counts as three.
 */
function knownForm(record: FlyRecord): IdentityForm | null {
  const { healed } = record[ENVELOPE_MEMBER] as { healed?: unknown };
  if (healed !== HEALED_BY_FLY) return null;
  const digits = /\.(\d+)/.exec(record.timestamp!)?.[1]?.length ?? 0;
  const decimals: Decimals = digits <= 3 ? 3 : digits <= 6 ? 6 : 9;
  const hasInstance = (record.fly?.app?.instance ?? "") !== "";
  return decimals === 9 && hasInstance ? null : { decimals, hasInstance };
}
