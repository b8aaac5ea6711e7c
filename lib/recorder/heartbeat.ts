/**
 * Promises a heartbeat on the disk: the moment up to which every line is here and safe, written while the program runs. When
 * it starts again, however it ended, what was missed since that moment is a gap, and so is what was on the disk then and is
 * not there any more.
 *
 * The heartbeat has two parts, see heartbeat_files.ts. The *mark* is moved every 5 s, after a sync, and holds after a loss
 * of power. The *note* is written several times a second, when the lines are in the files but perhaps not on the disk, and
 * holds after a kill. Example: the program is killed at 12:00:09.7. The mark says 12:00:05.0 and the note 12:00:09.6, and
 * all bytes that the note rests on are in the files: the gap begins at 12:00:09.6. After a loss of power some of them are
 * not, and it begins at 12:00:05.0.
 *
 * @module
 */

import type { HeartbeatFiles, KeptDay, KeptNote } from "../gaps/heartbeat_files.ts";
import type { Archive, DayEnds } from "../archive/archive.ts";
import { GAPS_FILE, KEPT_FILE, parseFileName } from "../archive/format.ts";
import type { GapLedger } from "../gaps/ledger.ts";
import { findLostGaps, findShortDays, spanOfLost, spanOfLostGaps } from "../archive/repair/losses.ts";
import type { Clock } from "../clock.ts";
import type { Span } from "../gaps/gap.ts";
import { KeptMoments } from "./kept_moments.ts";
import type { KnownGood } from "./known_good.ts";
import type { Logger } from "../logger.ts";
import { parseTimestamp, timestampMs } from "../timestamp.ts";

/** See {@linkcode Heartbeat}. */
export interface HeartbeatOptions {
  /** Has to have the lines. */
  archive: Archive;
  /** Has to have the gaps. */
  gaps: GapLedger;
  /** Where the heartbeat is left. */
  heartbeatFiles: HeartbeatFiles;
  /** Tells the time at the start. */
  clock: Clock;
  /** Hears of what cannot be written. */
  logger: Logger;
  /** Tells up to when everything is here. */
  knownGood: KnownGood;
  /**
   * The session that lasts; null between two. A moment that was found good in a session is not written down after it has
   * ended: a gap begins then, and may begin before that moment.
   */
  session(): object | null;
}

/** Leaves the heartbeat, and reads it at the start. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #kept = new KeptMoments();
  #moving: Promise<void> | null = null;
  #noting: Promise<void> | null = null;
  #notedMs = -Infinity;
  #noteFails = false;

  /** Touches nothing yet. */
  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** The last moment up to which everything is in the files, by {@linkcode Clock.elapsed}; null where none is known. */
  get keptMs(): number | null {
    return this.#kept.written?.goodMs ?? null;
  }

  /**
   * Begins the gap of what was not recorded before this process: since the last heartbeat after a crash, else since the
   * stop. Makes gaps of what was recorded and is not there any more. Writes the heartbeat anew once the ledger has all that
   * on the disk. Where there was no mark, resolves when there is one, so that the gap of a crash from then on has a
   * beginning; or when the disk takes none.
   */
  async readPast(): Promise<void> {
    const { archive, gaps, heartbeatFiles, clock } = this.#options;
    const nowMs = clock.now();
    const markMs = heartbeatFiles.read();
    const note = this.#readNote();
    const openMs = gaps.open.reduce((first, { sinceMs }) => Math.min(first, sinceMs), Infinity);
    const lastMs = gaps.latest()?.untilMs ?? null;
    const lost = this.#lostSpans(note, markMs);
    let goodMs = Math.min(openMs, lastMs ?? nowMs, nowMs);
    if (markMs !== null) {
      goodMs = Math.max(markMs, this.#keptBefore(note));
      // A mark in the future was made when the clock stood otherwise. Whichever was right, the last line had been taken: the
      // gap begins with its timestamp.
      const sinceMs = goodMs > nowMs ? Math.min(goodMs, this.#lastStampMs() ?? nowMs) : goodMs;
      if (goodMs < openMs) gaps.begin("crash", sinceMs);
    } else if (openMs === Infinity) {
      // Where there are gaps and no mark, the mark was lost. The last that is known is the end of the last gap.
      if (lastMs === null) gaps.begin("start", nowMs);
      else gaps.begin("crash", Math.min(lastMs, nowMs));
    }
    gaps.cover("disk", lost);
    const kept = { sinceMs: goodMs, days: keptDays(archive.ends()), lastGap: gaps.lastId };
    // The ledger first: the next start takes a mark without any gap to mean that the ledger was lost.
    const signing = gaps.flush()
      .then(async () => {
        if (await gaps.tryWrite()) archive.settleLosses();
        heartbeatFiles.noteAtOnce(kept);
        if (markMs === null) await heartbeatFiles.move(goodMs);
      })
      .catch((error) => this.#reportNote(error));
    if (markMs === null && await gaps.tryWrite()) await signing;
  }

  /** Leaves the heartbeat of a process that ends, after everything that it has recorded is on the disk. */
  async leave(): Promise<void> {
    const { archive, gaps, heartbeatFiles, clock } = this.#options;
    const sinceMs = clock.now();
    await heartbeatFiles.move(sinceMs);
    heartbeatFiles.noteAtOnce({ sinceMs, days: keptDays(archive.ends()), lastGap: gaps.lastId });
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

  /** Moves the mark to the moment up to which every line is here now, once these lines are on the disk. */
  moveMark(): void {
    if (this.#moving !== null) return;
    const { archive, gaps, heartbeatFiles, knownGood, logger, session } = this.#options;
    const recording = session();
    const markMs = knownGood.sinceMs(knownGood.goodMs);
    gaps.look();
    this.#moving = Promise.all([archive.sync(), gaps.flush()])
      .then(async ([isSynced]) => {
        if (!isSynced || recording === null || session() !== recording) return;
        await heartbeatFiles.move(markMs);
      })
      .catch((error) => logger.log("error", "mark of life not moved", { reason: (error as Error).message }))
      .finally(() => this.#moving = null);
  }

  /** Writes the note: up to when every line is in the files, and how long each file has to be for that to hold. */
  #writeNote(): void {
    const { archive, gaps, heartbeatFiles, knownGood, session } = this.#options;
    const recording = session();
    const moment = this.#kept.written;
    if (this.#noting !== null || recording === null) return;
    if (moment === null || moment.goodMs <= this.#notedMs) return;
    // After a write or a sync that failed it is not known which bytes the system has kept.
    if (archive.trouble !== null) return;
    const sinceMs = knownGood.sinceMs(moment.goodMs);
    const note = { sinceMs, days: keptDays(moment.ends), lastGap: gaps.lastId };
    this.#noting = gaps.flush()
      .then(async () => {
        if (session() !== recording) return;
        await heartbeatFiles.note(note);
        this.#notedMs = moment.goodMs;
        this.#noteFails = false;
      })
      .catch((error) => this.#reportNote(error))
      .finally(() => this.#noting = null);
  }

  #readNote(): KeptNote | null {
    const note = this.#options.heartbeatFiles.readNote();
    if (note !== "damaged") return note;
    const what = "cannot be read: whether days or the gap ledger were cut since is not known";
    this.#options.archive.noteFinding({ file: KEPT_FILE, what, damage: true });
    return null;
  }

  /** Reports what was on the disk once and is not there any more, and returns the timestamps that it may have had. */
  #lostSpans(note: KeptNote | null, markMs: number | null): Span[] {
    const { archive, gaps } = this.#options;
    const knownMs = Math.max(markMs ?? -Infinity, note?.sinceMs ?? -Infinity);
    const spans: Span[] = [...archive.losses];
    const bytesOf = (day: number): number | null => {
      const isKnown = !archive.wasRemoved(day) && !archive.untouched.has(day);
      return isKnown ? archive.day(day)?.recordedBytes ?? 0 : null;
    };
    for (const { day, file, what } of note === null ? [] : findShortDays(note, bytesOf)) {
      archive.noteFinding({ file, what, damage: true });
      spans.push(spanOfLost(day, archive.day(day)?.last ?? null, knownMs));
    }
    const what = findLostGaps(note, markMs !== null, gaps.lastId);
    if (what === null) return spans;
    archive.noteFinding({ file: GAPS_FILE, what, damage: true });
    const oldest = archive.oldestDay();
    const span = spanOfLostGaps(gaps.latest(), oldest && oldest.day, knownMs);
    if (span !== null) spans.push(span);
    gaps.skipTo(note?.lastGap ?? 0);
    return spans;
  }

  /** The moment of the note, if the archive has all that it rests on; else -Infinity. */
  #keptBefore(note: KeptNote | null): number {
    const { archive } = this.#options;
    if (note === null) return -Infinity;
    const damagedDays = archive.findings
      .filter(({ damage }) => damage)
      .map(({ file }) => parseFileName(file)?.day);
    const holds = note.days.every(({ day, bytes, synced }) =>
      bytes === synced || ((archive.day(day)?.recordedBytes ?? -1) >= bytes && !damagedDays.includes(day))
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

function keptDays(ends: readonly DayEnds[]): KeptDay[] {
  return ends.map(({ day, appended, synced }) => ({ day, bytes: appended, synced }));
}
