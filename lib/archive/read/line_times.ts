/**
 * Promises the timestamps of lines, of one line or of the last in a text that has one.
 *
 * @module
 */

import { parseFlyRecord } from "../../line/fly_log.ts";
import { parseTimestamp, timestampMs } from "../../timestamp.ts";
import { LINE_FEED } from "../format.ts";

/** The time of a line without its line feed, in milliseconds since 1970; null where it has none. */
export function lineTime(line: Uint8Array): number | null {
  const timestamp = parseFlyRecord(line).record?.timestamp;
  const time = timestamp === undefined ? null : parseTimestamp(timestamp);
  return time && timestampMs(time);
}

/** The time of the last line of `text`, which is whole lines, that has one; null where none has. */
export function lastLineTime(text: Uint8Array): number | null {
  for (let end = text.length - 1; end > 0;) {
    const newline = text.lastIndexOf(LINE_FEED, end - 1);
    const timeMs = lineTime(text.subarray(newline + 1, end));
    if (timeMs !== null) return timeMs;
    end = newline;
  }
  return null;
}
