/**
 * Promises how many lines a day has and the smallest and the largest timestamp among them, in whatever order they come.
 *
 * @module
 */

import { formatTimestamp, type Timestamp } from "../../timestamp.ts";
import type { TextSummary } from "../blocks/block.ts";
import { earlier, later } from "../blocks/day_index.ts";

/** The totals of a day. Timestamps that come with lines are kept as numbers, since every line that comes has one. */
export class DayTotals {
  /** How many lines there are. */
  lines: number;
  #first: Timestamp | null = null;
  #last: Timestamp | null = null;
  #firstBefore: string | null;
  #lastBefore: string | null;

  /** Begins with the sums of `known`, the parts of the text that was found. */
  constructor(known: readonly Pick<TextSummary, "lines" | "first" | "last">[]) {
    this.lines = known.reduce((sum, { lines }) => sum + lines, 0);
    this.#firstBefore = known.reduce<string | null>((first, next) => earlier(first, next.first), null);
    this.#lastBefore = known.reduce<string | null>((last, next) => later(last, next.last), null);
  }

  /** The smallest timestamp, to the nanosecond in UTC; null where no line has one. */
  get first(): string | null {
    return earlier(this.#firstBefore, this.#first && formatTimestamp(this.#first));
  }

  /** The largest timestamp, as {@linkcode first}. */
  get last(): string | null {
    return later(this.#lastBefore, this.#last && formatTimestamp(this.#last));
  }

  /** Takes lines into account that were inserted. */
  noteInserted({ lines, first, last }: Pick<TextSummary, "lines" | "first" | "last">): void {
    this.lines += lines;
    this.#firstBefore = earlier(this.#firstBefore, first);
    this.#lastBefore = later(this.#lastBefore, last);
  }

  /** Takes the timestamp of a line into account, which is not kept. */
  noteTime({ seconds, nanoseconds }: Timestamp): void {
    const first = this.#first;
    if (first === null) {
      this.#first = { seconds, nanoseconds };
      this.#last = { seconds, nanoseconds };
      return;
    }
    if (seconds < first.seconds || (seconds === first.seconds && nanoseconds < first.nanoseconds)) {
      first.seconds = seconds;
      first.nanoseconds = nanoseconds;
    }
    const last = this.#last!;
    if (seconds > last.seconds || (seconds === last.seconds && nanoseconds > last.nanoseconds)) {
      last.seconds = seconds;
      last.nanoseconds = nanoseconds;
    }
  }
}
