/**
 * Promises that inserting into random texts, several times over, gives what a naive implementation in memory gives: the text,
 * every entry of the index, and where every place of every older edition has gone.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type BlockPlace, entryOf, placeAfter } from "../../../lib/archive/blocks/block.ts";
import { BLOCK_BYTES, GZIP_HEADER } from "../../../lib/archive/format.ts";
import { DayEdits, type PlaceSide } from "../../../lib/archive/day/edits.ts";
import { PLACING_WINDOW_LINES } from "../../../lib/archive/day/line_placing.ts";
import type { Bytes } from "../../../lib/archive/read/bytes.ts";
import { createRandom } from "../../rig/random.ts";
import { inflateAsZcat, TestDirectory } from "../archive_rig.ts";
import {
  EDITS,
  type Found,
  GZ,
  insertFound,
  readIndex,
  readText,
  timedLine,
  writeSealed,
} from "./insertion_rig.ts";

const SEEDS = 12;
const INSERTIONS = 4;

/** A line as the naive implementation knows it; `ms` is its time in milliseconds of the day, null for none. */
interface Line {
  text: string;
  ms: number | null;
}

for (let seed = 1; seed <= SEEDS; seed++) {
  Deno.test(`insertLines() inserts as a naive implementation does, seed ${seed}`, async () => {
    using directory = new TestDirectory();
    const random = createRandom(seed);
    const make = lineMaker(random);
    const editions: Line[][] = [randomText(make, random)];
    const first = editions[0]!;
    if (first.length > 0) writeSealed(directory, randomBlocks(first, random));
    for (let edition = 1; edition <= INSERTIONS; edition++) {
      const before = editions.at(-1)!;
      const found = randomFound(make, random);
      const inserted = await insertFound(directory, found.map(({ text, ms }): Found => [text, clock(ms!)]));
      const after = insertNaively(before, found);
      editions.push(after);
      assert.equal(inserted.lines, found.length);
      assert.equal(inserted.bytes, textOf(after).length - textOf(before).length);
      assert.ok(readText(directory) === textOf(after), `the text of edition ${edition}`);
      assertIndexIsOfFile(directory);
      const { healed, lines } = readIndex(directory).seal;
      assert.equal(lines, after.length);
      assert.equal(healed!.edition, edition);
      assert.equal(healed!.lines, after.length - first.length);
      assert.equal(healed!.bytes, textOf(after).length - textOf(first).length);
      assert.equal(healed!.editsBytes, directory.read(EDITS).length);
      await assertPlacesLead(directory, editions);
    }
  });
}

/** Makes lines that are told apart by their numbers; some are long, and a few are longer than a block. */
function lineMaker(random: () => number): (ms: number | null) => Line {
  let number = 0;
  return (ms) => {
    const dice = random();
    const padding = dice < 0.01
      ? BLOCK_BYTES + random() * 1000
      : dice < 0.1
      ? random() * 100_000
      : random() * 300;
    return { text: timedLine(`${++number} `, ms === null ? null : clock(ms), Math.floor(padding)), ms };
  };
}

/** Lines roughly in order of time: some late, some far ahead, some without a time, and at times one like the one before. */
function randomText(make: (ms: number | null) => Line, random: () => number): Line[] {
  const lines: Line[] = [];
  const count = Math.floor(random() * 800);
  let ms = 10 * 3_600_000;
  for (let i = 0; i < count; i++) {
    ms += Math.floor(random() * 3) * 1000;
    const dice = random();
    if (dice < 0.05) lines.push(make(null));
    else if (dice < 0.1) lines.push(make(ms - Math.floor(random() * 60_000)));
    else if (dice < 0.15) lines.push(make(ms + Math.floor(random() * 4 * 3_600_000)));
    else lines.push(make(ms));
  }
  return lines;
}

/** Lines to insert: one gap, or a few here and there. */
function randomFound(make: (ms: number | null) => Line, random: () => number): Line[] {
  const count = 1 + Math.floor(random() * 60);
  const start = 10 * 3_600_000 - 60_000 + Math.floor(random() * 900_000);
  const spanMs = random() < 0.5 ? 5000 : 900_000;
  const times = Array.from({ length: count }, () => start + Math.floor(random() * spanMs / 500) * 500);
  return times.sort((a, b) => a - b).map(make);
}

/** The text cut into blocks as sealing never does, so that there are many, with at most a block of text in each. */
function randomBlocks(lines: readonly Line[], random: () => number): string[] {
  const blocks: string[] = [""];
  for (const { text } of lines) {
    const last = blocks.at(-1)!;
    const isFull = last !== "" && last.length + text.length + 1 > BLOCK_BYTES;
    if (isFull || (last !== "" && random() < 0.05)) blocks.push(`${text}\n`);
    else blocks[blocks.length - 1] = `${last}${text}\n`;
  }
  return blocks;
}

/** The rule of line_placing.ts word by word. */
function insertNaively(before: readonly Line[], found: readonly Line[]): Line[] {
  const places = found.map(({ ms }) => {
    for (const [at, line] of before.entries()) {
      if (line.ms === null || line.ms <= ms!) continue;
      const window = before.slice(at).filter((other) => other.ms !== null).slice(0, PLACING_WINDOW_LINES);
      const isOutnumbered = window.some((_, last) => {
        const looked = window.slice(0, last + 1);
        return looked.filter((other) => other.ms! > ms!).length < looked.length / 2;
      });
      if (!isOutnumbered) return at;
    }
    return before.length;
  });
  const after: Line[] = [];
  for (let at = 0; at <= before.length; at++) {
    after.push(...found.filter((_, number) => places[number] === at));
    if (at < before.length) after.push(before[at]!);
  }
  return after;
}

/** Makes every entry again of what is in the gzip file. */
function assertIndexIsOfFile(directory: TestDirectory): void {
  const { blocks, seal } = readIndex(directory);
  const text = inflateAsZcat(directory.file(GZ));
  const gz = directory.read(GZ);
  let place: BlockPlace = { rawOffset: 0, gzOffset: GZIP_HEADER.length, totalCrc32: 0 };
  for (const block of blocks) {
    const blockText = text.subarray(place.rawOffset, place.rawOffset + block.rawLength);
    const bytes = gz.subarray(place.gzOffset, place.gzOffset + block.gzLength);
    assert.deepEqual(block, entryOf(blockText, bytes, place));
    place = placeAfter(block);
  }
  assert.equal(place.rawOffset, text.length);
  assert.equal(seal.gzBytes, gz.length);
}

/** Where every line of every edition begins and ends, the newest edition's places say where it is now. */
async function assertPlacesLead(directory: TestDirectory, editions: readonly Line[][]): Promise<void> {
  const content = directory.read(EDITS);
  // In memory, at once: some hundred thousand reads of a file would take most of the time of this test.
  const bytes: Bytes = {
    name: EDITS,
    size: () => Promise.resolve(content.length),
    read: (offset, length) => Promise.resolve(content.slice(offset, offset + length)),
    [Symbol.dispose]: () => {},
  };
  const edits = new DayEdits(bytes, content.length);
  const newest = placesOf(editions.at(-1)!);
  for (const [edition, lines] of editions.entries()) {
    for (const [line, { start, end }] of placesOf(lines)) {
      const now = newest.get(line)!;
      for (const [side, offset, wanted] of [["start", start, now.start], ["end", end, now.end]] as const) {
        const place = await edits.translate(offset, edition, side satisfies PlaceSide);
        assert.equal(place, wanted, `edition ${edition}, ${side} of "${line.slice(0, 80)}"`);
      }
    }
  }
}

function placesOf(lines: readonly Line[]): Map<string, { start: number; end: number }> {
  const places = new Map<string, { start: number; end: number }>();
  let start = 0;
  for (const { text } of lines) {
    const end = start + text.length + 1;
    places.set(text, { start, end });
    start = end;
  }
  return places;
}

function textOf(lines: readonly Line[]): string {
  return lines.map(({ text }) => `${text}\n`).join("");
}

/** A time of the day from its milliseconds. */
function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, -1);
}
