/**
 * Promises moments to the nanosecond, as pairs of numbers: a JavaScript Date would lose six of the nine
 * decimals that Fly writes, and with them the order of lines.
 *
 * @module
 */

/** A moment in UTC. It may be used as a structured clone. */
export interface Timestamp {
  /** Whole seconds since 1970-01-01T00:00:00Z, negative before. */
  seconds: number;
  /** Nanoseconds into that second, 0 to 999,999,999, also before 1970. */
  nanoseconds: number;
}

/** The second that starts 0001-01-01T00:00:00Z, the first that four digits of a year can say. */
export const FIRST_SECOND: number = -62_135_596_800;

/** The second that ends 9999-12-31, the last that four digits of a year can say. */
export const LAST_SECOND = 253_402_300_799;

const DAY_SECONDS = 86_400;
const NANOSECONDS = 1_000_000_000;

/** A timestamp longer than this many characters is not read. RFC 3339 allows decimals without end. */
export const TIMESTAMP_LENGTH_LIMIT = 128;

/** The length of `2026-11-22T10:00:00`, what stands before decimals and offset. */
const WITHOUT_FRACTION = 19;

/** What a number of so many decimals is multiplied by to become nanoseconds. */
const SCALE = Float64Array.of(0, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1);

const DASH = 0x2d;
const COLON = 0x3a;
const DOT = 0x2e;
const PLUS = 0x2b;
const ZERO = 0x30;

/** For each month, the days of the year before it, and its own; February is the 29-day one. */
const DAYS_BEFORE = Uint16Array.of(0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334);
const DAYS_IN = Uint8Array.of(0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);

/**
 * Reads an RFC 3339 timestamp (section 5.6): `T` and `Z` in either case, any number of decimals of which nine
 * count, offsets up to 23:59 either way, `:60` where the UTC day ends. Returns null for anything else, also for
 * dates that do not exist and for moments outside the years 0001 to 9999 of UTC.
 *
 * A leap second is the same moment as the second after it, as in Unix time.
 *
 * @example Nine decimals, and an offset
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatTimestamp, parseTimestamp } from "./timestamp.ts";
 *
 * const time = parseTimestamp("2026-11-22T11:00:00.123456789+01:00")!;
 * assert.equal(time.nanoseconds, 123_456_789);
 * assert.equal(formatTimestamp(time), "2026-11-22T10:00:00.123456789Z");
 * assert.equal(parseTimestamp("2026-11-22 10:00"), null);
 * ```
 */
export function parseTimestamp(text: string): Timestamp | null {
  if (text.length > TIMESTAMP_LENGTH_LIMIT) return null;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    // What is not ASCII becomes NUL, which stands nowhere in a timestamp; cut to a byte it could be a digit.
    const unit = text.charCodeAt(i);
    bytes[i] = unit < 0x80 ? unit : 0;
  }
  const timestamp = { seconds: 0, nanoseconds: 0 };
  return readTimestamp(bytes, 0, bytes.length, timestamp) ? timestamp : null;
}

/**
 * Whether a moment is earlier than `other`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const time = { seconds: 5, nanoseconds: 1 };
 * assert.equal(isBefore(time, { seconds: 5, nanoseconds: 2 }), true);
 * assert.equal(isBefore(time, time), false);
 * ```
 */
export function isBefore(time: Timestamp, other: Timestamp): boolean {
  return time.seconds < other.seconds ||
    (time.seconds === other.seconds && time.nanoseconds < other.nanoseconds);
}

/**
 * Reads the timestamp that is all of `bytes` from `start` to `end`, by the rules of
 * {@linkcode parseTimestamp}, into `target`, without allocating. Returns false, with `target` as it was, when
 * there is none.
 */
export function readTimestamp(bytes: Uint8Array, start: number, end: number, target: Timestamp): boolean {
  const length = end - start;
  if (length <= WITHOUT_FRACTION || length > TIMESTAMP_LENGTH_LIMIT) return false;
  const year = twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2);
  const month = twoDigits(bytes, start + 5);
  const day = twoDigits(bytes, start + 8);
  const hour = twoDigits(bytes, start + 11);
  const minute = twoDigits(bytes, start + 14);
  const second = twoDigits(bytes, start + 17);
  if (
    bytes[start + 4] !== DASH || bytes[start + 7] !== DASH || (bytes[start + 10]! | 0x20) !== 0x74 ||
    bytes[start + 13] !== COLON || bytes[start + 16] !== COLON
  ) return false;
  if (year > 9999 || year < 1 || month < 1 || month > 12 || day < 1 || day > DAYS_IN[month]!) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day === 29 && month === 2 && !leap) return false;
  if (hour > 23 || minute > 59 || second > 60) return false;

  let at = start + WITHOUT_FRACTION;
  let nanoseconds = 0;
  if (bytes[at] === DOT) {
    const first = ++at;
    const ninth = Math.min(end, first + 9);
    for (; at < ninth; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      nanoseconds = nanoseconds * 10 + digit;
    }
    if (at === first) return false;
    nanoseconds *= SCALE[at - first]!;
    if (at === first + 9) { while (at < end && bytes[at]! >= ZERO && bytes[at]! <= ZERO + 9) at++; }
  }
  const offsetMinutes = readOffset(bytes, at, end);
  if (offsetMinutes === NO_OFFSET) return false;

  const before = year - 1;
  const leapDays = ((before / 4) | 0) - ((before / 100) | 0) + ((before / 400) | 0) +
    (leap && month > 2 ? 1 : 0);
  const dayOfEra = before * 365 + leapDays + DAYS_BEFORE[month]! + day - 1;
  const secondOfDay = hour * 3600 + (minute - offsetMinutes) * 60 + second;
  const seconds = FIRST_SECOND + dayOfEra * DAY_SECONDS + secondOfDay;
  if (second === 60 && seconds % DAY_SECONDS !== 0) return false;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) return false;
  target.seconds = seconds;
  target.nanoseconds = nanoseconds;
  return true;
}

/** The value of two decimal digits, or a number too large for any field of a date. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? 10_000 : tens * 10 + ones;
}

const NO_OFFSET = 10_000;

/** The minutes east of UTC that `Z` or `±hh:mm` says, if it fills the range; else {@linkcode NO_OFFSET}. */
function readOffset(bytes: Uint8Array, at: number, end: number): number {
  if (end - at === 1) return (bytes[at]! | 0x20) === 0x7a ? 0 : NO_OFFSET;
  if (end - at !== 6 || bytes[at + 3] !== COLON) return NO_OFFSET;
  const sign = bytes[at];
  if (sign !== PLUS && sign !== DASH) return NO_OFFSET;
  const hours = twoDigits(bytes, at + 1);
  const minutes = twoDigits(bytes, at + 4);
  if (hours > 23 || minutes > 59) return NO_OFFSET;
  return sign === PLUS ? hours * 60 + minutes : -(hours * 60 + minutes);
}

/**
 * Writes a timestamp as `2026-11-22T10:00:00.123456789Z`: always 30 characters and in UTC, so that two of them
 * compare as strings the way their moments do.
 *
 * @throws {RangeError} If the moment is outside the years 0001 to 9999, or the numbers are not whole.
 */
export function formatTimestamp(timestamp: Timestamp): string {
  const { seconds, nanoseconds } = timestamp;
  if (!Number.isInteger(seconds) || seconds < FIRST_SECOND || seconds > LAST_SECOND) {
    throw new RangeError(`Cannot write second ${seconds}: not a whole number within years 0001 to 9999`);
  }
  if (!Number.isInteger(nanoseconds) || nanoseconds < 0 || nanoseconds >= NANOSECONDS) {
    throw new RangeError(`Cannot write nanosecond ${nanoseconds}: not a whole number from 0 to 999999999`);
  }
  const date = new Date(seconds * 1000).toISOString().slice(0, WITHOUT_FRACTION);
  return `${date}.${String(nanoseconds).padStart(9, "0")}Z`;
}

/** The moment `epochMs` milliseconds after 1970-01-01T00:00:00Z. What is finer than a nanosecond is cut off. */
export function timestampFromMs(epochMs: number): Timestamp {
  const wholeMs = Math.floor(epochMs);
  const seconds = Math.floor(wholeMs / 1000);
  const nanoseconds = (wholeMs - seconds * 1000) * 1_000_000 + Math.floor((epochMs - wholeMs) * 1_000_000);
  return { seconds, nanoseconds };
}

/** The whole milliseconds from 1970-01-01T00:00:00Z to a moment. What is finer than that is cut off. */
export function timestampMs(timestamp: Timestamp): number {
  return timestamp.seconds * 1000 + Math.floor(timestamp.nanoseconds / 1_000_000);
}

/**
 * As {@linkcode timestampMs}, but what is finer makes one millisecond more: for the end of a span.
 *
 * @example The end of a span
 * ```ts
 * import assert from "node:assert/strict";
 * import { timestampMs, timestampMsUp } from "./timestamp.ts";
 *
 * const time = { seconds: 1, nanoseconds: 500_000_001 };
 * assert.equal(timestampMs(time), 1500);
 * assert.equal(timestampMsUp(time), 1501);
 * ```
 */
export function timestampMsUp(timestamp: Timestamp): number {
  return timestamp.seconds * 1000 + Math.ceil(timestamp.nanoseconds / 1_000_000);
}

/** Negative when `a` is before `b`, positive when after, 0 when both are the same moment. */
export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  return a.seconds - b.seconds || a.nanoseconds - b.nanoseconds;
}
