/**
 * Promises to choose which day goes next when days are too many or the volume is too full: the oldest sealed
 * one, and never today.
 *
 * @module
 */

import { type DayNumber, parseDayName } from "../day.ts";
import type { DayInfo } from "./recorded_day.ts";

/** What retention goes by. */
export interface RetentionRule {
  /** The day that it is now, which is never removed. */
  today: DayNumber;
  /** A day is kept until it is older than this many days; null for ever. */
  retentionDays: number | null;
  /** The share of the volume that may be used, in percent; null for all of it. */
  maxDiskPercent: number | null;
  /** How full the volume is, in percent; null where that is no reason to remove a day. */
  usedPercent: number | null;
}

/** Gives the one of `sealed` that has to go, and why; null where none has to. */
export function chooseExpired(
  sealed: readonly DayInfo[],
  rule: RetentionRule,
): { day: DayNumber; reason: string } | null {
  const days = sealed.map((info) => parseDayName(info.day)!).filter((day) => day < rule.today);
  if (days.length === 0) return null;
  const day = Math.min(...days);
  if (rule.retentionDays !== null && rule.today - day > rule.retentionDays) {
    return { day, reason: `older than ${rule.retentionDays} days` };
  }
  const { maxDiskPercent, usedPercent } = rule;
  if (maxDiskPercent !== null && usedPercent !== null && usedPercent > maxDiskPercent) {
    return { day, reason: `the volume is ${usedPercent.toFixed(1)} % full` };
  }
  return null;
}
