/**
 * Promises that after it ran, whatever a crash left in the directory is right again before the first write:
 * every whole line is where it was, what was torn off stands in a file of its own, derived files are those
 * of the truth or gone, half-done renames and removals are finished or undone. Damage in the middle of a
 * text is reported and never cut.
 *
 * The truth of a sealed text is its gzip file, that of everything after it the plain file. Where lines were inserted into a day that
 * grows, its plain file has lines before the end of the sealed text as well; they are not read any more.
 *
 * @module
 */

import { join } from "node:path";
import { dayName, type DayNumber } from "../../day.ts";
import { emptySummary } from "../blocks/block.ts";
import { indexHeader, insertedBytes, nextPlace } from "../blocks/day_index.ts";
import { cutEdits } from "../day/edits_check.ts";
import { cutTornTail, inspectFile, type TailCut } from "../day/plain_end.ts";
import type { DayState } from "../day/day_info.ts";
import { listDayFiles } from "../day_files.ts";
import { removeIfThere, sizeOf } from "../disk.ts";
import {
  editsFile,
  type FileKind,
  GAPS_FILE,
  gzFile,
  indexFile,
  parseFileName,
  plainFile,
  type SealEntry,
  TEMPORARY_SUFFIX,
  tornFile,
} from "../format.ts";
import type { Finding } from "./aside.ts";
import { spansOfDamagedLines } from "./damaged_lines.ts";
import { finishRenames } from "./finish_rename.ts";
import { readPart, removeParts, repairPart } from "./part_repair.ts";
import { PendingLosses } from "./pending_losses.ts";
import { repairPlains } from "./plain_repair.ts";
import { RepairPlace } from "./repair_place.ts";
import { repairSealed, repairUnsealed } from "./sealed_repair.ts";

/** What opening found. Days in `untouched` were left alone, each for the reason given. */
export interface Recovered {
  /** The days that can be read and recorded. */
  days: DayState[];
  /** The days left alone, and why. */
  untouched: Map<DayNumber, string>;
  /** What was out of order, in the order of its finding. */
  findings: Finding[];
  /** The lines that are lost, which the gap ledger does not know of yet. */
  losses: PendingLosses;
}

/**
 * Puts the archive in `directory` right; see the module's comment. Blocks while it works. A day whose files
 * cannot be read or written (a bad sector, a full disk) is left alone: the others must be recorded all the same.
 * `wasRemoved` tells of days that retention has begun to remove at least.
 */
export async function recoverArchive(
  directory: string,
  wasRemoved: (day: DayNumber) => boolean = () => false,
): Promise<Recovered> {
  const losses = new PendingLosses(directory);
  const recovered: Recovered = { days: [], untouched: new Map(), findings: [], losses };
  recovered.findings.push(...finishRenames(directory));
  removeTemporaries(directory);
  for (const [day, files] of await listDayFiles(directory)) {
    try {
      const kinds = files.map(({ kind }) => kind);
      const place = new RepairPlace(directory, day, recovered.findings, losses);
      const state = recoverDay(place, kinds, wasRemoved(day));
      if (state === "unknown version") {
        recovered.untouched.set(day, "its files were written by a newer version; run that version");
      } else if (state !== null) recovered.days.push(state);
    } catch (error) {
      const reason = (error as Error).message;
      recovered.untouched.set(day, reason);
      recovered.findings.push({ file: dayName(day), what: `left alone: ${reason}`, damage: true });
    }
  }
  return recovered;
}

/** Removes what a crash left half written: nothing refers to it. */
function removeTemporaries(directory: string): void {
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory || !name.endsWith(TEMPORARY_SUFFIX)) continue;
    const whole = name.slice(0, -TEMPORARY_SUFFIX.length);
    if (whole === GAPS_FILE || parseFileName(whole) !== null) removeIfThere(join(directory, name));
  }
}

/** Recovers one day from its `files`. */
function recoverDay(
  place: RepairPlace,
  files: readonly FileKind[],
  wasRemoved: boolean,
): DayState | "unknown version" | null {
  const plains = files.flatMap((file) => file.kind === "plain" ? [file.from] : []).sort((a, b) => a - b);
  const has = (wanted: FileKind["kind"]) => files.some(({ kind }) => kind === wanted);
  // A removal that was cut short left the index alone; it is finished here.
  if (wasRemoved && !has("gz") && plains.length === 0) removeIfThere(place.path(indexFile(place.day)));
  const found = has("gz") ? repairSealed(place, plains) : repairUnsealed(place, plains);
  if (found === "unknown version") return found;
  const seal = found === "unpacked" ? null : found;
  // What no seal tells of is of an insertion that a crash has ended, or of a text that is gone. It must not stay: where the index is
  // lost, it is this file that says how much was inserted.
  cutEdits(place.path(editsFile(place.day)), seal?.healed?.editsBytes ?? 0);
  const isNew = found === "unpacked" && !plains.includes(0);
  if (isNew && sizeOf(place.path(plainFile(place.day, 0))) !== null) plains.unshift(0);
  const from = repairPlains(place, plains, seal) ?? findLostPlain(place, seal);
  if (from !== null) return hotState(place, seal, from);
  removeParts(place);
  return seal === null ? null : sealedState(place, seal);
}

/** Where a plain file would start that is gone but whose lines the part still has; null for none. */
function findLostPlain(place: RepairPlace, seal: SealEntry | null): number | null {
  const part = readPart(place, seal);
  if (part.blocks.length === 0) return null;
  const from = part.header.rawFrom - insertedBytes(seal);
  place.note(plainFile(place.day, from), "was missing", true);
  return from;
}

function sealedState(place: RepairPlace, seal: SealEntry): DayState {
  return {
    day: place.day,
    seal,
    plain: null,
    part: { header: indexHeader(place.day, seal.rawBytes, 0), blocks: [], seal: null },
    tail: emptySummary(),
    modifiedMs: modifiedMs(place, gzFile(place.day)),
  };
}

function hotState(place: RepairPlace, seal: SealEntry | null, from: number): DayState {
  const name = plainFile(place.day, from);
  const path = place.path(name);
  const part = repairPart(place, from, seal);
  const covered = nextPlace(part).rawOffset - (from + insertedBytes(seal));
  const cut = cutTornTail(path, covered, (end) => place.path(tornFile(place.day, from + end)));
  if (cut.tornBytes > 0) {
    place.note(
      name,
      `cut to its last whole line: ${cut.tornBytes} bytes behind it, ${keptWords(place, from, cut)}`,
      false,
    );
  }
  const { summary, damagedLines } = inspectFile(path, covered, cut.size);
  if (damagedLines > 0) {
    const before = part.blocks.at(-1)?.last ?? seal?.last ?? null;
    place.lose(spansOfDamagedLines({ day: place.day, path, start: covered, end: cut.size, before }));
    place.note(name, `has ${damagedLines} lines that are no records, among lines that are`, true);
  }
  return {
    day: place.day,
    seal,
    plain: { from, size: cut.size, isDamaged: damagedLines > 0 },
    part,
    tail: summary,
    modifiedMs: Math.max(
      modifiedMs(place, name),
      seal?.healed === undefined ? 0 : modifiedMs(place, gzFile(place.day)),
    ),
  };
}

/** What became of the bytes that were cut off. */
function keptWords(place: RepairPlace, from: number, { size, fault }: TailCut): string {
  if (fault === null) return `kept in "${tornFile(place.day, from + size)}"`;
  return /os error 28/.test(fault)
    ? "for which there was no room: they are gone"
    : `which could not be kept: ${fault}`;
}

function modifiedMs(place: RepairPlace, file: string): number {
  return Deno.statSync(place.path(file)).mtime?.getTime() ?? 0;
}
