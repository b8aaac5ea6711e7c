/**
 * Promises one answer to "what came of asking this source about that time?", whichever source it was.
 *
 * @module
 */

import type { Span } from "../gaps/gap.ts";

/** What asking one source came to. */
export interface SourceOutcome {
  /** Who was asked: `fly`, or a peer's name such as `http://[fdaa::1]:8080`. */
  source: string;
  /** How many of its lines were inserted here. */
  lines: number;
  /**
   * `complete`: it had all lines of the time that was asked for, as far as anybody can tell, and they are all here now.
   * `incomplete`: it had some, or may not have had all. `nothing`: it could not tell anything.
   */
  state: "complete" | "incomplete" | "nothing";
  /** Why it is not complete, a sentence; null where it is. */
  reason: string | null;
  /** Whether asking again would come to the same: the source has not kept the time, or refuses for good. Default: no. */
  isFinal?: boolean;
  /**
   * Of an incomplete one: the spans of the time that was asked for which it may lack, where it is complete for all the rest: as if
   * it had been asked for that only. Sorted, in whole milliseconds, at most `EXCEPT_LIMIT` (peer_own_gaps.ts). Default: that is not known.
   */
  except?: readonly Span[];
}
