/**
 * Promises the lines of a span of time that are here and that another source may have too, one by one, whatever their number.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Archive } from "../archive/archive.ts";
import { EVERY_LINE } from "../archive/read/line_chunk.ts";
import { planRanges } from "../archive/read/plan.ts";
import type { Span } from "../gaps/gap.ts";
import { APP, LineScanner } from "../line/scanner.ts";
import { timestampFromMs } from "../timestamp.ts";

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
  /** What has just recognised it. */
  scanner: LineScanner;
}

/**
 * Calls `onLine` for each line whose timestamp is in `span` and that names its app, until it returns false. Lines that are no
 * plain records, as envelopes are, no other source has in this form, so they are left out. Takes room in memory for the time
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
      const app = scanner.scan(bytes, start, end) && scanner.timed ? appOf(bytes, scanner) : null;
      if (app !== null) {
        const atMs = scanner.seconds * 1000 + Math.floor(scanner.nanoseconds / 1_000_000);
        if (onLine({ app, atMs, bytes, start, end, scanner }) === false) return;
      }
      start = end + 1;
      if (++lines % TURN_LINES === 0) await nextTurn();
      signal?.throwIfAborted();
    }
  }
}

/** The name of its app in the line that `scanner` has recognised; null if it has none. */
function appOf(bytes: Uint8Array, { appStart, appEnd, escaped }: LineScanner): string | null {
  if (appStart === -1) return null;
  const text = decoder.decode(bytes.subarray(appStart, appEnd));
  return (escaped & APP) === 0 ? text : JSON.parse(`"${text}"`);
}
