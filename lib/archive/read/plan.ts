/**
 * Promises to choose, from what is known of each day, the parts of the archive in which a line that is wanted
 * can stand.
 *
 * @module
 */

import type { DayNumber } from "../../day.ts";
import { compileFilter, type FilterSpec } from "../../filter/filter.ts";
import type { DayInfo } from "../day/day_info.ts";
import type { Place } from "../place.ts";

const DAY_SECONDS = 86_400;

/** A part of one day. */
export interface DayRange {
  /** The day. */
  day: DayNumber;
  /** The first byte of its text. */
  start: number;
  /** The byte after the last one. */
  end: number;
  /** Of which edition of the text `end` is, and `start`, unless that has its own. */
  edition: number;
  /**
   * Of which edition `start` is where that is another one: it is from before lines were inserted. 0 is the start of a day in
   * each edition.
   */
  startEdition?: number;
  /**
   * Whether lines without a time are left out. Such a line was recorded at some time of its day, so it belongs
   * to every span that touches the day, and to no other.
   */
  timedOnly: boolean;
}

/** Which part of the archive is meant, besides the filter. */
export interface ReadScope {
  /** Only this day; null for all. */
  day: DayNumber | null;
  /** Nothing before this place; null for no such limit. */
  start: Place | null;
}

/**
 * The parts to read, oldest first, as far as `days` reach now.
 *
 * @example All lines since 06:00 of the second of two days
 * ```ts
 * import assert from "node:assert/strict";
 * import { planRanges } from "./plan.ts";
 * import { parseDayName } from "../../day.ts";
 * import { parseTimestamp } from "../../timestamp.ts";
 *
 * const day = parseDayName("2026-11-22")!;
 * const size = { lines: 3, gzBytes: 50, edition: 0, recordedBytes: 0 };
 * const known = { ...size, sealed: true, crc32: "00000000", modifiedMs: 0, held: 0 };
 * const days = [
 *   { ...known, day, bytes: 300, first: "2026-11-22T00:00:01Z", last: "2026-11-22T09:00:00Z" },
 *   { ...known, day: day - 1, bytes: 100, first: "2026-11-21T00:00:01Z", last: "2026-11-21T23:00:00Z" },
 * ];
 * const filter = { since: parseTimestamp("2026-11-22T06:00:00Z"), apps: [], regions: [], instances: [], levels: [] };
 * assert.deepEqual(planRanges(days, filter, { day: null, start: null }), [
 *   { day, start: 0, end: 300, edition: 0, timedOnly: false },
 * ]);
 * // The same question from the place on at which the answer before it ended.
 * const start = { day, offset: 200, edition: 0 };
 * assert.deepEqual(planRanges(days, filter, { day: null, start }), [
 *   { day, start: 200, end: 300, edition: 0, timedOnly: false },
 * ]);
 * ```
 */
export function planRanges(days: readonly DayInfo[], filter: FilterSpec, scope: ReadScope): DayRange[] {
  const times = compileFilter({
    since: filter.since,
    until: filter.until,
    apps: [],
    regions: [],
    instances: [],
    levels: [],
  });
  const ranges: DayRange[] = [];
  for (const info of days) {
    const { day } = info;
    if (scope.day !== null && day !== scope.day) continue;
    const start = scope.start === null || day > scope.start.day
      ? 0
      : day < scope.start.day
      ? info.bytes
      : scope.start.offset;
    if (start >= info.bytes) continue;
    const touches = dayTouches(day, filter);
    const { first, last } = info;
    if (!touches && !times.mayMatchBlock({ first, last, untimed: 0, apps: null })) continue;
    const range = { day, start: 0, end: info.bytes, edition: info.edition, timedOnly: !touches };
    ranges.push(start === 0 ? range : startingAt(range, scope.start!));
  }
  return ranges.sort((a, b) => a.day - b.day);
}

function dayTouches(day: DayNumber, { since, until }: FilterSpec): boolean {
  if (since && since.seconds >= (day + 1) * DAY_SECONDS) return false;
  if (!until) return true;
  const untilDayStart = until.seconds - day * DAY_SECONDS;
  return untilDayStart > 0 || (untilDayStart === 0 && until.nanoseconds > 0);
}

/** What of `ranges` lies at or after `place`, which is in the day of one of them. */
export function rangesFrom(ranges: readonly DayRange[], place: Place): DayRange[] {
  return ranges.filter(({ day }) => day >= place.day)
    .map((range) => range.day === place.day ? startingAt(range, place) : range);
}

/** What of `ranges` lies before `place`, which is in the day of one of them. */
export function rangesBefore(ranges: readonly DayRange[], place: Place): DayRange[] {
  return ranges.filter(({ day }) => day <= place.day)
    .map((range) => range.day === place.day ? endingAt(range, place) : range);
}

/** Cuts `ranges` so that they are no more than the first `bytes` of what they were. */
export function firstBytes(ranges: readonly DayRange[], bytes: number): DayRange[] {
  const kept: DayRange[] = [];
  let left = bytes;
  for (const range of ranges) {
    if (left <= 0) break;
    const { start, end, edition, startEdition = edition } = range;
    kept.push(end <= start + left ? range : endingAt(range, { offset: start + left, edition: startEdition }));
    left -= end - start;
  }
  return kept;
}

/**
 * Cuts `ranges` so that they are no more than the last `bytes` of what they were. One whose start and end are of two editions
 * stays whole: how much it is cannot be told without reading.
 */
export function lastBytes(ranges: readonly DayRange[], bytes: number): DayRange[] {
  const kept: DayRange[] = [];
  let left = bytes;
  for (const range of ranges.toReversed()) {
    if (left <= 0) break;
    const { start, end, edition, startEdition = edition } = range;
    kept.unshift(
      start >= end - left || startEdition !== edition
        ? range
        : startingAt(range, { offset: end - left, edition }),
    );
    left -= end - start;
  }
  return kept;
}

/** `range` from a place of its day on. */
function startingAt(
  { startEdition: _, ...range }: DayRange,
  { offset, edition }: Pick<Place, "offset" | "edition">,
): DayRange {
  return offset === 0 || edition === range.edition
    ? { ...range, start: offset }
    : { ...range, start: offset, startEdition: edition };
}

/** `range` up to a place of its day. */
function endingAt(
  { startEdition, ...range }: DayRange,
  { offset, edition }: Pick<Place, "offset" | "edition">,
): DayRange {
  const from = startEdition ?? range.edition;
  return startingAt({ ...range, end: offset, edition }, { offset: range.start, edition: from });
}
