/**
 * Promises the lines of a span of time that are here and that another source may have too, one by one, whatever their number.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Archive } from "../../archive/archive.ts";
import { EVERY_LINE } from "../../archive/read/line_chunk.ts";
import { planRanges } from "../../archive/read/plan.ts";
import type { Span } from "../../gaps/gap.ts";
import { type FlyRecord, parseFlyRecord } from "../../line/fly_log.ts";
import { APP, LineScanner } from "../../line/scanner.ts";
import { freeBuffer } from "../../machine/spent_buffers.ts";
import { parseTimestamp, timestampFromMs, timestampMs } from "../../timestamp.ts";

const LINE_FEED = 0x0a;

/** After so many lines whoever else has something to do gets a turn: some milliseconds. */
const TURN_LINES = 250;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A line, as long as it is looked at. */
export interface OwnLine {
  /** Its app. */
  app: string;
  /** The moment of its timestamp, in milliseconds since 1970, cut to whole ones. */
  atMs: number;
  /** What it stands in. */
  bytes: Uint8Array;
  /** Where it begins in `bytes`. */
  start: number;
  /** Where it ends, before its line feed. */
  end: number;
  /** What was used on it last. */
  scanner: LineScanner;
  /** What it was parsed into, if the scanner did not recognise it; else null. */
  record: FlyRecord | null;
}

/**
 * Calls `onLine` for each line whose timestamp is in `span` and that names its app, until it returns false. Takes room in memory for the time
 * of reading.
 *
 * @throws {NoRoom} If there is none in time.
 * @throws {Error} If a block is damaged; the reason of `signal` where that ends it.
 */
export async function eachOwnLine(
  archive: Pick<Archive, "days" | "lines">,
  span: Span,
  onLine: (line: OwnLine) => boolean | void,
  signal?: AbortSignal,
): Promise<void> {
  const { sinceMs, untilMs } = span;
  if (sinceMs >= untilMs) return;
  const times = { since: timestampFromMs(sinceMs), until: timestampFromMs(untilMs) };
  const filter = { ...EVERY_LINE, ...times, timedOnly: true };
  using _slot = await archive.lines.reserve(signal);
  signal?.throwIfAborted();
  const ranges = planRanges(archive.days(), filter, { day: null, start: null });
  const scanner = new LineScanner();
  let lines = 0;
  for await (
    const { bytes } of archive.lines.read({ ranges, filter, style: "jsonl", events: null, limit: null })
  ) {
    for (let start = 0; start < bytes.length;) {
      const end = bytes.indexOf(LINE_FEED, start);
      const line = lineAt(bytes, start, end, scanner);
      if (line !== null && onLine(line) === false) return;
      start = end + 1;
      if (++lines % TURN_LINES === 0) await nextTurn();
      signal?.throwIfAborted();
    }
    freeBuffer(bytes);
  }
}

/** The line from `start` to `end`; null if it has no time or no app. */
function lineAt(bytes: Uint8Array, start: number, end: number, scanner: LineScanner): OwnLine | null {
  if (!scanner.scan(bytes, start, end)) return parsedLine(bytes, start, end, scanner);
  if (!scanner.timed || scanner.appStart === -1) return null;
  const text = decoder.decode(bytes.subarray(scanner.appStart, scanner.appEnd));
  const app = (scanner.escaped & APP) === 0 ? text : JSON.parse(`"${text}"`) as string;
  return { app, atMs: timestampMs(scanner), bytes, start, end, scanner, record: null };
}

/** As {@linkcode lineAt}, of a line that the scanner leaves to the parser: mostly none of Fly's. */
function parsedLine(bytes: Uint8Array, start: number, end: number, scanner: LineScanner): OwnLine | null {
  const { record } = parseFlyRecord(bytes.subarray(start, end));
  const app = record?.fly?.app?.name;
  const time = parseTimestamp(record?.timestamp ?? "");
  if (record === undefined || app === undefined || time === null) return null;
  return { app, atMs: timestampMs(time), bytes, start, end, scanner, record };
}
