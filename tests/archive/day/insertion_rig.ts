/**
 * Promises a sealed text made of blocks that a test chooses, lines to insert into it, and the insertion as the archive does it,
 * the renames at its end included.
 *
 * @module
 */

import { type BlockPlace, gzipTrailer, makeBlock, placeAfter } from "../../../lib/archive/blocks/block.ts";
import {
  indexHeader,
  indexText,
  parseSealedIndex,
  type SealedIndex,
  sealOf,
} from "../../../lib/archive/blocks/day_index.ts";
import {
  type BlockEntry,
  editsFile,
  gzFile,
  GZIP_HEADER,
  indexFile,
  TEMPORARY_SUFFIX,
} from "../../../lib/archive/format.ts";
import { FoundLines } from "../../../lib/archive/found_lines.ts";
import { type Insertion, insertLines, type InsertTask } from "../../../lib/archive/day/insertion.ts";
import { parseTimestamp } from "../../../lib/timestamp.ts";
import { DAY, DAY_NAME, inflateAsZcat, type TestDirectory } from "../archive_rig.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The names of the files of {@linkcode DAY}. */
export const GZ: string = gzFile(DAY);
/** See {@linkcode GZ}. */
export const INDEX: string = indexFile(DAY);
/** See {@linkcode GZ}. */
export const EDITS: string = editsFile(DAY);

/** A line, and the time at which it is to be placed, such as `10:00:01.5`. */
export type Found = readonly [line: string, time: string];

/** The line of a time such as `10:00:01.5`, or one without a time (null). `padding` makes its message so much longer. */
export function timedLine(name: string, time: string | null, padding = 0): string {
  const timestamp = time === null ? "" : `,"timestamp":"${DAY_NAME}T${time}Z"`;
  return `{"fly":{"app":{"name":"web"}},"message":"${name}${"x".repeat(padding)}"${timestamp}}`;
}

/** Seals a text of these `blocks`, each of whole lines with their line feeds. */
export function writeSealed(directory: TestDirectory, blocks: readonly string[]): void {
  const entries: BlockEntry[] = [];
  const pieces: Uint8Array[] = [GZIP_HEADER];
  let place: BlockPlace = { rawOffset: 0, gzOffset: GZIP_HEADER.length, totalCrc32: 0 };
  for (const text of blocks) {
    const { bytes, entry } = makeBlock(encoder.encode(text), place);
    entries.push(entry);
    pieces.push(bytes);
    place = placeAfter(entry);
  }
  pieces.push(gzipTrailer(place.totalCrc32, place.rawOffset));
  directory.write(GZ, bytesOfPieces(pieces));
  directory.write(
    INDEX,
    indexText({ header: indexHeader(DAY, 0, 0), blocks: entries, seal: sealOf(entries) }),
  );
}

function bytesOfPieces(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** The index that is on the disk. */
export function readIndex(directory: TestDirectory): SealedIndex {
  return parseSealedIndex(directory.text(INDEX), DAY);
}

/** The sealed text that is on the disk, as zcat reads it. */
export function readText(directory: TestDirectory): string {
  return decoder.decode(inflateAsZcat(directory.file(GZ)));
}

/** The task that inserts what is in the file at `foundPath` into the text that is on the disk, if any. */
export function insertTask(directory: TestDirectory, foundPath: string): InsertTask {
  const index = directory.names().includes(GZ) ? readIndex(directory) : null;
  return {
    kind: "insert",
    day: DAY,
    sources: index === null ? [] : [{ gzPath: directory.file(GZ), index }],
    before: index?.seal ?? null,
    foundPath,
    editsPath: directory.file(EDITS),
    gzTargetPath: directory.file(GZ + TEMPORARY_SUFFIX),
    indexTargetPath: directory.file(INDEX + TEMPORARY_SUFFIX),
  };
}

/** Writes the lines to insert, which are in the order of their times; to be disposed of. */
export async function writeFound(directory: TestDirectory, lines: readonly Found[]): Promise<FoundLines> {
  const found = new FoundLines(directory.path, DAY);
  for (const [line, time] of lines) {
    await found.add(encoder.encode(line), parseTimestamp(`${DAY_NAME}T${time}Z`)!);
  }
  await found.close();
  return found;
}

/** Inserts lines into the text on the disk; `change` changes the task before. */
export async function insertFound(
  directory: TestDirectory,
  lines: readonly Found[],
  change: (task: InsertTask) => InsertTask = (task) => task,
): Promise<Insertion> {
  using found = await writeFound(directory, lines);
  const inserted = insertLines(change(insertTask(directory, found.path)));
  for (const name of [INDEX, GZ]) {
    Deno.renameSync(directory.file(name + TEMPORARY_SUFFIX), directory.file(name));
  }
  return inserted;
}
