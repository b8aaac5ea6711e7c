/**
 * Promises the spans of time in which lines were missing, by the lines' own times, few enough to be written down.
 *
 * @module
 */

import type { Span } from "../../gaps/gap.ts";
import { type Timestamp, timestampMs } from "../../timestamp.ts";

/** Lines that are no farther from each other, in milliseconds, belong to one span. */
export const JOIN_MS = 60_000;

/** There are no more spans; what is found after them belongs to the last one, whatever lies between. */
export const FOUND_SPANS_LIMIT = 1000;

/** A span in which lines were missing, and who had them. */
export interface FoundSpan {
  /** From the first line's millisecond to the end of the last one's. */
  span: Span;
  /** How many lines there were. */
  lines: number;
  /** Who had them. */
  source: string;
}

/**
 * Joins the times of found lines, which come in their order, into spans. Example: lines at 10:00:00.5, 10:00:59 and 10:05:00 are two
 * spans, 10:00:00.500 to 10:00:59.001 with two lines and 10:05:00.000 to 10:05:00.001 with one.
 */
export class FoundSpans {
  readonly #source: string;
  readonly #spans: FoundSpan[] = [];

  /** Nothing was found at `source` yet. */
  constructor(source: string) {
    this.#source = source;
  }

  /** What was found, in order of time. */
  get spans(): readonly FoundSpan[] {
    return this.#spans;
  }

  /** Adds a line. */
  add(time: Timestamp): void {
    const sinceMs = timestampMs(time);
    this.addSpan({ sinceMs, untilMs: sinceMs + 1 }, 1);
  }

  /** Adds `lines` lines within `span`. */
  addSpan(span: Span, lines: number): void {
    const last = this.#spans.at(-1);
    if (last === undefined || (this.#isApart(last.span, span) && this.#spans.length < FOUND_SPANS_LIMIT)) {
      this.#spans.push({ span, lines, source: this.#source });
      return;
    }
    const sinceMs = Math.min(last.span.sinceMs, span.sinceMs);
    last.span = { sinceMs, untilMs: Math.max(last.span.untilMs, span.untilMs) };
    last.lines += lines;
  }

  #isApart(last: Span, next: Span): boolean {
    return next.sinceMs - last.untilMs > JOIN_MS || last.sinceMs - next.untilMs > JOIN_MS;
  }
}
