/**
 * Promises a list of days in which none is left out between the first that was recorded and today: a day without lines
 * is not to look like one that never was.
 *
 * @module
 */

import type { DayInfo } from "../lib/archive/archive.ts";
import type { DayNumber } from "../lib/day.ts";

/** More days than this are not listed for people; `/logs` has all that were recorded. */
export const DAYS_LIMIT = 400;

/**
 * Newest first, from `today` on, and one more than {@linkcode DAYS_LIMIT} where there are more. With lines of the 20th and
 * the 22nd, and today the 23rd: 23, 22, 21, 20. Empty where nothing was ever recorded.
 */
export function listedDays(infos: readonly DayInfo[], today: DayNumber): DayNumber[] {
  const recorded = infos.map((info) => info.day);
  if (recorded[0] !== undefined && recorded[0] < today) recorded.unshift(today);
  const days: DayNumber[] = [];
  for (const day of recorded) {
    const newer = days.at(-1) ?? day + 1;
    for (let between = newer - 1; between > day && days.length <= DAYS_LIMIT; between--) days.push(between);
    if (days.length <= DAYS_LIMIT) days.push(day);
  }
  return days;
}
