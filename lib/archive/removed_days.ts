/**
 * Promises to remember each day that retention removed, so that "gone" is never told as "never was".
 *
 * @module
 */

import { join } from "node:path";
import * as v from "valibot";
import { dayName, type DayNumber, parseDayName } from "../day.ts";
import { parseJson } from "../json.ts";
import { checkedLine, readCheckedLine } from "./checked_line.ts";
import { readTextIfThere, writeAll, writeFileWhole } from "./disk.ts";
import { DAMAGED_SUFFIX, REMOVED_FILE } from "./format.ts";

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const removedSchema = v.strictObject({
  day: v.string(),
  lines: size,
  bytes: size,
  reason: v.string(),
  at: v.pipe(v.string(), v.isoTimestamp()),
});

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
  #newest: DayNumber | null = null;
  /** Lines that a full disk did not take yet. */
  #rest = "";

  /** What is wrong with each line that could not be read; these were set aside. */
  readonly faults: readonly string[];

  private constructor(path: string, days: Set<DayNumber>, faults: readonly string[]) {
    this.#path = path;
    this.#days = days;
    for (const day of days) this.#newest = Math.max(this.#newest ?? day, day);
    this.faults = faults;
  }

  /**
   * Reads what is known. Lines that cannot be read are set aside: they cost no line of any day, but a day of which they
   * told is answered as if it had never been.
   */
  static open(directory: string): RemovedDays {
    const path = join(directory, REMOVED_FILE);
    const { days, intact, damaged, faults, isTorn } = readRemovedDays(directory);
    if (faults.length > 0 || isTorn) setAside(path, intact, damaged);
    return new RemovedDays(path, days, faults);
  }

  /** The newest of them; null where there is none. */
  get newest(): DayNumber | null {
    return this.#newest;
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
    this.#newest = Math.max(this.#newest ?? day, day);
    const { atMs, ...rest } = removal;
    const line = checkedLine({ day: dayName(day), ...rest, at: new Date(atMs).toISOString() });
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

/** What {@linkcode readRemovedDays} found. */
export interface FoundRemovals {
  /** The days. */
  days: Set<DayNumber>;
  /** The lines that tell of them. */
  intact: string[];
  /** The other lines. */
  damaged: string[];
  /** What is wrong with each of those. */
  faults: string[];
  /** Whether a crash left the start of a line: of a day that was not removed then, since the line comes first. */
  isTorn: boolean;
}

/** What the file in `directory` says, line by line. Changes nothing. */
export function readRemovedDays(directory: string): FoundRemovals {
  const days = new Set<DayNumber>();
  const intact: string[] = [];
  const damaged: string[] = [];
  const faults: string[] = [];
  const lines = (readTextIfThere(join(directory, REMOVED_FILE)) ?? "").split("\n");
  const isTorn = isStartOfLine(lines.at(-1)!);
  if (isTorn) lines.pop();
  for (const [number, line] of lines.entries()) {
    if (line === "") continue;
    const day = readRemovedDay(line);
    if (typeof day === "number") {
      days.add(day);
      intact.push(line);
      continue;
    }
    damaged.push(line);
    faults.push(`Cannot read line ${number + 1} of "${REMOVED_FILE}": ${day}`);
  }
  return { days, intact, damaged, faults, isTorn };
}

/** Whether a line without an end has no closing bracket, and not for the reason that only the bracket has changed. */
function isStartOfLine(line: string): boolean {
  return line !== "" && !line.endsWith("}") && typeof readRemovedDay(line.slice(0, -1) + "}") === "string";
}

/** The day of which a line tells, which may be one of before lines had checksums; or what is wrong with it. */
function readRemovedDay(line: string): DayNumber | string {
  const { json, check } = readCheckedLine(line);
  if (check === "wrong") return "its checksum is wrong";
  const value = parseJson(json);
  if (value === undefined) return "it is no JSON";
  const removed = v.safeParse(removedSchema, value);
  return (removed.success ? parseDayName(removed.output.day) : null) ?? "it tells of no removed day";
}

/** Keeps damaged lines beside the file, and writes it without them and without the start of one; a full disk has to wait for the next start. */
function setAside(path: string, intact: readonly string[], damaged: readonly string[]): void {
  try {
    if (damaged.length > 0) {
      using file = Deno.openSync(path + DAMAGED_SUFFIX, { append: true, create: true });
      writeAll(file, new TextEncoder().encode(damaged.map((line) => `${line}\n`).join("")));
      file.syncSync();
    }
    writeFileWhole(path, intact.map((line) => `\n${line}`).join(""));
  } catch (error) {
    if (!(error instanceof Error) || !/os error 28/.test(error.message)) throw error;
  }
}
