/**
 * Promises to remember each day that retention removed, so that "gone" is never told as "never was".
 *
 * @module
 */

import { join } from "node:path";
import * as v from "valibot";
import { dayName, type DayNumber, parseDayName } from "../day.ts";
import { readTextIfThere, writeAll } from "./disk.ts";
import { REMOVED_FILE } from "./format.ts";

const removedSchema = v.object({ day: v.string() });

/** What is written down of a removed day. */
export interface Removal {
  /** How many lines the day had. */
  lines: number;
  /** How long its text was, in bytes. */
  bytes: number;
  /** When, in milliseconds since 1970. */
  atMs: number;
  /** Why, in words. */
  reason: string;
}

/** The days that were removed, in a file of one line each. */
export class RemovedDays {
  readonly #path: string;
  readonly #days: Set<DayNumber>;
  /** Lines that a full disk did not take yet. */
  #rest = "";

  private constructor(path: string, days: Set<DayNumber>) {
    this.#path = path;
    this.#days = days;
  }

  /** Reads what is known. Lines that cannot be read are passed over: they cost no line of any day. */
  static open(directory: string): RemovedDays {
    const path = join(directory, REMOVED_FILE);
    const days = new Set<DayNumber>();
    for (const line of (readTextIfThere(path) ?? "").split("\n")) {
      const day = readRemovedDay(line);
      if (day !== null) days.add(day);
    }
    return new RemovedDays(path, days);
  }

  /** Whether the day was removed. */
  has(day: DayNumber): boolean {
    return this.#days.has(day);
  }

  /**
   * Writes down that a day is about to be removed; before it is, so that a crash cannot come between. A full
   * disk is no fault: the day must go all the same, as making room is why it goes.
   */
  add(day: DayNumber, removal: Removal): void {
    this.#days.add(day);
    const { atMs, ...rest } = removal;
    const line = JSON.stringify({ day: dayName(day), ...rest, at: new Date(atMs).toISOString() });
    this.#rest += `\n${line}`; // in front, so that a torn line before it stays alone
    this.writeRest();
  }

  /** Writes down what {@linkcode add} could not, now that a day is gone and there is room. */
  writeRest(): void {
    if (this.#rest === "") return;
    try {
      using file = Deno.openSync(this.#path, { append: true, create: true });
      writeAll(file, new TextEncoder().encode(this.#rest));
      file.syncSync();
      this.#rest = "";
    } catch (error) {
      if (!(error instanceof Error) || !/os error 28/.test(error.message)) throw error;
    }
  }
}

function readRemovedDay(line: string): DayNumber | null {
  try {
    const removed = v.safeParse(removedSchema, JSON.parse(line));
    return removed.success ? parseDayName(removed.output.day) : null;
  } catch {
    return null;
  }
}
