/**
 * Promises that whoever asks for a value that is nowhere is told so, and what there is instead, and is never told
 * more than is known: to find that out, no more is read than a search reads in a moment.
 *
 * @module
 */

import type { LineRequest } from "../lib/archive/read/line_chunk.ts";
import { type DayRange, lastBytes } from "../lib/archive/read/plan.ts";
import { type FilterField, type FilterSpec, valueMatcher } from "../lib/filter/filter.ts";
import { READER_BYTES } from "../lib/machine/memory_budget.ts";
import { sortByNearness } from "../lib/filter/near_names.ts";
import type { Parts } from "./parts.ts";
import { findValues } from "./seen_values.ts";

/** The header that carries a hint: ASCII, of one line. */
export const HINT_HEADER = "Log-Hint";

/** At most so many values are hinted at in one answer. */
const VALUES_LIMIT = 3;

/** At most so many names are listed of what there is, the nearest among so many. */
const NAMES_LIMIT = 8;
const NAMES_KNOWN_LIMIT = 500;

/** Stands for the value that is empty. */
const NAMELESS = "-";

/** More characters than this of a name or a value are not shown. */
const NAME_LENGTH_LIMIT = 60;

/** At most so many of the lists of apps in an index are looked at. */
const APP_LISTS_LIMIT = 20_000;

/** A value that no index knows is looked for in so many of the last bytes, and in so many pieces of the archive. */
const LOOK_BYTES = 8 * 1024 * 1024;
const LOOK_PIECES = 16;

/** What a field is called in a request. */
const PARAMETER_OF: Readonly<Record<FilterField, string>> = {
  apps: "app",
  instances: "machine",
  regions: "region",
  levels: "level",
};

/** What was asked. */
export interface HintRequest {
  /** Which lines. */
  filter: FilterSpec;
  /** Where, oldest first. */
  ranges: readonly DayRange[];
  /** Whether it is known that no line matches; else only what the index says of apps is told. */
  isEmpty: boolean;
  /** What the ranges are called. */
  scope?: string;
}

/**
 * What to tell about the values that `request` asks for and that are nowhere; null for nothing, also where there
 * is none to name instead. Without room in memory, or if reading fails, there is none.
 */
export async function findHint(parts: Parts, request: HintRequest): Promise<string | null> {
  if (!asksForValues(request.filter)) return null;
  try {
    using slot = parts.lines.tryKeep(READER_BYTES);
    if (slot === null) return null;
    const hints = await missingApps(parts, request);
    if (request.isEmpty) {
      for (const field of ["instances", "regions", "levels"] as const) {
        hints.push(...await missingValues(parts, request, field));
      }
    }
    return hints.length === 0 ? null : hints.slice(0, VALUES_LIMIT).join(". ");
  } catch (error) {
    parts.logger.log("warn", "no hint", { error: String(error) });
    return null;
  }
}

/** Whether there is anything in a filter that a hint could be about. */
export function asksForValues(filter: FilterSpec): boolean {
  return Object.keys(PARAMETER_OF).some((field) => filter[field as FilterField].length > 0);
}

/** A hint as a line of text, which looks like none of the log. */
export function hintLine(hint: string): string {
  return `--- ${hint} ---\n`;
}

async function missingApps(parts: Parts, request: HintRequest): Promise<string[]> {
  const { filter, ranges, scope = "in this span" } = request;
  let missing = filter.apps.slice(0, VALUES_LIMIT).map((app) => ({
    app,
    matches: valueMatcher("apps", app),
  }));
  if (missing.length === 0) return [];
  const names = new Set<string>();
  let isIndexed = true;
  let left = APP_LISTS_LIMIT;
  for await (const list of parts.lines.appLists(ranges, spanOf(filter))) {
    if (left-- === 0) return [];
    if (list === null) isIndexed = false;
    for (const name of list ?? []) if (names.size < NAMES_KNOWN_LIMIT) names.add(name);
    missing = missing.filter(({ matches }) => !list?.some(matches));
    if (missing.length === 0) return [];
  }
  // The newest lines have no block yet, so the index does not have their apps.
  for (const name of await findValues(parts, spanOf(filter), ranges, "apps")) names.add(name);
  if (names.size === 0) return [];
  const hints: string[] = [];
  for (const { app } of missing) {
    if (!isIndexed && await isThere(parts, { ...spanOf(filter), apps: [app] }, ranges) !== false) continue;
    hints.push(words("apps", app, scope, [...names]));
  }
  return hints;
}

async function missingValues(parts: Parts, request: HintRequest, field: FilterField): Promise<string[]> {
  const { filter, ranges, scope = "in this span" } = request;
  if (filter[field].length === 0) return [];
  const names = await findValues(parts, spanOf(filter), ranges, field);
  if (names.length === 0) return [];
  const looked = lastBytes(ranges, LOOK_BYTES);
  const isWhole = looked.length === ranges.length && looked[0]?.start === ranges[0]?.start;
  const hints: string[] = [];
  for (const value of filter[field].slice(0, VALUES_LIMIT)) {
    if (names.some(valueMatcher(field, value))) continue;
    if (isAll(filter, field)) {
      hints.push(words(field, value, scope, names));
    } else if (await isThere(parts, { ...spanOf(filter), [field]: [value] }, looked) === false) {
      hints.push(
        words(field, value, isWhole ? scope : `in the last ${LOOK_BYTES >> 20} MiB of this span`, names),
      );
    }
  }
  return hints;
}

/** Whether a filter asks for nothing but values of this field, so that finding no line says that there is none. */
function isAll(filter: FilterSpec, field: FilterField): boolean {
  const { apps, instances, regions, levels, except = {}, texts = [], notTexts = [] } = filter;
  const others = { apps, instances, regions, levels, [field]: [] };
  return [...Object.values(others), ...Object.values(except), texts, notTexts].every((list) =>
    list.length === 0
  );
}

/** Whether there is a line that `filter` asks for; undefined where too much would have to be read. */
async function isThere(
  parts: Parts,
  filter: FilterSpec,
  ranges: readonly DayRange[],
): Promise<boolean | undefined> {
  const request: LineRequest = { ranges, filter, style: "jsonl", events: null, limit: 1 };
  let left = LOOK_PIECES;
  for await (const { lines } of parts.lines.read(request)) {
    if (lines !== 0) return true;
    if (--left === 0) return undefined;
  }
  return false;
}

/** The span of time of a filter, and the scope of whoever asks, and nothing else of it. */
function spanOf({ since, until, scope }: FilterSpec): FilterSpec {
  return { since, until, scope, apps: [], regions: [], instances: [], levels: [] };
}

function words(field: FilterField, value: string, scope: string, names: readonly string[]): string {
  const sorted = sortByNearness(value, names.map((name) => name === "" ? NAMELESS : name));
  const shown = sorted.slice(0, NAMES_LIMIT).map((name) =>
    /^[\w.:@/+-]+$/.test(name) ? cut(name) : quoted(name)
  );
  const left = sorted.length - NAMES_LIMIT;
  // Only where all names are known, it is known how many there are.
  const more = left <= 0 ? "" : sorted.length < NAMES_KNOWN_LIMIT ? `, and ${left} more` : ", and many more";
  return `no ${PARAMETER_OF[field]} ${quoted(value)} ${scope}; there ${sorted.length === 1 ? "is" : "are"} ${
    shown.join(", ")
  }${more}`;
}

function cut(name: string): string {
  return name.length > NAME_LENGTH_LIMIT ? `${name.slice(0, NAME_LENGTH_LIMIT)}...` : name;
}

/** A text of anybody's making in quotes, as printable ASCII: it goes into a header and onto a terminal. */
function quoted(text: string): string {
  return JSON.stringify(cut(text)).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
