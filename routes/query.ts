/**
 * Promises that a query parameter is either understood or refused: a typo must not silently widen a download.
 *
 * @module
 */

import * as v from "valibot";
import { parsePlace, type Place } from "../lib/archive/place.ts";
import type { DayNumber } from "../lib/day.ts";
import type { FilterField, FilterSpec } from "../lib/filter/filter.ts";
import { compareTimestamps } from "../lib/timestamp.ts";
import { Problem, show } from "./problem.ts";
import { firstAfter, isTimeOfDay, readTime, timeFault } from "./time_parameter.ts";

/** At most this many values of one parameter, repeated or listed: each is compared with every line. */
export const REPEAT_LIMIT = 64;

/** A value is at most this many characters long; `q` is looked for in every line. */
export const VALUE_LIMIT = 1024;

/** The most lines that `limit` and `tail` may ask for. `tail` is held in memory. */
export const LINES_LIMITS: { limit: number; tail: number } = { limit: 100_000_000, tail: 100_000 };

/** What a request for lines asks for. */
export interface LineQuery {
  /** Which lines. */
  filter: FilterSpec;
  /** Only the last so many; null for all. */
  tail: number | null;
  /** At most so many; null for all. */
  limit: number | null;
  /** Where to go on, the start of a line; null to begin at the beginning. */
  cursor: Place | null;
  /** How lines are written; null where the request leaves it open. */
  format: "jsonl" | "text" | null;
  /** Whether colours in text are kept. */
  color: boolean;
}

/** Every parameter there is. */
export const PARAMETERS = [
  "since",
  "until",
  "app",
  "region",
  "instance",
  "machine",
  "level",
  "q",
  "not",
  "tail",
  "limit",
  "cursor",
  "format",
  "color",
] as const;

/** The name of a parameter. */
export type Parameter = (typeof PARAMETERS)[number];

/** Those that may be given more than once. */
const REPEATABLE: ReadonlySet<Parameter> = new Set([
  "app",
  "region",
  "instance",
  "machine",
  "level",
  "q",
  "not",
]);

const text = v.pipe(
  v.string(),
  v.minLength(1, "must not be empty; leave it out to mean any"),
  v.maxLength(VALUE_LIMIT, `must not be longer than ${VALUE_LIMIT} characters`),
);
const texts = v.optional(
  v.pipe(v.array(text), v.maxLength(REPEAT_LIMIT, `must not be given more than ${REPEAT_LIMIT} times`)),
  [],
);

/** Values that are asked for, and those that had a `!` in front. */
interface ValueList {
  wanted: string[];
  unwanted: string[];
}

/** Lists of values with commas between them. One that is empty is a mistake, and might mean anything. */
const values = v.pipe(
  texts,
  v.rawTransform<string[], ValueList>(({ dataset, addIssue, NEVER }) => {
    const list: ValueList = { wanted: [], unwanted: [] };
    for (const part of dataset.value.flatMap((value) => value.split(","))) {
      const excludes = part.trimStart().startsWith("!");
      const value = (excludes ? part.trimStart().slice(1) : part).trim();
      if (value === "") {
        addIssue({ message: excludes ? "must name something after the !" : "must not have an empty value" });
        return NEVER;
      }
      (excludes ? list.unwanted : list.wanted).push(value);
    }
    if (list.wanted.length + list.unwanted.length <= REPEAT_LIMIT) return list;
    addIssue({ message: `must not have more than ${REPEAT_LIMIT} values` });
    return NEVER;
  }),
);

/** Makes a schema of a reader that returns undefined for a text that it cannot read, and of what is wrong then. */
function readBy<T>(read: (text: string) => T | undefined, fault: (text: string) => string) {
  return v.optional(v.pipe(
    v.string(),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = read(dataset.value);
      if (value !== undefined) return value;
      addIssue({ message: fault(dataset.value) });
      return NEVER;
    }),
  ));
}

function lineCount(limit: number) {
  return readBy(
    (text) => /^[1-9]\d{0,9}$/.test(text) && Number(text) <= limit ? Number(text) : undefined,
    (text) => `must be a whole number from 1 to ${limit}, not ${show(text)}`,
  );
}

function createSchema(nowMs: number, day: DayNumber | null) {
  const time = readBy((text) => readTime(text, nowMs, day) ?? undefined, timeFault);
  return v.object({
    since: time,
    until: time,
    app: values,
    region: values,
    instance: values,
    machine: values,
    level: values,
    q: texts,
    not: texts,
    tail: lineCount(LINES_LIMITS.tail),
    limit: lineCount(LINES_LIMITS.limit),
    cursor: readBy(
      (text) => parsePlace(text) ?? undefined,
      (text) => `must be a day and an offset such as 2026-11-22:1048576, not ${show(text)}`,
    ),
    format: v.optional(v.picklist(["jsonl", "text"], 'must be "jsonl" or "text"')),
    color: v.optional(v.picklist(["0", "1"], 'must be "0" or "1"')),
  });
}

/**
 * Refuses every query parameter, for routes that take none.
 *
 * @throws {Problem} 400 with the first one.
 */
export function refuseParameters(url: string): void {
  collectParameters(url, []);
}

/**
 * Reads the parameters of a request for lines, of which this route knows `allowed`. `nowMs` is what durations
 * count back from; a time of day alone is one of `day`, where the request is about one.
 *
 * @throws {Problem} 400 with the first parameter that is unknown, repeated without need, or wrong.
 */
export function readLineQuery(
  url: string,
  allowed: readonly Parameter[],
  nowMs: number,
  day: DayNumber | null = null,
): LineQuery {
  const values = collectParameters(url, allowed);
  const result = v.safeParse(createSchema(nowMs, day), values);
  if (!result.success) {
    const issue = result.issues[0];
    const param = String(issue.path?.[0]?.key);
    throw wrong(param, `${param} ${issue.message}`);
  }
  const { since, app, region, instance, machine, level, q, not, tail, limit, cursor, format, color } =
    result.output;
  let { until } = result.output;
  // From 22:00 until 02:00 means over midnight.
  if (since && until && day === null && isTimeOfDay(String(values.until))) until = firstAfter(until, since);
  if (since && until && compareTimestamps(since, until) >= 0) {
    throw wrong("until", "until must be after since; it is the first moment that is left out");
  }
  if (tail !== undefined && limit !== undefined) {
    throw wrong(
      "limit",
      "limit and tail exclude each other: tail=N asks for the last N lines, limit=N for N",
    );
  }
  return {
    filter: {
      since: since ?? null,
      until: until ?? null,
      apps: app.wanted,
      regions: region.wanted,
      instances: [...instance.wanted, ...machine.wanted],
      levels: level.wanted,
      except: {
        apps: app.unwanted,
        regions: region.unwanted,
        instances: [...instance.unwanted, ...machine.unwanted],
        levels: level.unwanted,
      } satisfies Record<FilterField, string[]>,
      texts: q,
      notTexts: not,
    },
    tail: tail ?? null,
    limit: limit ?? null,
    cursor: cursor ?? null,
    format: format ?? null,
    color: color === "1",
  };
}

function wrong(param: string, detail: string): Problem {
  return new Problem("bad-parameter", detail, { param });
}

function collectParameters(url: string, allowed: readonly Parameter[]): Record<string, string | string[]> {
  const { search, searchParams: parameters } = new URL(url);
  checkEncoding(search);
  const values: Record<string, string | string[]> = {};
  for (const name of new Set(parameters.keys())) {
    const param = allowed.find((one) => one === name);
    if (param === undefined) {
      const known = allowed.length === 0 ? "this address takes none" : `known are ${allowed.join(", ")}`;
      throw wrong(show(name).slice(1, -1), `${show(name)} is not a parameter here; ${known}`);
    }
    const all = parameters.getAll(param);
    if (!REPEATABLE.has(param) && all.length > 1) throw wrong(param, `${param} must be given once at most`);
    values[param] = REPEATABLE.has(param) ? all : all[0]!;
  }
  return values;
}

/**
 * Makes sure that what is percent-encoded is UTF-8, which URLSearchParams replaces silently where it is not: then another
 * text would be looked for than was asked for. A `%` that encodes nothing stands for itself.
 *
 * @throws {Problem} 400 where it is not.
 */
function checkEncoding(search: string): void {
  for (const [encoded] of search.matchAll(/(?:%[0-9a-f]{2})+/gi)) {
    try {
      decodeURIComponent(encoded);
    } catch {
      throw new Problem("bad-parameter", `${show(encoded)} is no UTF-8: encode other characters as UTF-8`);
    }
  }
}
