/**
 * Promises to read in the index of a sealed day, also in a damaged one, which blocks there once were, and to find those
 * that are not there any more.
 *
 * @module
 */

import { parseJson } from "../../json.ts";
import { dayName, type DayNumber, dayStartMs } from "../../day.ts";
import type { Span } from "../../gaps/gap.ts";
import { parseTimestamp, timestampMs } from "../../timestamp.ts";
import { isTextOf } from "../blocks/block.ts";
import { type DayIndex, IndexDamage, intactEntries, parseSealedIndex } from "../blocks/day_index.ts";
import { readCheckedLine } from "../checked_line.ts";
import { readAt } from "../disk.ts";
import { type BlockEntry, plainFile, readIndexHeader, type SealEntry } from "../format.ts";
import type { RepairPlace } from "./repair_place.ts";

/** What an index proves. */
export interface Proof {
  /** The blocks that were sealed, as far as their entries can be read, in their order. */
  blocks: BlockEntry[];
  /** The totals; null unless the whole index can be read. */
  seal: SealEntry | null;
  /** Why the index cannot be read as a whole; null where it can. */
  fault: string | null;
  /** Whether a later version of the program has written it. */
  isUnknownVersion: boolean;
}

/** Reads what the text of an index of `day` proves. */
export function readProof(text: string, day: DayNumber): Proof {
  try {
    const { blocks, seal } = parseSealedIndex(text, day);
    return { blocks, seal, fault: null, isUnknownVersion: false };
  } catch (error) {
    if (!(error instanceof IndexDamage)) throw error;
    const fault = error.message.replace(/^Cannot use "[^"]*": /, "");
    const blocks = isOfOtherDay(text, day) ? [] : entriesOf(text, error.intact);
    return { blocks, seal: null, fault, isUnknownVersion: error.unknownVersion };
  }
}

/** An index of version 1 has no checksums: only what stands before the damage can be believed. */
function entriesOf(text: string, intact: DayIndex | null): BlockEntry[] {
  const entries = [...intactEntries(text).values()];
  return entries.length > 0 ? entries.sort((a, b) => a.gzOffset - b.gzOffset) : intact?.blocks ?? [];
}

/** Whether the file is the index of another day, which somebody has given a wrong name. */
function isOfOtherDay(text: string, day: DayNumber): boolean {
  const { json, check } = readCheckedLine(text.split("\n", 1)[0]!);
  const header = check === "right" ? readIndexHeader(parseJson(json)) : null;
  return header !== null && header.day !== dayName(day);
}

/**
 * Those of `blocks` whose text is in none of the plain files of the day, which start at `plains`. Where blocks are missing, the
 * text of those after them may stand that much earlier: that is how a repair leaves it which a crash has ended.
 */
export function findMissing(
  place: RepairPlace,
  blocks: readonly BlockEntry[],
  plains: readonly number[],
): BlockEntry[] {
  let missingBytes = 0;
  return blocks.filter((block) => {
    const isThere = readFromPlains(place, block, plains) !== null ||
      (missingBytes > 0 && readFromPlains(place, block, plains, missingBytes) !== null);
    if (!isThere) missingBytes += block.rawLength;
    return !isThere;
  });
}

/**
 * The text of a block from one of the plain files that start at `plains`, where it would stand or `earlier` by so many bytes;
 * null where it is in none.
 */
export function readFromPlains(
  place: RepairPlace,
  block: BlockEntry,
  plains: readonly number[],
  earlier = 0,
): Uint8Array | null {
  for (const from of plains) {
    const at = block.rawOffset - from - earlier;
    if (at < 0) continue;
    using plain = Deno.openSync(place.path(plainFile(place.day, from)), { read: true });
    if (at + block.rawLength > plain.statSync().size) continue;
    const text = readAt(plain, at, block.rawLength);
    if (isTextOf(text, block)) return text;
  }
  return null;
}

/**
 * The times of the lines in `lost`, blocks of `day` in their order: one span for those that follow each other, within the
 * day. Of a block without a timestamp it is the whole day. Example: with the block of 10:00 to 10:20 and the next one of
 * 10:19 to 10:40 lost, 10:00 to 10:40.
 */
export function spansOfBlocks(day: DayNumber, lost: readonly BlockEntry[]): Span[] {
  const spans: { sinceMs: number; untilMs: number }[] = [];
  let endOffset = -1;
  for (const block of lost) {
    const span = spanOfTimes(day, block);
    const before = block.rawOffset === endOffset ? spans.at(-1) : undefined;
    endOffset = block.rawOffset + block.rawLength;
    if (before === undefined) spans.push({ ...span });
    else {
      before.sinceMs = Math.min(before.sinceMs, span.sinceMs);
      before.untilMs = Math.max(before.untilMs, span.untilMs);
    }
  }
  return spans;
}

/** All of a day. */
export function spanOfDay(day: DayNumber): Span {
  return { sinceMs: dayStartMs(day), untilMs: dayStartMs(day + 1) };
}

/** The times of lines of `day` of which these are the first and the last; all of the day where none has one that is of it. */
export function spanOfTimes(day: DayNumber, { first, last }: Pick<BlockEntry, "first" | "last">): Span {
  const whole = spanOfDay(day);
  const [from, to] = [parseTimestamp(first ?? ""), parseTimestamp(last ?? "")];
  if (from === null || to === null) return whole;
  const sinceMs = Math.max(whole.sinceMs, Math.floor(timestampMs(from)));
  const untilMs = Math.min(whole.untilMs, Math.floor(timestampMs(to)) + 1);
  // A line whose own time is impossible lies in the day of its arrival.
  return sinceMs < untilMs ? { sinceMs, untilMs } : whole;
}

/** Blocks and their times in words: "3128 lines in 4 blocks, of 2026-11-22T10:00:00.500Z to 2026-11-22T10:00:59.501Z". */
export function describeBlocks(blocks: readonly BlockEntry[], spans: readonly Span[]): string {
  const lines = blocks.reduce((sum, block) => sum + block.lines, 0);
  const sinceMs = Math.min(...spans.map((span) => span.sinceMs));
  const untilMs = Math.max(...spans.map((span) => span.untilMs));
  const [since, until] = [sinceMs, untilMs].map((ms) => new Date(ms).toISOString());
  const count = blocks.length === 1 ? "1 block" : `${blocks.length} blocks`;
  return `${lines} lines in ${count}, of ${since} to ${until}`;
}
