/**
 * Promises that somebody who reads lines as text sees each gap where it lies, as a line of its own: before the first
 * line whose time is the gap's end or later. A gap that has not ended is the last line of all.
 *
 * Lines stand in the order of their arrival, which is nearly that of their times. A gap begins up to a second before
 * the last line that came, to be sure, so its end is what tells where it lies. With one from 22:35:57.1 to 22:36:12.0
 * and lines of 22:35:56.9, 22:35:57.8, 22:36:12.1 and, late, 22:35:55, it stands before the third of them.
 *
 * @module
 */

import type { Gap } from "../lib/gaps/gap.ts";
import { lendBuffers } from "../lib/machine/spent_buffers.ts";
import { gapLine } from "./gap_words.ts";

/** A line begins with so many characters of its time, in UTC and to the millisecond. */
const TIME_LENGTH = "2026-11-22T10:00:00.000".length;
const DAY_LENGTH = "2026-11-22".length;

const NEWLINE = 0x0a;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Where a time has a digit this has a 0, else what the time has. */
const TIME_SHAPE = encoder.encode("0000-00-00T00:00:00.000");
const ZERO = 0x30;
const NINE = 0x39;

/** What {@linkcode withGapLines} puts among lines, and where it may. */
export interface GapLines {
  /** The gaps. Those that are healed are left out: lines among which nothing is missing read as if it never had been. */
  gaps: readonly Gap[];
  /** The day of the lines, `YYYY-MM-DD`; empty where they may be of any. */
  day: string;
  /** Whether what lies before the first line belongs to others, as with the last so many lines. */
  beginsWithLine: boolean;
  /** Whether what lies after the last line belongs to others, as with a full page. */
  endsWithLine: boolean;
}

/** `body`, whose chunks are whole lines of text, with a line for each gap. Passes chunks on as they are when it can. */
export function withGapLines(
  body: ReadableStream<Uint8Array>,
  options: GapLines,
): ReadableStream<Uint8Array> {
  const inserter = new GapInserter(options);
  if (inserter.isDone) return body;
  const reader = body.getReader();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(inserter.insert(value));
      const rest = inserter.rest();
      if (rest !== "") controller.enqueue(encoder.encode(rest));
      controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  lendBuffers(stream, body);
  return stream;
}

/** As {@linkcode withGapLines}, for chunks of whole lines that are no stream yet. */
export async function* amongGapLines(
  chunks: AsyncGenerator<Uint8Array, void>,
  options: GapLines,
): AsyncGenerator<Uint8Array, void> {
  const inserter = new GapInserter(options);
  for await (const chunk of chunks) yield inserter.insert(chunk);
  const rest = inserter.rest();
  if (rest !== "") yield encoder.encode(rest);
}

/** A gap, and from which time on lines come after it; null where none does. */
interface PlacedGap {
  gap: Gap;
  time: Uint8Array | null;
}

class GapInserter {
  /** Those that have not been shown, the last first. */
  #pending: PlacedGap[];
  #day: string;
  #dropsFirst: boolean;
  readonly #endsWithLine: boolean;

  constructor({ gaps, day, beginsWithLine, endsWithLine }: GapLines) {
    this.#pending = gaps.filter(({ state }) => state !== "healed")
      .toSorted((a, b) => endOf(b) - endOf(a) || b.sinceMs - a.sinceMs)
      .map((gap) => ({ gap, time: gap.untilMs === null ? null : encoder.encode(timeOf(gap.untilMs)) }));
    this.#day = day;
    this.#dropsFirst = beginsWithLine;
    this.#endsWithLine = endsWithLine;
  }

  get isDone(): boolean {
    return this.#pending.length === 0;
  }

  insert(chunk: Uint8Array): Uint8Array {
    if (this.isDone) return chunk;
    const pieces: Uint8Array[] = [];
    let from = 0;
    let last = -1;
    for (let start = 0; start < chunk.length && !this.isDone;) {
      if (hasTime(chunk, start)) {
        last = start;
        if (this.#dropsFirst) this.#drop(chunk, start);
        const lines = this.#before(chunk, start);
        if (lines !== "") {
          pieces.push(chunk.subarray(from, start), encoder.encode(lines));
          from = start;
        }
      }
      const newline = chunk.indexOf(NEWLINE, start);
      start = newline === -1 ? chunk.length : newline + 1;
    }
    if (last !== -1) this.#day = dayOfLine(chunk, last);
    if (pieces.length === 0) return chunk;
    pieces.push(chunk.subarray(from));
    return joined(pieces);
  }

  /** The lines of what is left, at the end. */
  rest(): string {
    if (this.#endsWithLine) return "";
    let lines = "";
    for (const { gap } of this.#pending.splice(0).reverse()) lines += gapLine(gap, this.#day);
    return lines;
  }

  /** Those that belong before the line at `start`. */
  #before(chunk: Uint8Array, start: number): string {
    let lines = "";
    while (!this.isDone && isOver(this.#pending.at(-1)!, chunk, start)) {
      lines += gapLine(this.#pending.pop()!.gap, dayOfLine(chunk, start));
    }
    return lines;
  }

  /** Lets those go that ended before the line at `start`, the first. */
  #drop(chunk: Uint8Array, start: number): void {
    this.#dropsFirst = false;
    while (!this.isDone && isOver(this.#pending.at(-1)!, chunk, start)) this.#pending.pop();
  }
}

/** When a gap ends, in milliseconds since 1970. */
function endOf({ untilMs }: Gap): number {
  return untilMs ?? Number.MAX_SAFE_INTEGER;
}

/** Whether a gap had ended when the line at `start` was printed. */
function isOver({ time }: PlacedGap, chunk: Uint8Array, start: number): boolean {
  return time !== null && compareTimes(time, chunk, start) <= 0;
}

function timeOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, TIME_LENGTH);
}

/** Whether the line at `start` begins with a time: not every record has one. */
function hasTime(chunk: Uint8Array, start: number): boolean {
  if (start + TIME_LENGTH > chunk.length) return false;
  for (let i = 0; i < TIME_LENGTH; i++) {
    const byte = chunk[start + i]!;
    const wanted = TIME_SHAPE[i]!;
    if (wanted === ZERO ? byte < ZERO || byte > NINE : byte !== wanted) return false;
  }
  return true;
}

/** Below 0 if `time` is earlier than that of the line at `start`, 0 if it is the same, above 0 if it is later. */
function compareTimes(time: Uint8Array, chunk: Uint8Array, start: number): number {
  for (let i = 0; i < TIME_LENGTH; i++) {
    const difference = time[i]! - chunk[start + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function dayOfLine(chunk: Uint8Array, start: number): string {
  return decoder.decode(chunk.subarray(start, start + DAY_LENGTH));
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
