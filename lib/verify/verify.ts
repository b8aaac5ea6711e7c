/**
 * Promises to find whatever is wrong in an archive by reading all of it, and to change nothing: the archive
 * may be a copy, or one that is being recorded into.
 *
 * @module
 */

import { basename, join } from "node:path";
import type { DayNumber } from "../day.ts";
import type { Gap } from "../gaps/gap.ts";
import { HeartbeatFiles, type KeptNote } from "../gaps/heartbeat_files.ts";
import { DayVerifier, type FoundFile, type VerifiedDay } from "./day_verifier.ts";
import { listDayFiles } from "../archive/day_files.ts";
import { sizeOf } from "../archive/disk.ts";
import { GAPS_FILE, GAPS_RESERVE_FILE, gzFile, KEPT_FILE, REMOVED_FILE } from "../archive/format.ts";
import { type ReadGaps, readGaps } from "../gaps/ledger_reader.ts";
import { findForeign, HELPER_FILES } from "../archive/repair/aside.ts";
import { findLostGaps, findShortDays } from "../archive/repair/losses.ts";
import { readRemovedDays } from "../archive/removed_days.ts";
import { type VerifiedGzip, verifyGzipFile } from "./gzip_verifier.ts";

export type { VerifiedDay } from "./day_verifier.ts";

/** Who hears of what {@linkcode verifyArchive} finds, while it reads. */
export interface VerifyEvents {
  /** A day was read. */
  onDay(day: VerifiedDay): void;
  /** A gzip file was read that has no index, in a directory where none has one: days that were downloaded. */
  onGzip(name: string, gzip: VerifiedGzip): void;
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

/** What can be said of a ledger that is no file. */
const NO_GAPS: ReadGaps = { gaps: [], lastId: 0, damagedLines: 0, faults: [] };

/**
 * Reads every file of the archive in `directory`. Blocks while it works on a day.
 *
 * @throws {Error} If `directory` cannot be listed.
 */
export async function verifyArchive(directory: string, events: VerifyEvents): Promise<VerifySummary> {
  const heartbeatFiles = new HeartbeatFiles(directory);
  // Before the rest: what is being recorded grows, and the note with it.
  const foreign = new Map(findForeign(directory).map(({ name, what }) => [name, what]));
  const isMarked = heartbeatFiles.read() !== null;
  const note = foreign.has(KEPT_FILE) ? null : heartbeatFiles.readNote();
  const days = await listFiles(directory);
  const areDownloads = [...days.values()].flat().every(({ kind }) => kind.kind === "gz") &&
    !hasHelperFiles(directory);
  const total = [...days.values()].flat().reduce((sum, { bytes }) => sum + bytes, 0);
  const summary: VerifySummary = { days: 0, lines: 0, faults: 0, gaps: [], removedDays: 0 };
  const bytesOfDays = new Map<DayNumber, number | null>();
  const fault = (text: string): void => {
    summary.faults++;
    events.onFault(text);
  };
  for (const [name, what] of foreign) fault(`Cannot verify "${name}": it is ${what}`);
  let done = 0;
  for (const [day, files] of days) {
    if (files.some(({ name }) => foreign.has(name))) {
      bytesOfDays.set(day, null);
      continue;
    }
    if (areDownloads) {
      const name = gzFile(day);
      const gzip = await verifyGzipFile(
        join(directory, name),
        (bytes) => events.onProgress(done + bytes, total),
      );
      done += files[0]!.bytes;
      for (const text of gzip.faults) fault(text);
      summary.days++;
      summary.lines += gzip.lines;
      events.onGzip(name, gzip);
      continue;
    }
    const verified = new DayVerifier(directory, day, {
      ...events,
      onProgress: (bytes) => events.onProgress(done + bytes, total),
    }).run(files);
    done += files.reduce((sum, { bytes }) => sum + bytes, 0);
    summary.faults += verified.faults;
    if (files.every(({ kind }) => kind.kind === "torn")) continue;
    // The note of what was synced counts what was recorded.
    bytesOfDays.set(day, verified.faults > 0 ? null : verified.bytes - verified.insertedBytes);
    summary.days++;
    summary.lines += verified.lines;
    events.onDay(verified);
  }
  const isLedgerReadable = !foreign.has(GAPS_FILE) && !foreign.has(GAPS_RESERVE_FILE);
  const { gaps, lastId, damagedLines, faults } = isLedgerReadable ? readGaps(directory) : NO_GAPS;
  summary.faults += damagedLines;
  for (const fault of faults) events.onFault(fault);
  if (damagedLines > faults.length) {
    events.onFault(`Cannot read ${damagedLines - faults.length} more lines of the gap ledger`);
  }
  const { days: removed, faults: removedFaults } = foreign.has(REMOVED_FILE)
    ? { days: new Set<DayNumber>(), faults: [] }
    : readRemovedDays(directory);
  summary.faults += removedFaults.length;
  for (const fault of removedFaults) events.onFault(fault);
  if (note === "damaged") fault(`Cannot read "${KEPT_FILE}": its checksum is wrong`);
  const kept: KeptNote | null = note === "damaged" ? null : note;
  const bytesOf = (day: DayNumber) =>
    removed.has(day) ? null : bytesOfDays.has(day) ? bytesOfDays.get(day)! : 0;
  for (const { file, what } of kept === null ? [] : findShortDays(kept, bytesOf)) {
    fault(`Cannot verify "${file}": it ${what}`);
  }
  const lostGaps = isLedgerReadable ? findLostGaps(kept, isMarked, lastId) : null;
  if (lostGaps !== null) fault(`Cannot verify "${GAPS_FILE}": it ${lostGaps}`);
  summary.gaps = gaps;
  summary.removedDays = removed.size;
  return summary;
}

/** Whether a file is there that belongs to no day: a directory of downloaded days has none. */
function hasHelperFiles(directory: string): boolean {
  return [...Deno.readDirSync(directory)].some(({ name }) => HELPER_FILES.includes(name));
}

/** The files of each day with their names and sizes, the oldest day first. */
async function listFiles(directory: string): Promise<Map<DayNumber, (FoundFile & { name: string })[]>> {
  const days = await listDayFiles(directory);
  return new Map(
    [...days].map(([day, files]) => [
      day,
      files.map(({ kind, path }) => ({ kind, name: basename(path), bytes: sizeIfReadable(path) })),
    ]),
  );
}

/** The size of a file; 0 for a symlink that leads nowhere, which is a fault of its own. */
function sizeIfReadable(path: string): number {
  try {
    return sizeOf(path) ?? 0;
  } catch {
    return 0;
  }
}
