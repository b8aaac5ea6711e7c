/**
 * Promises to find whatever is wrong in an archive by reading all of it, and to change nothing: the archive
 * may be a copy, or one that is being recorded into.
 *
 * @module
 */

import type { DayNumber } from "../day.ts";
import type { Gap } from "../gaps/gap.ts";
import { AliveMark, type KeptNote } from "../gaps/alive_mark.ts";
import { DayVerifier, type FoundFile, type VerifiedDay } from "./day_verifier.ts";
import { listDayFiles } from "../archive/day_files.ts";
import { sizeOf } from "../archive/disk.ts";
import { GAPS_FILE, KEPT_FILE } from "../archive/format.ts";
import { readGaps } from "../gaps/ledger_reader.ts";
import { findLostGaps, findShortDays } from "../archive/repair/losses.ts";
import { readRemovedDays } from "../archive/removed_days.ts";

export type { VerifiedDay } from "./day_verifier.ts";

/** Who hears of what {@linkcode verifyArchive} finds, while it reads. */
export interface VerifyEvents {
  /** A day was read. */
  onDay(day: VerifiedDay): void;
  /** A sentence with the file's name. */
  onFault(fault: string): void;
  /** How many bytes of files were read so far, and how many there are. */
  onProgress(doneBytes: number, totalBytes: number): void;
}

/** What was found in all. */
export interface VerifySummary {
  /** How many days there are. */
  days: number;
  /** How many lines they have. */
  lines: number;
  /** How many faults were found. */
  faults: number;
  /** The gaps that the ledger tells of. */
  gaps: Gap[];
  /** How many days were removed by retention. */
  removedDays: number;
}

/**
 * Reads every file of the archive in `directory`. Blocks while it works on a day.
 *
 * @throws {Error} If `directory` cannot be listed.
 */
export async function verifyArchive(directory: string, events: VerifyEvents): Promise<VerifySummary> {
  const alive = new AliveMark(directory);
  // Before the rest: what is being recorded grows, and the note with it.
  const isMarked = alive.read() !== null;
  const note = alive.readNote();
  const days = await listFiles(directory);
  const total = [...days.values()].flat().reduce((sum, { bytes }) => sum + bytes, 0);
  const summary: VerifySummary = { days: 0, lines: 0, faults: 0, gaps: [], removedDays: 0 };
  const bytesOfDays = new Map<DayNumber, number | null>();
  const fault = (text: string): void => {
    summary.faults++;
    events.onFault(text);
  };
  let done = 0;
  for (const [day, files] of days) {
    const verified = new DayVerifier(directory, day, {
      ...events,
      onProgress: (bytes) => events.onProgress(done + bytes, total),
    }).run(files);
    done += files.reduce((sum, { bytes }) => sum + bytes, 0);
    summary.faults += verified.faults;
    if (files.every(({ kind }) => kind.kind === "torn")) continue;
    bytesOfDays.set(day, verified.faults > 0 ? null : verified.bytes);
    summary.days++;
    summary.lines += verified.lines;
    events.onDay(verified);
  }
  const { gaps, lastId, damagedLines, faults } = readGaps(directory);
  summary.faults += damagedLines;
  for (const fault of faults) events.onFault(fault);
  if (damagedLines > faults.length) {
    events.onFault(`Cannot read ${damagedLines - faults.length} more lines of the gap ledger`);
  }
  const { days: removed, faults: removedFaults } = readRemovedDays(directory);
  summary.faults += removedFaults.length;
  for (const fault of removedFaults) events.onFault(fault);
  if (note === "damaged") fault(`Cannot read "${KEPT_FILE}": its checksum is wrong`);
  const kept: KeptNote | null = note === "damaged" ? null : note;
  const bytesOf = (day: DayNumber) =>
    removed.has(day) ? null : bytesOfDays.has(day) ? bytesOfDays.get(day)! : 0;
  for (const { file, what } of kept === null ? [] : findShortDays(kept, bytesOf)) {
    fault(`Cannot verify "${file}": it ${what}`);
  }
  const lostGaps = findLostGaps(kept, isMarked, lastId);
  if (lostGaps !== null) fault(`Cannot verify "${GAPS_FILE}": it ${lostGaps}`);
  summary.gaps = gaps;
  summary.removedDays = removed.size;
  return summary;
}

/** The files of each day with their sizes, the oldest day first. */
async function listFiles(directory: string): Promise<Map<DayNumber, FoundFile[]>> {
  const days = await listDayFiles(directory);
  return new Map(
    [...days].map((
      [day, files],
    ) => [day, files.map(({ kind, path }) => ({ kind, bytes: sizeOf(path) ?? 0 }))]),
  );
}
