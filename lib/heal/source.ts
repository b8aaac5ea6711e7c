/**
 * Promises what the healer asks of those who may have lines that are missing here.
 *
 * @module
 */

import type { Span } from "../gaps/gap.ts";
import type { FoundSpan } from "./peers/found_spans.ts";
import type { FlyHealOptions } from "./fly/fly_healer.ts";
import type { SourceOutcome } from "./outcome.ts";

/** What comparing with all peers came to. */
export interface Compared {
  /** What came of each peer. */
  outcomes: SourceOutcome[];
  /** In which spans lines were missing here that nobody had missed, by the lines' own times, and who had them. */
  found: FoundSpan[];
}

/** Other recorders of the same stream. */
export interface PeerSource {
  /** Brings what they have of a gap. Rejects only where `signal` ends it. */
  healSpan(span: Span, signal: AbortSignal): Promise<SourceOutcome[]>;
  /** Compares all lines of a span with theirs, and brings what is missing. Rejects only where `signal` ends it. */
  compare(span: Span, signal: AbortSignal): Promise<Compared>;
}

/** Fly's own store of lines. */
export interface FlySource {
  /**
   * Brings what it has of a gap, slice by slice, the oldest first. `fromMs` and `doubt` are what the progress before told, where
   * it goes on. Rejects where `signal` ends it, where what is here cannot be read, or where lines cannot be inserted; what was
   * told as done is done.
   */
  healSpan(span: Span, options: FlyHealOptions): Promise<SourceOutcome>;
}
