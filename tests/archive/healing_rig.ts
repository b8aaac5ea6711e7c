/**
 * Promises days into which lines are inserted, with a naive implementation beside them that says what their text has to be.
 *
 * @module
 */

import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import type { Archive } from "../../lib/archive/archive.ts";
import { FoundLines } from "../../lib/archive/found_lines.ts";
import { PLACING_WINDOW_LINES } from "../../lib/archive/day/line_placing.ts";
import { dayStartMs } from "../../lib/day.ts";
import { formatTimestamp, type Timestamp } from "../../lib/timestamp.ts";
import { verifyArchive } from "../../lib/verify/verify.ts";
import { bytesOf, DAY, dayText, inflateAsZcat, type TestDirectory } from "./archive_rig.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A line, and the second of {@linkcode DAY} at which it is. */
export interface DayLine {
  /** The line without its line feed. */
  text: string;
  /** Its time. */
  second: number;
}

/** The line with a name, which tells it from all others, of a second of the day. `padding` makes it so much longer. */
export function lineAt(name: string, second: number, padding = 0): DayLine {
  const fly = { app: { instance: "0e286551c30586", name: "web" }, region: "fra" };
  const timestamp = formatTimestamp(timeOf(second));
  const text = JSON.stringify({ fly, host: "0ad1", message: `${name} ${"x".repeat(padding)}`, timestamp });
  return { text, second };
}

/** Lines of each `step` seconds from `from` to before `end`. */
export function linesBetween(name: string, from: number, end: number, step = 1, padding = 0): DayLine[] {
  const lines: DayLine[] = [];
  for (let second = from; second < end; second += step) {
    lines.push(lineAt(`${name}${second}`, second, padding));
  }
  return lines;
}

function timeOf(second: number): Timestamp {
  return { seconds: dayStartMs(DAY) / 1000 + second, nanoseconds: 0 };
}

/** Has the archive record lines. */
export function appendDayLines(archive: Archive, lines: readonly DayLine[]): void {
  for (const { text, second } of lines) archive.append(DAY, encoder.encode(text), false, timeOf(second));
}

/** Writes lines, which are in the order of their times, to be inserted. */
export async function foundLines(directory: string, lines: readonly DayLine[]): Promise<FoundLines> {
  const found = new FoundLines(directory, DAY);
  for (const { text, second } of lines) await found.add(encoder.encode(text), timeOf(second));
  return found;
}

/** Inserts lines into the day, and makes sure that the archive says how many these were. */
export async function insertDayLines(
  archive: Archive,
  directory: string,
  lines: readonly DayLine[],
): Promise<void> {
  using found = await foundLines(directory, lines);
  const bytes = textOfLines(lines).length;
  assert.deepEqual(await archive.insert(found), { lines: lines.length, bytes });
}

/** The text of lines. */
export function textOfLines(lines: readonly DayLine[]): string {
  return lines.map(({ text }) => `${text}\n`).join("");
}

/** The rule of line_placing.ts, word by word. */
export function insertNaively(text: readonly DayLine[], found: readonly DayLine[]): DayLine[] {
  const placeOf = ({ second }: DayLine): number => {
    for (const [at, line] of text.entries()) {
      if (line.second <= second) continue;
      let ahead = 0; // how many lines that are later there are more than others
      const window = text.slice(at, at + PLACING_WINDOW_LINES);
      if (window.every((next) => (ahead += next.second > second ? 1 : -1) >= 0)) return at;
    }
    return text.length;
  };
  const places = found.map(placeOf);
  const lines: DayLine[] = [];
  let taken = 0;
  for (const [at, line] of text.entries()) {
    while (taken < found.length && places[taken]! <= at) lines.push(found[taken++]!);
    lines.push(line);
  }
  return [...lines, ...found.slice(taken)];
}

/**
 * Makes sure that the day has these lines in this order, in every form in which it can be read, and that its totals are theirs:
 * of `lines`, `recorded` have been recorded.
 */
export async function assertDay(
  archive: Archive,
  lines: readonly DayLine[],
  recorded: readonly DayLine[],
  what = "",
): Promise<void> {
  const text = textOfLines(lines);
  assert.ok(await dayText(archive) === text, `${what}: the text`);
  const gz = await bytesOf(archive.openGzip(DAY));
  assert.ok(decoder.decode(gunzipSync(gz)) === text, `${what}: the gzip file`);
  const path = Deno.makeTempFileSync();
  Deno.writeFileSync(path, gz);
  assert.ok(decoder.decode(inflateAsZcat(path)) === text, `${what}: the gzip file by zcat`);
  Deno.removeSync(path);
  const info = archive.day(DAY)!;
  const seconds = lines.map(({ second }) => second);
  assert.deepEqual(
    {
      lines: info.lines,
      bytes: info.bytes,
      recordedBytes: info.recordedBytes,
      first: info.first,
      last: info.last,
    },
    {
      ...{ lines: lines.length, bytes: text.length, recordedBytes: textOfLines(recorded).length },
      ...{ first: nanoseconds(Math.min(...seconds)), last: nanoseconds(Math.max(...seconds)) },
    },
    what,
  );
  const recordedText = archive.openRecordedText(DAY, { start: 0, end: info.recordedBytes });
  assert.ok(
    decoder.decode(await bytesOf(recordedText)) === textOfLines(recorded),
    `${what}: what was recorded`,
  );
}

function nanoseconds(second: number): string {
  return new Date(dayStartMs(DAY) + second * 1000).toISOString().replace("Z", "000000Z");
}

/** What `deno task verify` finds wrong. */
export async function verifyFaults(directory: TestDirectory): Promise<string[]> {
  const faults: string[] = [];
  await verifyArchive(directory.path, {
    onFault: (fault) => void faults.push(fault),
    onDay: () => {},
    onGzip: () => {},
    onProgress: () => {},
  });
  return faults;
}
