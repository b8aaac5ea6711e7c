/**
 * Promises that a sealed gzip file has an index that is its own: the gzip file is the truth, and what can be read of it
 * is not lost because its index is. Where both are damaged the day becomes a hot one again, with all the text there is.
 *
 * The index proves which blocks there were. What it tells of and what is in no file any more is a loss: it is said, it becomes
 * a gap over the times of these blocks, and the index is set aside, never removed.
 *
 * @module
 */

import { gzipTrailer, parseCrc32, sameBytes } from "../blocks/block.ts";
import { type DayIndex, indexText, intactSeal, parseSeal } from "../blocks/day_index.ts";
import { type KnownBlocks, nextBlock, readKnown, type Unpacked, unpackGzip } from "../blocks/unpack.ts";
import {
  COPY_BYTES,
  readAt,
  readTextIfThere,
  removeIfThere,
  sizeOf,
  syncDirectory,
  writeAll,
  writeFileWhole,
} from "../disk.ts";
import {
  type BlockEntry,
  CONFLICT_SUFFIX,
  editsFile,
  gzFile,
  GZIP_HEADER,
  GZIP_TRAILER_BYTES,
  gzPartFile,
  HEADER_LINE_LIMIT_BYTES,
  indexFile,
  indexPartFile,
  plainFile,
  SEAL_LINE_LIMIT_BYTES,
  type SealEntry,
  TEMPORARY_SUFFIX,
} from "../format.ts";
import type { Span } from "../../gaps/gap.ts";
import { dayStartMs } from "../../day.ts";
import { setAside } from "./aside.ts";
import { healedOf, rebuildIndex } from "./index_repair.ts";
import { spanOfLost } from "./losses.ts";
import { areContained, plainPieces } from "./contained_lines.ts";
import { matchHealed } from "./matched_healing.ts";
import { addRest, findOverlap, matchOverlap, type Overlap, readRecordedLines } from "./overlap.ts";
import {
  describeBlocks,
  findMissing,
  type Proof,
  readFromPlains,
  readProof,
  spanOfDay,
  spansOfBlocks,
} from "./proof.ts";
import type { RepairPlace } from "./repair_place.ts";

/**
 * The seal of the gzip file, with its index put right; "unpacked" where the day had to become hot again; null where the
 * gzip file was removed, since all of its text is in a plain file. `plains` are where the plain files start.
 */
export function repairSealed(
  place: RepairPlace,
  plains: readonly number[],
): SealEntry | "unpacked" | "unknown version" | null {
  const gzBytes = sizeOf(place.path(gzFile(place.day)));
  const fast = readSealFast(place);
  if (fast !== null && fast.gzBytes === gzBytes) return fast;
  const text = readTextIfThere(place.path(indexFile(place.day))) ?? "";
  const proof = readProof(text, place.day);
  if (proof.isUnknownVersion) return leaveAlone(place, proof);
  return remakeIndex(place, plains, proof, text) ?? mendFrame(place, proof) ??
    unpack(place, plains, proof, findOverlap(place, plains, text));
}

/**
 * Puts an index right that has no gzip file. A crash between the two renames of the first sealing leaves it beside the plain
 * file: then it is removed, and the day is not sealed yet. Otherwise the gzip file is gone, and the index proves what was in it.
 * Returns as {@linkcode repairSealed}; null where there is no sealed text.
 */
export function repairUnsealed(
  place: RepairPlace,
  plains: readonly number[],
): SealEntry | "unpacked" | "unknown version" | null {
  const name = indexFile(place.day);
  const text = readTextIfThere(place.path(name));
  if (text === null) return null;
  const proof = readProof(text, place.day);
  if (proof.isUnknownVersion) return leaveAlone(place, proof);
  const missing = findMissing(place, proof.blocks, plains);
  const hasHotText = plains.includes(0) || sizeOf(place.path(gzPartFile(place.day))) !== null;
  if (missing.length === 0 && (proof.fault === null || hasHotText)) {
    removeIfThere(place.path(name));
    place.note(name, "removed: the day was not sealed yet", false);
    return null;
  }
  if (hasBlockOf(place, missing)) {
    // All that is left to do is what the crash has prevented: the part takes the name of the gzip file.
    removeIfThere(place.path(indexPartFile(place.day)));
    Deno.renameSync(place.path(gzPartFile(place.day)), place.path(gzFile(place.day)));
    syncDirectory(place.directory);
    place.note(gzFile(place.day), "was not there: the blocks that were made for it take its place", false);
    return repairSealed(place, plains);
  }
  const spans = proof.fault === null ? spansOfBlocks(place.day, missing) : [spanOfDay(place.day)];
  place.lose(spans);
  const aside = setAside(place.path(name));
  const what = missing.length === 0 ? "what was in it cannot be read" : describeBlocks(missing, spans);
  place.note(gzFile(place.day), `is gone, and with it ${what}; the index is kept as "${aside}"`, true);
  return null;
}

function leaveAlone(place: RepairPlace, { fault }: Proof): "unknown version" {
  place.note(indexFile(place.day), `${fault}; the day is left alone`, true);
  return "unknown version";
}

/** Reads only the end of the index: with 400 days, that is most of what opening costs. */
function readSealFast(place: RepairPlace): SealEntry | null {
  const size = sizeOf(place.path(indexFile(place.day)));
  if (size === null) return null;
  using file = Deno.openSync(place.path(indexFile(place.day)), { read: true });
  const start = new TextDecoder().decode(readAt(file, 0, HEADER_LINE_LIMIT_BYTES));
  const length = Math.min(size, SEAL_LINE_LIMIT_BYTES);
  return parseSeal(start, new TextDecoder().decode(readAt(file, size - length, length)), place.day);
}

/**
 * Makes the index again; null where the gzip file is damaged too. Where a crash came between the two renames of a second
 * sealing, the index tells of blocks besides, whose text is in a plain file.
 */
function remakeIndex(
  place: RepairPlace,
  plains: readonly number[],
  proof: Proof,
  oldText: string,
): SealEntry | null {
  const name = indexFile(place.day);
  let index: DayIndex & { seal: SealEntry };
  try {
    const findHealed = (blocks: readonly BlockEntry[]) =>
      intactSeal(oldText) === null
        ? matchHealed(place, plains, blocks)
        : healedOf(blocks, oldText, place.path(editsFile(place.day)));
    index = rebuildIndex(place.path(gzFile(place.day)), place.day, oldText, findHealed);
  } catch {
    return null; // what is wrong with the gzip file is told when it is unpacked
  }
  const there = new Set(index.blocks.map(keyOf));
  const missing = findMissing(place, proof.blocks.filter((block) => !there.has(keyOf(block))), plains);
  if (missing.length > 0) {
    const spans = spansOfBlocks(place.day, missing);
    place.lose(spans);
    const aside = setAside(place.path(name));
    const what = `lacks ${
      describeBlocks(missing, spans)
    }; the index that tells of them is kept as "${aside}"`;
    place.note(gzFile(place.day), what, true);
  }
  writeFileWhole(place.path(name), indexText(index));
  place.note(name, `made again from the gzip file: ${proof.fault ?? "it is of another gzip file"}`, false);
  return index.seal;
}

function keyOf({ rawOffset, crc32 }: BlockEntry): string {
  return `${rawOffset} ${crc32}`;
}

/** Whether one of `blocks` is in the part. */
function hasBlockOf(place: RepairPlace, blocks: readonly BlockEntry[]): boolean {
  if (sizeOf(place.path(gzPartFile(place.day))) === null) return false;
  using part = Deno.openSync(place.path(gzPartFile(place.day)), { read: true });
  return blocks.some((block) => readKnown(part, block) !== null);
}

/**
 * Where every block of the index is in the gzip file and only what stands around them is damaged, header and trailer are
 * written anew; null where a block is not. What follows the blocks is cut off if it is none.
 */
function mendFrame(place: RepairPlace, { seal, blocks }: Proof): SealEntry | null {
  if (seal === null) return null;
  const path = place.path(gzFile(place.day));
  using gz = Deno.openSync(path, { read: true, write: true });
  const { size } = gz.statSync();
  const dataEnd = seal.gzBytes - GZIP_TRAILER_BYTES;
  if (size < dataEnd || !blocks.every((block) => readKnown(gz, block) !== null)) return null;
  if (size > dataEnd && nextBlock(gz, dataEnd, size) !== null) return null;
  for (
    const [at, bytes] of [
      [0, GZIP_HEADER],
      [dataEnd, gzipTrailer(parseCrc32(seal.crc32), seal.rawBytes)],
    ] as const
  ) {
    gz.seekSync(at, Deno.SeekMode.Start);
    writeAll(gz, bytes);
  }
  gz.truncateSync(seal.gzBytes);
  gz.syncSync();
  const what = `had ${size} bytes in place of ${seal.gzBytes}: all blocks are there, its end was made again`;
  place.note(gzFile(place.day), what, false);
  return seal;
}

/**
 * A gzip file that is damaged and is not that of its index cannot be read block by block: the day becomes a hot one again. The
 * plain file takes its place before the gzip file goes, and that before the index, so that a crash in between leaves what this
 * can be begun with again.
 *
 * Of a day that goes on after lines were inserted, what the plain file has after the sealed text is put after what is unpacked. The
 * day is one into which nothing was inserted then: what is left of that counts as recorded.
 */
function unpack(
  place: RepairPlace,
  plains: readonly number[],
  proof: Proof,
  foundOverlap: Overlap,
): "unpacked" | null {
  const gzName = gzFile(place.day);
  const plain = place.path(plainFile(place.day, 0));
  const hasPlain = plains.includes(0);
  const known: KnownBlocks = {
    blocks: proof.blocks,
    isComplete: proof.seal !== null,
    readElsewhere: (block) => readFromPlains(place, block, plains),
  };
  let unpacked = unpackGzip(place.path(gzName), plain + TEMPORARY_SUFFIX, known);
  const hasText = hasPlain && hasTextOf(place, plain, proof);
  // Nothing tells where the plain file goes on, or even that lines were inserted, but the lines themselves.
  const isUntold = proof.seal === null && (foundOverlap.healed !== null || (hasPlain && !hasText));
  const overlap = isUntold && isBeginning(unpacked)
    ? matchOverlap(place, plains, foundOverlap, plain + TEMPORARY_SUFFIX)
    : foundOverlap;
  const isPlainTruth = hasText || (hasPlain && hasLinesOf(plain, overlap));
  if (!isPlainTruth && overlap.from !== null) {
    // The lines that were recorded, without those that were inserted among them.
    unpacked = unpackGzip(place.path(gzName), plain + TEMPORARY_SUFFIX, {
      ...known,
      readElsewhere: (block) => known.readElsewhere(block) ?? readRecordedLines(place, overlap, block),
    });
    addRest(place, overlap, plain + TEMPORARY_SUFFIX);
  }
  const { failure, lost } = unpacked;
  const spans = isPlainTruth && !hasText && overlap.recordedEnd === null
    ? [spanOfDay(place.day)] // all lines that were inserted are lost, also those that were unpacked
    : [
      ...spansOfBlocks(place.day, lost),
      ...(isPlainTruth && overlap.healed === null ? [] : doubtfulSpans(place, unpacked)),
    ];
  if (spans.length > 0) place.lose(spans);
  if (isPlainTruth) Deno.removeSync(plain + TEMPORARY_SUFFIX);
  else takePlain(place, plain, hasPlain, overlap);
  const isSpent = failure === null || (isPlainTruth && spans.length === 0);
  if (isSpent) removeIfThere(place.path(gzName));
  else setAside(place.path(gzName));
  const kept = putIndexAway(place, proof.blocks.length > 0 && spans.length > 0);
  syncDirectory(place.directory);
  const loss = lost.length === 0 ? "" : `; lost are ${describeBlocks(lost, spans)}`;
  const done = isPlainTruth && isSpent
    ? "removed, to be made again from the plain file"
    : isPlainTruth
    ? `set aside, the plain file has all that is left${loss}${kept}`
    : failure === null
    ? "unpacked, to be sealed again"
    : `unpacked as far as it goes (${failure}${loss}${kept})`;
  const fault = proof.fault ?? "it is not that of its index";
  place.note(gzName, `${done}: ${fault}`, spans.length > 0);
  return isPlainTruth ? null : "unpacked";
}

/**
 * Whether lines were inserted, and the plain file has what is left: all that was unpacked, as after a crash that came when it had taken
 * its place, or all that was recorded, where nothing tells any more where that goes on.
 */
function hasLinesOf(plain: string, { healed, recordedEnd }: Overlap): boolean {
  if (healed === null) return false;
  return recordedEnd === null || areContained(piecesOfFile(plain + TEMPORARY_SUFFIX), piecesOfFile(plain));
}

function piecesOfFile(path: string): Generator<Uint8Array> {
  return plainPieces(path, 0, sizeOf(path) ?? 0);
}

/** Whether all that was unpacked follows on one another from the start of the text. */
function isBeginning({ lost, doubt }: Unpacked): boolean {
  return lost.length === 0 && doubt !== "anywhere";
}

/** The times of lost text of which no entry tells. */
function doubtfulSpans(place: RepairPlace, { doubt, last }: Unpacked): Span[] {
  if (doubt === null) return [];
  // That nothing but its end is lost says nothing where lines were put into the day later: these are its end.
  if (doubt === "anywhere") return [spanOfDay(place.day)];
  return [spanOfLost(place.day, last, dayStartMs(place.day + 1))];
}

/** Sets the index aside if it proves something, else removes it; returns in words what was done. */
function putIndexAway(place: RepairPlace, proves: boolean): string {
  const path = place.path(indexFile(place.day));
  if (proves) return `; the index is kept as "${setAside(path)}"`;
  removeIfThere(path);
  return "";
}

/**
 * Whether the plain file has all of the text that was unpacked: it begins with it, or has all blocks of an index that can
 * be read as a whole.
 */
function hasTextOf(place: RepairPlace, plain: string, proof: Proof): boolean {
  if (proof.seal !== null && findMissing(place, proof.blocks, [0]).length === 0) return true;
  return isBeginningOf(plain + TEMPORARY_SUFFIX, plain);
}

/**
 * Lets the unpacked text take the place of the plain file. One that was there is set aside, unless the text begins with it or has all
 * of its lines; it has both names for a moment, so that a crash leaves the one or the other at its place.
 */
function takePlain(place: RepairPlace, plain: string, hasPlain: boolean, overlap: Overlap): void {
  const temporary = plain + TEMPORARY_SUFFIX;
  const isWithin = overlap.from === 0 && areContained(piecesOfFile(plain), piecesOfFile(temporary));
  if (hasPlain && !isWithin && !isBeginningOf(plain, temporary)) {
    removeIfThere(plain + CONFLICT_SUFFIX);
    Deno.linkSync(plain, plain + CONFLICT_SUFFIX);
    const what = "set aside: its lines do not fit those that are sealed";
    place.note(plainFile(place.day, 0), what, true);
  }
  if (sizeOf(temporary) === 0) removeIfThere(temporary);
  else Deno.renameSync(temporary, plain);
  syncDirectory(place.directory);
}

function isBeginningOf(path: string, wholePath: string): boolean {
  using file = Deno.openSync(path, { read: true });
  using whole = Deno.openSync(wholePath, { read: true });
  return beginsWith(whole, file, file.statSync().size);
}

/** Whether the first `length` bytes of two files are the same. */
function beginsWith(a: Deno.FsFile, b: Deno.FsFile, length: number): boolean {
  for (let at = 0; at < length; at += COPY_BYTES) {
    const count = Math.min(COPY_BYTES, length - at);
    if (!sameBytes(readAt(a, at, count), readAt(b, at, count))) return false;
  }
  return true;
}
