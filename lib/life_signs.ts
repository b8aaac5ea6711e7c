/**
 * Promises that the moment up to which everything is known to be here, and safe, is on the disk while the program
 * runs, and that what was missed since is a gap when it starts again, however it ended.
 *
 * @module
 */

import { type AliveMark, type KeptNote } from "./archive/alive_mark.ts";
import type { Archive } from "./archive/archive.ts";
import { parseFileName } from "./archive/format.ts";
import type { GapLedger } from "./archive/gap_ledger.ts";
import type { Clock } from "./clock.ts";
import { KeptMoments } from "./kept_moments.ts";
import type { KnownGood } from "./known_good.ts";
import type { Logger } from "./logger.ts";
import { parseTimestamp, timestampMs } from "./timestamp.ts";

/** See {@linkcode LifeSigns}. */
export interface LifeSignsOptions {
  /** Has to have the lines. */
  archive: Archive;
  /** Has to have the gaps. */
  gaps: GapLedger;
  /** Where the signs are left. */
  alive: AliveMark;
  /** Tells the time at the start. */
  clock: Clock;
  /** Hears of what cannot be written. */
  logger: Logger;
  /** Tells up to when everything is here. */
  knownGood: KnownGood;
  /** The session that lasts. What was seen in one is not written after it: there is a gap then, which may begin before. */
  session(): object | null;
}

/** Leaves the signs and reads them. */
export class LifeSigns {
  readonly #options: LifeSignsOptions;
  readonly #kept = new KeptMoments();
  #moving: Promise<void> | null = null;
  #noting: Promise<void> | null = null;
  #notedMs = -Infinity;
  #noteFails = false;

  /** Touches nothing yet. */
  constructor(options: LifeSignsOptions) {
    this.#options = options;
  }

  /** The last moment up to which everything is in the files, by {@linkcode Clock.elapsed}; null where none is known. */
  get keptMs(): number | null {
    return this.#kept.written?.goodMs ?? null;
  }

  /**
   * What was not recorded before this process: after a crash from the last sign on, else since it was stopped. Where
   * there never was a sign, resolves when there is one: a crash from then on has a start.
   */
  async readPast(): Promise<void> {
    const { gaps, alive, clock, logger } = this.#options;
    const nowMs = clock.now();
    const markMs = alive.read();
    const openMs = gaps.open.reduce((first, { sinceMs }) => Math.min(first, sinceMs), Infinity);
    if (markMs !== null) {
      const goodMs = Math.max(markMs, this.#keptBefore(alive.readNote()));
      // What is in the future was told by another clock: whatever is right, the last line had come.
      const sinceMs = goodMs > nowMs ? Math.min(goodMs, this.#lastStampMs() ?? nowMs) : goodMs;
      if (goodMs < openMs) gaps.begin("crash", sinceMs);
      gaps.flush().then(() => alive.forgetNote()).catch((error) => this.#reportNote(error));
      return;
    }
    // A ledger without a mark: the mark was lost, and what is known is that the last gap has ended.
    const lastMs = gaps.latest()?.untilMs ?? null;
    if (openMs === Infinity && lastMs === null) gaps.begin("start", nowMs);
    if (openMs === Infinity && lastMs !== null) gaps.begin("crash", Math.min(lastMs, nowMs));
    try {
      await alive.move(Math.min(openMs, lastMs ?? nowMs, nowMs));
    } catch (error) {
      logger.log("error", "mark of life not moved", { reason: (error as Error).message });
    }
  }

  /** Looks how far the archive has come; to be called a few times a second while lines are recorded. */
  look(): void {
    this.#kept.look(this.#options.knownGood.goodMs, this.#options.archive.ends());
    this.#writeNote();
  }

  /** The archive has written something. */
  followArchive(): void {
    if (!this.#kept.isWaiting) return;
    this.#kept.follow(this.#options.archive.ends());
    this.#writeNote();
  }

  /** Moves the mark of life to the time up to which everything is known to be here, once it is on the disk. */
  moveMark(): void {
    if (this.#moving !== null) return;
    const { archive, gaps, alive, knownGood, logger, session } = this.#options;
    const recording = session();
    const markMs = knownGood.sinceMs(knownGood.goodMs);
    this.#moving = Promise.all([archive.sync(), gaps.flush()])
      .then(async () => {
        // A closed archive only seems to be synced.
        if (recording !== null && session() === recording) await alive.move(markMs);
      })
      .catch((error) => logger.log("error", "mark of life not moved", { reason: (error as Error).message }))
      .finally(() => this.#moving = null);
  }

  /** Writes down up to when everything is in the files, and what that rests on. */
  #writeNote(): void {
    const { archive, gaps, alive, knownGood, session } = this.#options;
    const recording = session();
    const moment = this.#kept.written;
    if (this.#noting !== null || recording === null) return;
    if (moment === null || moment.goodMs <= this.#notedMs) return;
    // After a failure nobody knows what the system has kept.
    if (archive.trouble !== null) return;
    const days = moment.ends
      .filter(({ appended, synced }) => appended > synced)
      .map(({ day, appended }) => ({ day, bytes: appended }));
    const sinceMs = knownGood.sinceMs(moment.goodMs);
    this.#noting = gaps.flush()
      .then(async () => {
        if (session() !== recording) return;
        await alive.note({ sinceMs, days });
        this.#notedMs = moment.goodMs;
        this.#noteFails = false;
      })
      .catch((error) => this.#reportNote(error))
      .finally(() => this.#noting = null);
  }

  /** What the note says, if the archive has all that it rests on; else -Infinity. */
  #keptBefore(note: KeptNote | null): number {
    const { archive } = this.#options;
    if (note === null) return -Infinity;
    const damagedDays = archive.findings
      .filter(({ damage }) => damage)
      .map(({ file }) => parseFileName(file)?.day);
    const holds = note.days.every(({ day, bytes }) =>
      (archive.day(day)?.bytes ?? -1) >= bytes && !damagedDays.includes(day)
    );
    return holds ? note.sinceMs : -Infinity;
  }

  /** The latest timestamp of a line in the archive's last day, in milliseconds since 1970; null if it has none. */
  #lastStampMs(): number | null {
    const last = parseTimestamp(this.#options.archive.days()[0]?.last ?? "");
    return last === null ? null : timestampMs(last);
  }

  #reportNote(error: unknown): void {
    if (this.#noteFails) return;
    this.#noteFails = true; // it is tried many times a second
    this.#options.logger.log("error", "mark of life not noted", { reason: (error as Error).message });
  }
}
