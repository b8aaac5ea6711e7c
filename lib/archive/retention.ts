/**
 * Promises to choose which day goes next when days are too many or the volume is too full: the oldest sealed
 * one, and never today. Age is counted against what was recorded, since a clock may be wrong.
 *
 * @module
 */

import { type DayNumber, parseDayName } from "../day.ts";
import type { Trust } from "./clock_trust.ts";
import type { DayInfo } from "./day/day_info.ts";

/** What retention goes by. */
export interface RetentionRule {
  /** The day that it is now by the wall clock. */
  today: DayNumber;
  /** How far that clock is believed. */
  trust: Trust;
  /** The newest day of which there are lines, see {@linkcode newestRecorded}; null where there is none. */
  recorded: DayNumber | null;
  /** A day is kept until it is older than this many days; null for ever. */
  retentionDays: number | null;
  /** The share of the volume that may be used, in percent; null for all of it. */
  maxDiskPercent: number | null;
  /** How full the volume is, in percent; null where that is no reason to remove a day. */
  usedPercent: number | null;
}

/** A day that has to go, and why; or one that is too old and stays until the clock is known to be right. */
export interface Expired {
  /** Which day. */
  day: DayNumber;
  /** Why, in words. */
  reason: string;
  /** Whether it stays for now. */
  waits: boolean;
}

/**
 * The newest day of which there are lines, by their own timestamps: with a clock that is ahead, lines whose
 * timestamp is too far from it lie in the day of their arrival. Null where there are no lines.
 */
export function newestRecorded(days: readonly DayInfo[]): DayNumber | null {
  let newest: DayNumber | null = null;
  for (const { day, lines, last } of days) {
    if (lines === 0) continue;
    const stamped = last === null ? day : parseDayName(last.slice(0, 10)) ?? Infinity;
    newest = Math.max(newest ?? -Infinity, Math.min(day, stamped));
  }
  return newest;
}

/**
 * Returns the one of `sealed` that has to go, and why; null where none has to. By its age a day goes on the day
 * on which it reaches the age of `RETENTION_DAYS`. One that is older than that, after a pause of the recorder or
 * with a new `RETENTION_DAYS`, goes once the clock is believed.
 */
export function chooseExpired(sealed: readonly DayInfo[], rule: RetentionRule): Expired | null {
  const { today, recorded, retentionDays, maxDiskPercent, usedPercent, trust } = rule;
  const newest = Math.max(today, recorded ?? today);
  const days = sealed.map((info) => info.day).filter((day) => day < newest);
  if (days.length === 0) return null;
  const day = Math.min(...days);
  if (maxDiskPercent !== null && usedPercent !== null && usedPercent > maxDiskPercent) {
    return { day, reason: `the volume is ${usedPercent.toFixed(1)} % full`, waits: false };
  }
  if (retentionDays === null) return null;
  const overdue = Math.min(today, recorded ?? today) - day - retentionDays;
  if (overdue <= 0) return null;
  const waits = trust === "none" || (trust === "next" && overdue > 1);
  return { day, reason: `older than ${retentionDays} days`, waits };
}
