/**
 * Promises a list of days in which none is left out between the first that was recorded and today: a day without lines
 * is not to look like one that never was.
 *
 * @module
 */

import type { DayNumber } from "../lib/day.ts";
import type { DaySource } from "./parts.ts";

/** More days than this are not listed for people; `/logs` has all that were recorded. */
export const DAYS_LIMIT = 400;

/**
 * Newest first, from `today` on, and one more than {@linkcode DAYS_LIMIT} where there are more. With lines of the 20th and
 * the 22nd, and today the 23rd: 23, 22, 21, 20. Empty where nothing was ever recorded. Days whose files cannot be read were
 * recorded.
 */
export function listedDays(archive: Pick<DaySource, "days" | "untouched">, today: DayNumber): DayNumber[] {
  const recorded = knownDays(archive);
  if (recorded[0] !== undefined && recorded[0] < today) recorded.unshift(today);
  const days: DayNumber[] = [];
  for (const day of recorded) {
    const newer = days.at(-1) ?? day + 1;
    for (let between = newer - 1; between > day && days.length <= DAYS_LIMIT; between--) days.push(between);
    if (days.length <= DAYS_LIMIT) days.push(day);
  }
  return days;
}

/** Every day of which there are files, newest first: those that can be read, and those that cannot. */
export function knownDays(archive: Pick<DaySource, "days" | "untouched">): DayNumber[] {
  const readable = archive.days().map(({ day }) => day);
  if (archive.untouched.size === 0) return readable;
  return [...readable, ...archive.untouched.keys()].sort((a, b) => b - a);
}
