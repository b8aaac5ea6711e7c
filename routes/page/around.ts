/**
 * Promises what was recorded right before and right after a line, of whatever app, also across midnight.
 *
 * @module
 */

import { html } from "hono/html";
import { BROWSER_PAGE_BYTES } from "../../lib/machine/memory_budget.ts";
import { compileFilter, type FilterSpec } from "../../lib/filter/filter.ts";
import { formatPlace, type Place } from "../../lib/archive/place.ts";
import { dayName, type DayNumber } from "../../lib/day.ts";
import { parseFlyRecord } from "../../lib/line/fly_log.ts";
import { parseTimestamp, timestampMs } from "../../lib/timestamp.ts";
import { filterForm } from "./form.ts";
import type { Page } from "./layout.ts";
import { reserve } from "../line_answer.ts";
import { lineList, type ListedGaps, type PlacedLine, surroundings } from "./lines.ts";
import { showHidden } from "./line.js";
import type { DaySource, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";

/** So many lines are shown on either side. */
export const CONTEXT_LINES = 50;

/** At most so many bytes are read on either side; longer lines make fewer. */
export const CONTEXT_BYTES = 1024 * 1024;

/** So many are read at first, and four times as many each time when that is too little. */
const FIRST_LOOK_BYTES = 64 * 1024;

/** More characters than this of a record are not shown. */
const RECORD_LIMIT = 256 * 1024;

const NEWLINE = 0x0a;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * The page around a line. The cursor may point to anywhere in it, its line feed included. Lines outside of `scope` are
 * left out.
 *
 * @throws {Problem} 404 or 410 if there is no such line.
 */
export async function aroundPage(
  parts: Parts,
  { day, offset }: Place,
  signal: AbortSignal,
  scope: FilterSpec | null,
): Promise<Page> {
  const { archive } = parts;
  const name = dayName(day);
  if (archive.wasRemoved(day)) {
    throw new Problem("removed-day", `${name} was removed to make room; there is no copy here`);
  }
  const bytes = archive.day(day)?.bytes ?? 0;
  if (offset >= bytes) {
    throw new Problem("not-found", `${name} has ${bytes} bytes of lines, and none at ${offset}`);
  }

  using _slot = await reserve(parts, signal, BROWSER_PAGE_BYTES);
  const start = await lineStart(archive, day, offset);
  const read = await Promise.all([
    linesBefore(archive, { day, offset: start }, CONTEXT_LINES),
    linesFrom(archive, { day, offset: start }, CONTEXT_LINES + 1),
  ]);
  const [before, after] = read.map((lines) => linesWithin(scope, lines)) as typeof read;
  if (scope !== null && after[0]?.place.offset !== start) {
    throw new Problem("not-found", `${name} has no line at ${offset} that this token may see`);
  }
  const current = { day, offset: start };
  const currentName = formatPlace(current);
  const [line] = after;
  const earlier = before[0]?.place;
  const later = after.length > 1 ? after.at(-1)!.place : undefined;
  const main = html`${filterForm(new URLSearchParams())}
<section aria-labelledby="around">
<h1 id="around">Around a line</h1>
<p class="facts">${before.length} lines before it and ${
    Math.max(0, after.length - 1)
  } behind it, of every app, in
the order of their arrival. Its place is <code>${currentName}</code>.</p>
<p class="pager">${earlier && html`<a href="${surroundings(earlier)}">↑ Earlier</a>`}
<a href="#${currentName}">The line</a>
${later && html`<a href="${surroundings(later)}">↓ Later</a>`}</p>
${lineList([...before, ...after], { current, gaps: gapsAround(parts, before, after) })}
<p class="pager">${earlier && html`<a href="${surroundings(earlier)}">↑ Earlier</a>`}
${later && html`<a href="${surroundings(later)}">↓ Later</a>`}</p>
<h2>Its record</h2>
<pre class="record">${line === undefined ? "longer than is shown" : recordText(line.text)}</pre>
</section>`;
  return { title: `Around ${currentName}`, main };
}

/** The lines that whoever asks may see. */
function linesWithin(scope: FilterSpec | null, lines: PlacedLine[]): PlacedLine[] {
  if (scope === null) return lines;
  const filter = compileFilter(scope);
  return lines.filter(({ text }) => {
    const bytes = encoder.encode(text);
    return filter.matches(bytes, 0, bytes.length);
  });
}

/** The gaps among the lines, and where these are the first or the last of all, those on the other side of them. */
function gapsAround(parts: Parts, before: readonly PlacedLine[], after: readonly PlacedLine[]): ListedGaps {
  const times = [...before, ...after]
    .map(({ text }) => parseFlyRecord(encoder.encode(text)).record?.timestamp)
    .map((text) => text === undefined ? null : parseTimestamp(text))
    .flatMap((time) => time === null ? [] : [timestampMs(time)]);
  const beginsWithLine = before.length === CONTEXT_LINES;
  const endsWithLine = after.length > CONTEXT_LINES;
  const nowMs = parts.clock.now();
  const sinceMs = beginsWithLine ? Math.min(nowMs, ...times) : -Infinity;
  const untilMs = endsWithLine ? Math.max(...times) + 1 : nowMs;
  return { gaps: parts.gaps.touching(sinceMs, untilMs), beginsWithLine, endsWithLine };
}

/** The line as it is stored: laid out anew, its long numbers would be others. */
function recordText(line: string): string {
  const shown = line.slice(0, RECORD_LIMIT);
  return showHidden(shown) + (shown === line ? "" : `\n… ${line.length - shown.length} more characters`);
}

/** Where the line begins that the byte at `offset` belongs to. */
async function lineStart(archive: DaySource, day: DayNumber, offset: number): Promise<number> {
  for (let look = FIRST_LOOK_BYTES;; look *= 4) {
    const from = Math.max(0, offset - look);
    const text = await readText(archive, day, from, offset);
    const newline = text.lastIndexOf(NEWLINE);
    if (newline !== -1 || from === 0) return from + newline + 1;
    if (look >= CONTEXT_BYTES) return offset;
  }
}

/** The `count` lines that end where `place` is, the start of a line, or fewer. Goes back to the days before. */
async function linesBefore(archive: DaySource, place: Place, count: number): Promise<PlacedLine[]> {
  let lines: PlacedLine[] = [];
  for (
    let day: DayNumber | null = place.day;
    day !== null && lines.length < count;
    day = dayBefore(archive, day)
  ) {
    const end = day === place.day ? place.offset : archive.day(day)?.bytes ?? 0;
    lines = [...await lastLines(archive, day, end, count - lines.length), ...lines];
  }
  return lines;
}

async function lastLines(
  archive: DaySource,
  day: DayNumber,
  end: number,
  count: number,
): Promise<PlacedLine[]> {
  for (let look = FIRST_LOOK_BYTES;; look *= 4) {
    const from = Math.max(0, end - look);
    const text = await readText(archive, day, from, end);
    const lines = splitLines(day, from, text);
    // What begins before the text does is no line, unless the day begins there.
    const whole = from === 0 ? lines : lines.slice(1);
    if (whole.length >= count || from === 0 || look >= CONTEXT_BYTES) return whole.slice(-count);
  }
}

/** The `count` lines from `place` on, the start of a line, or fewer. Goes on to the days behind. */
async function linesFrom(archive: DaySource, place: Place, count: number): Promise<PlacedLine[]> {
  const lines: PlacedLine[] = [];
  for (
    let day: DayNumber | null = place.day;
    day !== null && lines.length < count;
    day = dayAfter(archive, day)
  ) {
    const start = day === place.day ? place.offset : 0;
    lines.push(...await firstLines(archive, day, start, count - lines.length));
  }
  return lines;
}

async function firstLines(
  archive: DaySource,
  day: DayNumber,
  start: number,
  count: number,
): Promise<PlacedLine[]> {
  const bytes = archive.day(day)?.bytes ?? 0;
  for (let look = FIRST_LOOK_BYTES;; look *= 4) {
    const to = Math.min(bytes, start + look);
    const lines = splitLines(day, start, await readText(archive, day, start, to));
    if (lines.length >= count || to === bytes || look >= CONTEXT_BYTES) return lines.slice(0, count);
  }
}

/** The lines in a text that begins at `offset`, without what has no line feed behind it. */
function splitLines(day: DayNumber, offset: number, text: Uint8Array): PlacedLine[] {
  const lines: PlacedLine[] = [];
  for (let start = 0; start < text.length;) {
    const end = text.indexOf(NEWLINE, start);
    if (end === -1) break;
    lines.push({ place: { day, offset: offset + start }, text: decoder.decode(text.subarray(start, end)) });
    start = end + 1;
  }
  return lines;
}

function readText(archive: DaySource, day: DayNumber, start: number, end: number): Promise<Uint8Array> {
  if (start >= end) return Promise.resolve(new Uint8Array());
  return new Response(archive.openText(day, { start, end })).bytes();
}

function dayBefore(archive: DaySource, day: DayNumber): DayNumber | null {
  return recordedDays(archive).find((other) => other < day) ?? null;
}

function dayAfter(archive: DaySource, day: DayNumber): DayNumber | null {
  return recordedDays(archive).findLast((other) => other > day) ?? null;
}

/** Newest first. */
function recordedDays(archive: DaySource): DayNumber[] {
  return archive.days().map((info) => info.day);
}
