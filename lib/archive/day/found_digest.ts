/**
 * Promises the digest of lines that were found elsewhere, so that what is known of a day goes on to hold when they are inserted:
 * the sum of both is the digest of the new text. Runs in the block worker.
 *
 * @module
 */

import type { DayNumber } from "../../day.ts";
import { LineIdentifier } from "../../line/identity.ts";
import { MinuteSums, type MinuteTable } from "../../line/minute_sums.ts";
import { FoundReader } from "../found_reader.ts";

/** What {@linkcode digestFound} does. */
export interface DigestFoundTask {
  /** Tells the tasks of the block worker apart. */
  kind: "digestFound";
  /** Which day the lines are for. */
  day: DayNumber;
  /** The file of the lines; see found_lines.ts. */
  foundPath: string;
}

/**
 * Adds up the identities of the lines, in memory that does not grow with them. Blocks.
 *
 * @throws {Error} As {@linkcode FoundReader}.
 */
export function digestFound({ day, foundPath }: DigestFoundTask): MinuteTable {
  using found = new FoundReader(foundPath);
  const identifier = new LineIdentifier();
  const sums = new MinuteSums(day);
  for (let next = found.next(); next !== null; next = found.next()) {
    const identity = identifier.identify(next.line, 0, next.line.length - 1); // without its line feed
    if (identity === null) sums.addWithoutIdentity();
    else sums.add(identifier.seconds, identity);
  }
  return sums.table();
}
