/**
 * Promises an answer with lines: those that a query asks for and no others, as a stream that stops working when
 * its client goes away, or as a page that says where the next one begins.
 *
 * @module
 */

import type { Context } from "hono";
import { chunkStream } from "../lib/archive/read/chunk_stream.ts";
import type { LineChunk, LineRequest } from "../lib/archive/read/line_chunk.ts";
import type { LineStyle } from "../lib/archive/read/line_format.ts";
import type { ReaderSlot } from "../lib/archive/read/line_reader.ts";
import type { Place } from "../lib/archive/place.ts";
import { type DayRange, planRanges, rangesBefore, rangesFrom } from "../lib/archive/read/plan.ts";
import { dayName, type DayNumber, dayStartMs } from "../lib/day.ts";
import type { Gap } from "../lib/gaps/gap.ts";
import { healedLines } from "../lib/gaps/healing.ts";
import { timestampMs, timestampMsUp } from "../lib/timestamp.ts";
import { COVERAGE_HEADER, formatCoverage, measureCoverage } from "./coverage.ts";
import { checkCursor, endOf, nextPage, sendCursor } from "./cursor.ts";
import { amongGapLines } from "./gap_lines.ts";
import { asksForValues, findHint, HINT_HEADER, hintLine } from "./hint.ts";
import { endEmptyWith, peekLines } from "./hint_stream.ts";
import { collectPage, PAGE_LINES_LIMIT } from "./line_page.ts";
import type { Parts } from "./parts.ts";
import { gapWithin } from "./principal.ts";
import type { LineQuery } from "./query.ts";
import { reserve } from "./reader_place.ts";

const CONTENT_TYPES: Record<"jsonl" | "text", string> = {
  jsonl: "application/x-ndjson",
  text: "text/plain; charset=utf-8",
};

/** The type of an answer with lines in this form. */
export function contentTypeOf(format: LineQuery["format"]): string {
  return CONTENT_TYPES[format ?? "jsonl"];
}

/**
 * What a browser, or `curl -OJ`, calls an answer when it saves it (RFC 6266): an address alone may have no ending,
 * or name a whole day where this is a part of it. `name` is ASCII, and nobody else's.
 */
export function fileName(name: string): string {
  return `inline; filename="${name}"`;
}

/** How the lines of a query are written. */
export function styleOf({ format, color }: Pick<LineQuery, "format" | "color">): LineStyle {
  if (format !== "text") return "jsonl";
  return color ? "color" : "text";
}

/** The span that a query asks about, in milliseconds since 1970: what it does not say, the archive does. */
export function spanOf(
  query: LineQuery,
  day: DayNumber | null,
  parts: Parts,
): [sinceMs: number, untilMs: number] {
  const { since, until } = query.filter;
  const oldest = parts.archive.days().at(-1);
  const nowMs = parts.clock.now();
  const startMs = day !== null ? dayStartMs(day) : oldest ? dayStartMs(oldest.day) : nowMs;
  const endMs = day !== null ? dayStartMs(day + 1) : nowMs;
  const askedEndMs = until ? timestampMsUp(until) : Infinity;
  const allMs = day === null ? beginOfAll(startMs, askedEndMs, parts) : startMs;
  const cursorMs = query.cursor === null ? -Infinity : dayStartMs(query.cursor.day);
  const isBefore = query.cursor !== null && cursorMs < startMs;
  const sinceMs = Math.max(
    since ? timestampMs(since) : isBefore ? cursorMs : allMs,
    day === null ? -Infinity : startMs,
    cursorMs,
  );
  const untilMs = Math.min(until ? timestampMsUp(until) : endMs, day === null ? Infinity : endMs);
  return [sinceMs, Math.max(sinceMs, untilMs)];
}

/**
 * Where a span begins that has no beginning. Who asks for all there is does not ask for what was before it; but who asks
 * for what was before a moment, and there is nothing, or only lines that came late, asks for that. Recorded since
 * 12:00 on the 20th, with lines of the 20th: of all from 12:00 on, until 11:00 from midnight on, until the 19th from ever on.
 * A gap before the first start of which lines were brought back is a part of all there is.
 */
function beginOfAll(oldestMs: number, untilMs: number, parts: Pick<Parts, "gaps">): number {
  const before = parts.gaps.touching(oldestMs, oldestMs + 1)
    .find(({ cause, state, healing }) =>
      cause === "before" && state === "lost" && healedLines(healing) === 0
    );
  if (before === undefined) return oldestMs;
  if (untilMs > before.untilMs!) return before.untilMs!;
  return untilMs > oldestMs ? oldestMs : -Infinity;
}

/**
 * Answers with the lines of `query`, of all days or of one.
 *
 * @throws {Problem} 400 for a cursor that leads nowhere, 410 where it leads to a day that was removed, 503
 * where too many are reading.
 */
export async function answerLines(
  c: Context,
  parts: Parts,
  asked: LineQuery,
  day: DayNumber | null,
): Promise<Response> {
  const query = { ...asked, cursor: await checkCursor(asked.cursor, day, parts, c.req.raw.signal) };
  const ranges = planRanges(parts.archive.days(), query.filter, { day, start: query.cursor });
  c.header("Content-Type", contentTypeOf(query.format));
  const ending = query.format === "text" ? "log" : "jsonl";
  c.header("Content-Disposition", fileName(`${day === null ? "search" : `${dayName(day)}-part`}.${ending}`));
  c.header("Cache-Control", "no-store");
  c.header(COVERAGE_HEADER, formatCoverage(measureCoverage(parts, ...spanOf(query, day, parts))));
  if (c.req.method === "HEAD") return c.body(null);
  const early = isPage(query) || !mayHint(query)
    ? null
    : await findHint(parts, { filter: query.filter, ranges, isEmpty: false });
  const slot = await reserve(parts, c.req.raw.signal);
  try {
    const gaps = await gapsShown(parts, query, day);
    const response = await answer(c, parts, query, ranges, slot, endOf(ranges, query, day, parts), gaps);
    return await withHint(response, parts, query, ranges, early);
  } catch (error) {
    slot[Symbol.dispose]();
    throw error;
  }
}

/** Adds to the lines of an answer what is about them and none of the log. `isFull`: a next page goes on after it. */
type Remarks = (lines: AsyncGenerator<Uint8Array, void>, isFull: boolean) => AsyncGenerator<Uint8Array, void>;

/**
 * Puts the gaps of a query's span among its lines, where these are text: other forms have them in a header alone. An
 * answer that goes on from a cursor has those that end after the line before it: the others were shown.
 */
async function gapsShown(parts: Parts, query: LineQuery, day: DayNumber | null): Promise<Remarks> {
  if (query.format !== "text") return (lines) => lines;
  const gaps = await gapsAmong(parts, query, day);
  const name = day === null ? "" : dayName(day);
  const beginsWithLine = query.tail !== null;
  return (lines, endsWithLine) => amongGapLines(lines, { gaps, day: name, beginsWithLine, endsWithLine });
}

/** The gaps of a query's span, but for those that the page before a cursor has shown. */
export async function gapsAmong(parts: Parts, query: LineQuery, day: DayNumber | null): Promise<Gap[]> {
  const shownMs = await shownUpTo(parts, query.cursor);
  const [sinceMs, untilMs] = spanOf(query, day, parts);
  const endMs = Math.min(untilMs, parts.clock.now() + 1);
  return parts.gaps.touching(sinceMs, endMs)
    .filter(({ untilMs }) => untilMs === null || untilMs > shownMs)
    .map((gap) => gapWithin(query.filter.scope, gap));
}

/** The time of the last line of the page before a cursor, in milliseconds since 1970; -Infinity where there is none. */
async function shownUpTo({ archive, lines }: Parts, cursor: Place | null): Promise<number> {
  if (cursor === null || cursor.offset === 0 || archive.day(cursor.day) === undefined) return -Infinity;
  return await lines.timeBefore(cursor) ?? -Infinity;
}

/**
 * Whether an answer without lines gets a hint. Not one that goes on from a cursor: that nothing new has come is no mistake
 * in the query.
 */
export function mayHint({ filter, cursor }: LineQuery): boolean {
  return cursor === null && asksForValues(filter);
}

/** Whether an answer is put together before it is sent. */
function isPage({ tail, limit }: LineQuery): boolean {
  return tail !== null || (limit !== null && limit <= PAGE_LINES_LIMIT);
}

/**
 * Has an answer without lines say what there is instead of what was asked for: in a header, and in text as its last
 * line. `early` is what is known before anything is read, which is all that the headers of a stream can say.
 */
async function withHint(
  response: Response,
  parts: Parts,
  query: LineQuery,
  ranges: readonly DayRange[],
  early: string | null,
): Promise<Response> {
  const { headers } = response;
  if (response.body === null || !mayHint(query)) return response;
  const find = () => findHint(parts, { filter: query.filter, ranges, isEmpty: true });
  let body: ReadableStream<Uint8Array> = response.body;
  let hint = early;
  if (isPage(query)) {
    const peeked = await peekLines(body);
    body = peeked.body;
    if (peeked.hasLines) return new Response(body, { headers });
    hint = await find();
  }
  if (hint !== null) headers.set(HINT_HEADER, hint);
  if (query.format !== "text") return new Response(body, { headers });
  const ending = async () => {
    const found = hint ?? (isPage(query) ? null : await find());
    return found && hintLine(found);
  };
  return new Response(endEmptyWith(body, ending), { headers });
}

async function answer(
  c: Context,
  parts: Parts,
  query: LineQuery,
  ranges: DayRange[],
  slot: ReaderSlot,
  end: Place | null,
  remarks: Remarks,
): Promise<Response> {
  const { signal } = c.req.raw;
  const { filter, limit, tail } = query;
  const request: LineRequest = { ranges, filter, style: styleOf(query), events: null, limit };
  const send = (lines: AsyncGenerator<Uint8Array, void>, kept: Disposable | null, isFull: boolean) => {
    const body = chunkStream(remarks(lines, isFull), { hold: slot, onEnd: () => kept?.[Symbol.dispose]() });
    return c.body(body);
  };
  if (tail !== null) {
    const kept = await parts.lines.readTail({ ...request, limit: tail }, signal);
    sendCursor(c, end);
    if (kept.chunks !== null) return send(eachOnce(kept.chunks), kept, false);
    const again = parts.lines.read({ ...request, ranges: rangesFrom(ranges, kept.start!) });
    return send(bytesOf(again), null, false);
  }
  const chunks = parts.lines.read(request);
  if (limit === null || limit > PAGE_LINES_LIMIT) {
    if (limit === null) sendCursor(c, end);
    return send(bytesOf(chunks), null, limit !== null);
  }
  const page = await collectPage(chunks, parts.lines, limit, signal);
  const isFull = page.lines === limit;
  sendCursor(c, isFull ? page.end : end);
  if (isFull) c.header("Link", `<${nextPage(c.req.url, page.end!, query)}>; rel="next"`);
  if (page.kept.chunks !== null) return send(eachOnce(page.kept.chunks), page.kept, isFull);
  // The lines are read again, up to where the headers say that this page ends: what was recorded since is left out, and if
  // lines are inserted meanwhile, those in between are more.
  const from = rangesFrom(ranges, page.start!);
  const wanted = { ...request, ranges: isFull ? rangesBefore(from, page.end!) : from, limit: null };
  return send(bytesOf(parts.lines.read(wanted)), null, isFull);
}

async function* eachOnce(chunks: LineChunk[]): AsyncGenerator<Uint8Array, void> {
  while (chunks.length > 0) yield chunks.shift()!.bytes;
}

/** The bytes of each chunk. */
export async function* bytesOf(chunks: AsyncGenerator<LineChunk, void>): AsyncGenerator<Uint8Array, void> {
  for await (const { bytes } of chunks) yield bytes;
}
