/**
 * Promises to tell whether another recorder records everything that is recorded here: one that leaves out more by its own
 * configuration says "complete" of a gap and has not all of its lines all the same.
 *
 * Example: this one leaves out `fly-builder-*`, the other one `fly-builder-*` and `worker`. It may have been complete by its own
 * lights, but a line of `worker` that is missing here is missing there, too.
 *
 * @module
 */

import * as v from "valibot";
import { subjectMatches } from "../../filter/subject.ts";
import type { Config } from "../../config/config.ts";

/** A text that says what is recorded is at most this long; what is longer is not said. */
export const RECORDED_LINES_LIMIT = 4096;

const texts = v.array(v.string());

const recordedLinesSchema = v.object({
  subject: v.string(),
  queue: v.nullable(v.string()),
  ownApp: v.nullable(v.string()),
  excludeApps: texts,
  includeApps: texts,
  excludeText: texts,
});

/** What is subscribed to, and what of it is left out. */
export interface RecordedLines {
  /** `SUBJECT`. */
  subject: string;
  /** `QUEUE`; null for none. */
  queue: string | null;
  /** The app that the recorder runs as, whose lines it never records; null for none. */
  ownApp: string | null;
  /** `EXCLUDE_APPS`. */
  excludeApps: string[];
  /** `INCLUDE_APPS`. */
  includeApps: string[];
  /** `EXCLUDE_TEXT`. */
  excludeText: string[];
}

/** What `config` has recorded. */
export function recordedLinesOf(
  { subject, queue, app, excludeApps, includeApps, excludeText }: Pick<
    Config,
    "subject" | "queue" | "app" | "excludeApps" | "includeApps" | "excludeText"
  >,
): RecordedLines {
  return { subject, queue, ownApp: app, excludeApps, includeApps, excludeText };
}

/** Writes it as the value of a header; null where that would be too long. */
export function formatRecordedLines(lines: RecordedLines): string | null {
  const text = encodeURIComponent(JSON.stringify(lines).toWellFormed());
  return text.length > RECORDED_LINES_LIMIT ? null : text;
}

/** Reads what {@linkcode formatRecordedLines} wrote; null for anything else. */
export function readRecordedLines(text: string): RecordedLines | null {
  if (text.length > RECORDED_LINES_LIMIT) return null;
  try {
    return v.parse(recordedLinesSchema, JSON.parse(decodeURIComponent(text)));
  } catch {
    return null;
  }
}

/**
 * What `theirs` leaves out of `ours`, in words; null for nothing.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const all = { subject: "logs.>", queue: null, ownApp: "flightlog", excludeApps: [], includeApps: [], excludeText: [] };
 * assert.equal(leftOutOf(all, { ...all, excludeApps: ["worker"] }), null);
 * assert.equal(leftOutOf({ ...all, excludeApps: ["worker"] }, all), "EXCLUDE_APPS=worker");
 * ```
 */
export function leftOutOf(theirs: RecordedLines, ours: RecordedLines): string | null {
  if (theirs.queue !== null) return `QUEUE=${theirs.queue}`;
  if (theirs.subject !== ours.subject && !getsAll(theirs.subject)) return `SUBJECT=${theirs.subject}`;
  const { ownApp } = theirs;
  if (ownApp !== null && ownApp !== ours.ownApp && !ours.excludeApps.includes(ownApp)) {
    return `its own app, ${ownApp}`;
  }
  const isIncluded = theirs.includeApps.length === 0 ||
    (ours.includeApps.length > 0 && lacking(ours.includeApps, theirs.includeApps).length === 0);
  if (!isIncluded) return `all but INCLUDE_APPS=${theirs.includeApps.join(",")}`;
  const apps = lacking(theirs.excludeApps, ours.excludeApps);
  if (apps.length > 0) return `EXCLUDE_APPS=${apps.join(",")}`;
  const pieces = lacking(theirs.excludeText, ours.excludeText);
  return pieces.length > 0 ? `EXCLUDE_TEXT=${pieces.join(",")}` : null;
}

/** Whether a subscription gets all lines of Fly's. */
function getsAll(subject: string): boolean {
  return subjectMatches(subject, ["logs", null, null, null]);
}

/** Those of `some` that are not among `others`. */
function lacking(some: readonly string[], others: readonly string[]): string[] {
  return some.filter((one) => !others.includes(one));
}
