/**
 * Promises that every day is read back once a week, slowly, so that what has changed on the disk is found before
 * somebody needs it, and said.
 *
 * @module
 */

import { join } from "node:path";
import * as v from "valibot";
import { type Cancel, type Clock, sleep } from "../../clock.ts";
import { dayName, type DayNumber, parseDayName } from "../../day.ts";
import type { Logger } from "../../logger.ts";
import { checkedLine, readCheckedLine } from "../checked_line.ts";
import { readTextIfThere } from "../disk.ts";
import { SCRUB_FILE, TEMPORARY_SUFFIX } from "../format.ts";
import type { DayInfo } from "../day/day_info.ts";
import type { ScrubResult } from "./scrub_task.ts";

/** A sealed day is read back after this long, in milliseconds. */
export const SCRUB_AFTER_MS = 7 * 86_400_000;

/** A day that still grows is read back after this long: it is there for a day only. */
export const SCRUB_HOT_AFTER_MS = 6 * 3_600_000;

/** How often it is looked whether a day is due, and how long after the start first, in milliseconds. */
export const SCRUB_TICK_MS = 60_000;

/** A pause after each piece of some 16 MiB, in milliseconds: so much a second is read at the most. */
export const SCRUB_PAUSE_MS = 1000;

/** At most so many places of damage are kept of one day. */
const DAMAGES_LIMIT = 10;

/** Where reading back goes on in a day: first what is sealed, then what is not. */
export interface ScrubPlace {
  /** Which text. */
  part: "sealed" | "hot";
  /** The number of the block. */
  from: number;
}

/** The archive, as far as it is read back. */
export interface Scrubbed {
  /** Every day there is. */
  days(): DayInfo[];
  /** Reads a piece of a day back; null where the day has none there. */
  scrub(day: DayNumber, place: ScrubPlace): Promise<ScrubResult | null>;
}

/** What is known of reading back. */
export interface ScrubStatus {
  /** When no day was due any more, in milliseconds since 1970; null if that never was. */
  lastFinishedMs: number | null;
  /** How many of the days that are there were read back since they became due last. */
  daysChecked: number;
  /** What could not be put right. */
  damaged: { day: string; what: string }[];
}

const time = v.pipe(v.string(), v.isoTimestamp());
const stateSchema = v.strictObject({
  flightlog: v.literal("scrub"),
  lastFinished: v.nullable(time),
  days: v.record(v.string(), v.strictObject({ at: time, damaged: v.array(v.string()) })),
});

interface CheckedDay {
  atMs: number;
  damaged: string[];
}

/** Reads an archive back. */
export class Scrub {
  readonly #path: string;
  readonly #archive: Scrubbed;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #checked: Map<DayNumber, CheckedDay>;
  #lastFinishedMs: number | null;
  #cancelTick: Cancel | null = null;
  #running: Promise<void> | null = null;
  readonly #stopped = new AbortController();

  /** Goes on where the one before ended, as the file in `directory` says; touches nothing before {@linkcode start}. */
  constructor(directory: string, options: { archive: Scrubbed; clock: Clock; logger: Logger }) {
    this.#path = join(directory, SCRUB_FILE);
    this.#archive = options.archive;
    this.#clock = options.clock;
    this.#logger = options.logger;
    const { checked, lastFinishedMs } = readState(this.#path);
    this.#checked = checked;
    this.#lastFinishedMs = lastFinishedMs;
  }

  /** Begins to look, once in {@linkcode SCRUB_TICK_MS}, whether a day is due. */
  start(): void {
    this.#cancelTick = this.#clock.every(SCRUB_TICK_MS, () => {
      this.#running ??= this.#run().finally(() => this.#running = null);
    });
  }

  /** Begins no piece any more, and waits for the one that is being read. */
  async stop(): Promise<void> {
    this.#cancelTick?.();
    this.#stopped.abort();
    await this.#running;
  }

  /** What is known. */
  status(): ScrubStatus {
    const days = this.#archive.days();
    const damaged = days.flatMap(({ day }) =>
      (this.#checked.get(day)?.damaged ?? []).map((what) => ({ day: dayName(day), what }))
    );
    const daysChecked = days.filter((day) => !this.#isDue(day)).length;
    return { lastFinishedMs: this.#lastFinishedMs, daysChecked, damaged };
  }

  async #run(): Promise<void> {
    let count = 0;
    while (!this.#stopped.signal.aborted) {
      const next = this.#nextDue();
      if (next === null) break;
      try {
        await this.#readBack(next);
        count++;
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        const [day, reason] = [dayName(next), (error as Error).message];
        this.#logger.log("error", "day not read back", { day, reason });
        this.#checked.set(next, { atMs: this.#clock.now(), damaged: [reason] });
      }
      await this.#save();
    }
    if (count === 0 || this.#stopped.signal.aborted) return;
    this.#lastFinishedMs = this.#clock.now();
    await this.#save();
    const damaged = this.status().damaged.length;
    this.#logger.log(damaged === 0 ? "info" : "error", "days read back", { days: count, damaged });
  }

  /** The day that was read back longest ago, of those that are due. */
  #nextDue(): DayNumber | null {
    const due = this.#archive.days().filter((day) => this.#isDue(day)).map(({ day }) => day);
    if (due.length === 0) return null;
    const checkedMs = (day: DayNumber): number => this.#checked.get(day)?.atMs ?? -Infinity;
    return due.reduce((first, day) => checkedMs(day) < checkedMs(first) ? day : first);
  }

  #isDue({ day, sealed }: DayInfo): boolean {
    const checked = this.#checked.get(day);
    if (checked === undefined) return true;
    const agoMs = this.#clock.now() - checked.atMs;
    return agoMs < 0 || agoMs >= (sealed ? SCRUB_AFTER_MS : SCRUB_HOT_AFTER_MS); // a clock may have been set back
  }

  async #readBack(day: DayNumber): Promise<void> {
    const damaged: string[] = [];
    for (const part of ["sealed", "hot"] as const) {
      for (let from: number | null = 0; from !== null;) {
        const result: ScrubResult | null = await this.#archive.scrub(day, { part, from });
        for (const what of result?.mended ?? []) {
          this.#logger.log("warn", "archive repaired", { file: dayName(day), what });
        }
        for (const what of result?.damaged ?? []) {
          this.#logger.log("error", "archive damaged", { file: dayName(day), what });
        }
        damaged.push(...result?.damaged ?? []);
        from = result?.next ?? null;
        if (result !== null) await sleep(this.#clock, SCRUB_PAUSE_MS, this.#stopped.signal);
        if (this.#stopped.signal.aborted) throw new Error("Cannot read on: it was stopped");
      }
    }
    this.#checked.set(day, { atMs: this.#clock.now(), damaged: damaged.slice(0, DAMAGES_LIMIT) });
  }

  /** Writes down what is known. Losing it costs one more reading, so nobody waits for the disk. */
  async #save(): Promise<void> {
    const there = new Set(this.#archive.days().map(({ day }) => day));
    for (const day of this.#checked.keys()) {
      if (!there.has(day)) this.#checked.delete(day);
    }
    const days = Object.fromEntries(
      [...this.#checked].map(([day, { atMs, damaged }]) => [dayName(day), { at: formatTime(atMs), damaged }]),
    );
    const lastFinished = this.#lastFinishedMs === null ? null : formatTime(this.#lastFinishedMs);
    try {
      await Deno.writeTextFile(
        this.#path + TEMPORARY_SUFFIX,
        checkedLine({ flightlog: "scrub", lastFinished, days }) + "\n",
      );
      await Deno.rename(this.#path + TEMPORARY_SUFFIX, this.#path);
    } catch (error) {
      this.#logger.log("warn", "scrub not written down", { reason: (error as Error).message });
    }
  }
}

/** What the file says; nothing where it is missing or damaged: then all days are due. */
function readState(path: string): { checked: Map<DayNumber, CheckedDay>; lastFinishedMs: number | null } {
  const nothing = { checked: new Map<DayNumber, CheckedDay>(), lastFinishedMs: null };
  let text: string;
  try {
    text = readTextIfThere(path) ?? "";
  } catch {
    return nothing;
  }
  const { json, check } = readCheckedLine(text.trimEnd());
  if (check !== "right") return nothing;
  const state = v.safeParse(stateSchema, JSON.parse(json));
  if (!state.success) return nothing;
  const { lastFinished, days } = state.output;
  const checked = new Map<DayNumber, CheckedDay>();
  for (const [name, { at, damaged }] of Object.entries(days)) {
    const day = parseDayName(name);
    if (day !== null) checked.set(day, { atMs: Date.parse(at), damaged });
  }
  return { checked, lastFinishedMs: lastFinished === null ? null : Date.parse(lastFinished) };
}

function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
