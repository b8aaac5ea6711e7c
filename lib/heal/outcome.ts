/**
 * Promises one shape for what came of asking a source for the lines of a span.
 *
 * @module
 */

/** What came of asking one source for one span. */
export interface SourceOutcome {
  /** The source's name: `fly`, or the URL of a peer. */
  source: string;
  /** How many lines of it were inserted. */
  lines: number;
  /**
   * `complete`: the source had all lines of the span, as far as that can be proven, and what was missing here is inserted.
   * `incomplete`: it answered, and what it had is inserted, but it is not proven that this was all. `nothing`: it could not be
   * asked, or has nothing to be asked for.
   */
  state: "complete" | "incomplete" | "nothing";
  /** Why it is not `complete`, a sentence that a person can use; null if it is. */
  reason: string | null;
}
