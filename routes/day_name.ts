/**
 * Promises that the part of a path that names a day becomes the number of that day, or an answer that says why it cannot.
 *
 * @module
 */

import type { DayInfo } from "../lib/archive/archive.ts";
import { dayName, type DayNumber, dayOf, dayStartMs, parseDayName } from "../lib/day.ts";
import { COVERAGE_HEADER, formatCoverage, measureCoverage } from "./coverage.ts";
import { missingWords } from "./home.ts";
import type { Parts } from "./parts.ts";
import { Problem, type ProblemOptions, show } from "./problem.ts";

/** A form in which a day is handed out: lines as they are, a gzip file of them, or text for people. */
export type DayForm = "gz" | "jsonl" | "text";

/** The suffixes of the forms, and those that people try instead; one that ends as another does stands before it. */
const FORMS: readonly (readonly [suffix: string, form: DayForm])[] = [
  [".jsonl.gz", "gz"],
  [".gz", "gz"],
  [".jsonl", "jsonl"],
  [".ndjson", "jsonl"],
  [".json", "jsonl"],
  [".log", "text"],
  [".txt", "text"],
];

/** What a path asks for: a day, in one of its forms. */
export interface DayRequest {
  /** The day. */
  day: DayNumber;
  /** Its name, `YYYY-MM-DD`. */
  name: string;
  /** What is known of it. */
  info: DayInfo;
  /** How it is wanted. */
  form: DayForm;
  /** Whether the path says so. */
  hasForm: boolean;
}

/** Reads `YYYY-MM-DD`, `today` or `yesterday`, by UTC; null for anything else. */
export function readDay(text: string, nowMs: number): DayNumber | null {
  if (text === "today") return dayOf(nowMs);
  if (text === "yesterday") return dayOf(nowMs) - 1;
  return parseDayName(text);
}

/**
 * Reads the last part of `/logs/{day}`.
 *
 * @throws {Problem} 400 for what is no day, 404 for one without lines, 410 for one that was removed, 500 for one whose files
 * cannot be read.
 */
export function readDayRequest(
  segment: string,
  parts: Pick<Parts, "archive" | "clock" | "gaps">,
): DayRequest {
  const [suffix, form]: readonly [string, DayForm] = FORMS.find(([suffix]) => segment.endsWith(suffix)) ??
    ["", "jsonl"];
  const text = segment.slice(0, segment.length - suffix.length);
  const day = readDay(text, parts.clock.now());
  if (day === null) {
    throw new Problem(
      "bad-day",
      `Ask for a date that exists as YYYY-MM-DD, for today or for yesterday, alone or with .jsonl, .jsonl.gz ` +
        `or .log behind it, not for ${show(segment)}`,
    );
  }
  const info = parts.archive.day(day);
  const name = dayName(day);
  if (info !== undefined) return { day, name, info, form, hasForm: suffix !== "" };
  if (parts.archive.wasRemoved(day)) {
    throw new Problem("removed-day", `Retention removed ${name}; /logs lists the days that are left`);
  }
  const reason = parts.archive.untouched.get(day);
  if (reason !== undefined) {
    const coverage = measureCoverage(parts, dayStartMs(day), dayStartMs(day + 1));
    throw unreadableDay(day, reason, { headers: [[COVERAGE_HEADER, formatCoverage(coverage)]] });
  }
  throw noLines(day, parts);
}

/** That there are files of a day which the recorder has left alone, for `reason`, since it could not read them. */
export function unreadableDay(day: DayNumber, reason: string, options: ProblemOptions = {}): Problem {
  const name = dayName(day);
  return new Problem(
    "unreadable-day",
    `The files of ${name} were left alone at the start: ${reason}. What they hold is in no answer; see repaired in ` +
      `/status, put right the files whose names begin with ${name}, and start Flightlog again`,
    options,
  );
}

/** That a day has no lines says nothing of what was printed on it: how much of it was recorded does. */
function noLines(day: DayNumber, parts: Pick<Parts, "archive" | "clock" | "gaps">): Problem {
  const coverage = measureCoverage(parts, dayStartMs(day), dayStartMs(day + 1));
  const missing = missingWords(coverage);
  const what = missing === null
    ? ""
    : coverage.isFuture
    ? `: it ${missing}`
    : `, and lines may be missing from ${missing} of that day, see /gaps`;
  return new Problem(
    "unknown-day",
    `No line of ${dayName(day)} has arrived${what}; /logs lists the days that are there`,
    { headers: [[COVERAGE_HEADER, formatCoverage(coverage)]] },
  );
}
