/**
 * Promises that a whole day is handed out the way a file server would: sealed days with everything that lets a
 * client resume and revalidate, hot days with nothing that would be untrue a moment later.
 *
 * @module
 */

import zlib from "node:zlib";
import type { Context } from "hono";
import { chunkStream } from "../lib/archive/read/chunk_stream.ts";
import { EVERY_LINE } from "../lib/archive/read/line_chunk.ts";
import type { ReaderSlot } from "../lib/archive/read/line_reader.ts";
import type { ByteRange } from "../lib/archive/day/open_day.ts";
import { formatPlace } from "../lib/archive/place.ts";
import { DAY_MS, dayStartMs } from "../lib/day.ts";
import { COVERAGE_HEADER, formatCoverage, measureCoverage } from "./coverage.ts";
import type { DayRequest } from "./day_name.ts";
import { prefersGzip } from "./encoding.ts";
import { amongGapLines, type GapLines } from "./gap_lines.ts";
import { CURSOR_HEADER } from "./cursor.ts";
import { bytesOf, fileName } from "./line_answer.ts";
import { reserve } from "./reader_place.ts";
import type { Parts } from "./parts.ts";
import { Problem } from "./problem.ts";
import {
  httpDate,
  rangeStillHolds,
  readRange,
  type Validators,
  validDate,
  weighConditions,
} from "./range.ts";

/** Counted up when the text form of a line changes, since the tag of a day as text depends on it. */
const TEXT_VERSION = 3;

/** A day in the bytes that will go over the wire. */
interface Representation {
  headers: Record<string, string>;
  /** What tells it from the others in the entity tag. */
  tag: string;
  /** How many bytes it has; null if that is only known at the end. */
  length: number | null;
  open(range?: ByteRange): ReadableStream<Uint8Array>;
}

/**
 * Answers a GET or a HEAD for a day. A HEAD opens nothing: what Hono drops it would not close.
 *
 * @throws {Problem} 410 where the day is removed while this waits for its place, 503 where it gets none.
 */
export async function answerDay(c: Context, request: DayRequest, parts: Parts): Promise<Response> {
  if (c.req.method === "HEAD") return answer(c, request, parts, null);
  const place = { slot: await reserve(parts, c.req.raw.signal), isUsed: false };
  try {
    const info = parts.archive.day(request.day);
    if (info === undefined) {
      throw new Problem("removed-day", `${request.name} was removed to make room; there is no copy here`);
    }
    return answer(c, { ...request, info }, parts, place);
  } finally {
    if (!place.isUsed) place.slot[Symbol.dispose]();
  }
}

/** A client's place, and whether a body has it now. */
interface Place {
  slot: ReaderSlot;
  isUsed: boolean;
}

function answer(c: Context, request: DayRequest, parts: Parts, place: Place | null): Response {
  const representation = chooseRepresentation(c, request, parts, place);
  const { info, day } = request;
  for (const [name, value] of Object.entries(representation.headers)) c.header(name, value);
  const sinceMs = dayStartMs(day);
  c.header(COVERAGE_HEADER, formatCoverage(measureCoverage(parts, sinceMs, sinceMs + DAY_MS)));
  c.header("Cache-Control", info.sealed ? "private, no-cache" : "no-store");
  if (info.sealed) return answerSealed(c, request, parts, representation);
  // What is opened below, in the same turn, ends here.
  c.header(CURSOR_HEADER, formatPlace({ day, offset: info.bytes, edition: info.edition }));
  return sendBody(c, representation);
}

function sendBody(c: Context, representation: Representation): Response {
  return c.req.method === "HEAD" ? c.body(null) : c.body(representation.open());
}

function answerSealed(
  c: Context,
  request: DayRequest,
  parts: Parts,
  representation: Representation,
): Response {
  const { info, name } = request;
  const { length } = representation;
  const validators: Validators = {
    etag: `"${name}-${info.crc32}-${info.bytes}-${representation.tag}"`,
    modifiedMs: validDate(info.modifiedMs, parts.clock.now()),
  };
  c.header("ETag", validators.etag);
  if (validators.modifiedMs !== null) c.header("Last-Modified", httpDate(validators.modifiedMs));
  const outcome = weighConditions(c.req.raw.headers, validators);
  if (outcome === "not-modified") {
    c.header("Content-Encoding", undefined);
    return c.body(null, 304);
  }
  if (outcome === "failed") {
    throw new Problem(
      "precondition-failed",
      `Ask for ${name} again without If-Match and If-Unmodified-Since`,
    );
  }
  if (length === null) {
    c.header("Accept-Ranges", "none");
    return sendBody(c, representation);
  }
  c.header("Accept-Ranges", "bytes");
  // Section 14.2: ranges are defined for GET alone.
  const range = c.req.method === "GET" && rangeStillHolds(c.req.header("If-Range"), validators)
    ? readRange(c.req.header("Range"), length)
    : null;
  if (range === "unsatisfiable") {
    throw new Problem("range-not-satisfiable", `${name} has ${length} bytes in this form`, {
      headers: [["Content-Range", `bytes */${length}`], ["Accept-Ranges", "bytes"]],
    });
  }
  if (range === null) {
    c.header("Content-Length", String(length));
    return sendBody(c, representation);
  }
  c.header("Content-Length", String(range.end - range.start));
  c.header("Content-Range", `bytes ${range.start}-${range.end - 1}/${length}`);
  return c.body(representation.open(range), 206);
}

function chooseRepresentation(
  c: Context,
  request: DayRequest,
  parts: Parts,
  place: Place | null,
): Representation {
  const { archive } = parts;
  const slot = (): ReaderSlot => {
    place!.isUsed = true;
    return place!.slot;
  };
  const { day, name, info, form } = request;
  const gzip = {
    // The bytes of a gzip file depend on who made it: resealed by another version, the same lines may differ.
    tag: `gz-${info.gzBytes}`,
    length: info.gzBytes,
    open: (range?: ByteRange) => archive.openGzip(day, range, slot()),
  };
  if (form === "gz") {
    const headers = {
      "Content-Type": "application/gzip",
      "Content-Disposition": `attachment; filename="${name}.jsonl.gz"`,
    };
    return { headers, ...gzip };
  }
  if (form === "text") {
    const startMs = dayStartMs(day);
    const endMs = Math.min(startMs + DAY_MS, parts.clock.now() + 1);
    const gaps = parts.gaps.touching(startMs, endMs);
    const shown = { gaps, day: name, beginsWithLine: false, endsWithLine: false };
    return {
      headers: {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Disposition": fileName(`${name}.log`),
      },
      // Gaps are among the lines, and may come and go while these stay.
      tag: `text-${TEXT_VERSION}-${zlib.crc32(JSON.stringify(gaps)).toString(16)}`,
      length: null,
      open: () => dayText(parts, request, shown, slot()),
    };
  }
  const headers = {
    "Content-Type": "application/x-ndjson",
    "Content-Disposition": fileName(`${name}.jsonl`),
    "Vary": "Accept-Encoding",
  };
  if (prefersGzip(c.req.header("Accept-Encoding"))) {
    return { headers: { ...headers, "Content-Encoding": "gzip" }, ...gzip };
  }
  const open = (range?: ByteRange) => archive.openText(day, range, slot());
  return { headers, tag: "jsonl", length: info.bytes, open };
}

/** The lines of a day as text, up to where it ends now, and the gaps among them. That one of its blocks is damaged is logged. */
function dayText(
  { lines, logger }: Parts,
  { day, name, info }: DayRequest,
  gaps: GapLines,
  slot: ReaderSlot,
): ReadableStream<Uint8Array> {
  const chunks = lines.read({
    ranges: [{ day, start: 0, end: info.bytes, edition: info.edition, timedOnly: false }],
    filter: EVERY_LINE,
    style: "text",
    events: null,
    limit: null,
  });
  return chunkStream(amongGapLines(bytesOf(chunks), gaps), {
    hold: slot,
    onError: (error) => {
      const reason = error instanceof Error ? error.message : String(error);
      logger.log("error", "archive task failed", { what: `reading ${name}`, reason });
    },
  });
}
