/**
 * Promises to read the headers by which a client asks for a part, or for nothing if nothing has changed, the
 * way RFC 9110 has them: what is malformed is as good as absent, never an error.
 *
 * @module
 */

import type { ByteRange } from "../lib/archive/day/open_day.ts";

/** What identifies one state of one representation. */
export interface Validators {
  /** A strong entity tag, with its quotes. */
  etag: string;
  /** When it last changed, in milliseconds since 1970-01-01T00:00:00Z; null where that is no validator, see {@linkcode validDate}. */
  modifiedMs: number | null;
}

/**
 * The moment of the last change as a validator: null within the second of that change, by the clock that says `nowMs`. A day may change
 * again within it, as lines are brought back to it, and a client that was told the second would take the one state for the other.
 *
 * @example Changed a quarter into a second
 * ```ts
 * import assert from "node:assert/strict";
 * import { validDate } from "./range.ts";
 *
 * assert.equal(validDate(5250, 5900), null);
 * assert.equal(validDate(5250, 6000), 5250);
 * ```
 */
export function validDate(modifiedMs: number, nowMs: number): number | null {
  return Math.floor(nowMs / 1000) > Math.floor(modifiedMs / 1000) ? modifiedMs : null;
}

/**
 * Reads a Range header (RFC 9110 section 14.2) against a representation of `length` bytes. Returns null where
 * the whole is to be sent: no header, another unit, malformed, or several ranges, which section 14.2 allows a
 * server to ignore and which nobody needs of a log.
 *
 * @example The first hundred bytes, and the last
 * ```ts
 * import assert from "node:assert/strict";
 * import { readRange } from "./range.ts";
 *
 * assert.deepEqual(readRange("bytes=0-99", 1000), { start: 0, end: 100 });
 * assert.deepEqual(readRange("bytes=-100", 1000), { start: 900, end: 1000 });
 * assert.equal(readRange("bytes=1000-", 1000), "unsatisfiable");
 * assert.equal(readRange("lines=0-9", 1000), null);
 * ```
 */
export function readRange(header: string | undefined, length: number): ByteRange | "unsatisfiable" | null {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? "");
  if (match === null) return null;
  const [first, last] = [match[1]!, match[2]!];
  if (first === "") {
    if (last === "") return null;
    const suffix = Number(last);
    if (suffix === 0) return "unsatisfiable";
    // A suffix of an empty body is satisfiable, but no Content-Range can express it, so the whole body is sent.
    return length === 0 ? null : { start: Math.max(0, length - suffix), end: length };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return null;
  if (start >= length) return "unsatisfiable";
  return { start, end: last === "" ? length : Math.min(Number(last) + 1, length) };
}

/**
 * Whether If-Range (section 13.1.5) still allows a part to be sent. Tags compare strongly. A date must be the
 * exact one; it is strong enough, since it is told only when the second is over.
 */
export function rangeStillHolds(header: string | undefined, validators: Validators): boolean {
  if (header === undefined) return true;
  if (header.startsWith('"')) return header === validators.etag;
  return validators.modifiedMs !== null && header === httpDate(validators.modifiedMs);
}

/** What the conditions of a request say: send it, tell that nothing has changed, or refuse. */
export type Outcome = "send" | "not-modified" | "failed";

/** Weighs the preconditions of a GET or HEAD in the order of RFC 9110 section 13.2.2. */
export function weighConditions(headers: Headers, validators: Validators): Outcome {
  // What has changed just now has changed since any date that a client can name.
  const modifiedS = Math.floor((validators.modifiedMs ?? Infinity) / 1000);
  const ifMatch = headers.get("If-Match");
  if (ifMatch !== null) {
    if (!listsTag(ifMatch, validators.etag, false)) return "failed";
  } else {
    const unmodifiedS = readHttpDate(headers.get("If-Unmodified-Since"));
    if (unmodifiedS !== null && modifiedS > unmodifiedS) return "failed";
  }
  const ifNoneMatch = headers.get("If-None-Match");
  if (ifNoneMatch !== null) return listsTag(ifNoneMatch, validators.etag, true) ? "not-modified" : "send";
  const sinceS = readHttpDate(headers.get("If-Modified-Since"));
  return sinceS !== null && modifiedS <= sinceS ? "not-modified" : "send";
}

/** Whether a list of entity tags names this one; weak ones only count where the comparison is weak. */
function listsTag(list: string, etag: string, weak: boolean): boolean {
  if (list.trim() === "*") return true;
  for (const match of list.matchAll(/(W\/)?("[^"]*")/g)) {
    if (match[2] === etag && (weak || match[1] === undefined)) return true;
  }
  return false;
}

/** A moment as HTTP writes it (section 5.6.7), to the second. */
export function httpDate(epochMs: number): string {
  return new Date(epochMs).toUTCString();
}

/** Reads an IMF-fixdate as seconds since 1970; the obsolete forms, which no client sends, are as good as none. */
function readHttpDate(text: string | null): number | null {
  if (text === null) return null;
  const epochMs = Date.parse(text);
  return !Number.isNaN(epochMs) && httpDate(epochMs) === text ? epochMs / 1000 : null;
}
