/**
 * Promises to tell of which spans of a gap a peer may lack lines by its own word, so that it can be complete for all the rest.
 *
 * @module
 */

import { dayName, type DayNumber } from "../../day.ts";
import type { Span } from "../../gaps/gap.ts";
import { joinSpans } from "../../gaps/spans.ts";
import type { Peer } from "./peer.ts";
import { PeerError } from "./peer_error.ts";

/** A peer that is complete but for more spans than this is not complete for anything: it is asked for all of it again later. */
export const EXCEPT_LIMIT = 100;

/** What a recorder says of a span of which it has all but what lies in its gaps. */
const GAPS_ONLY = /^partial; gaps=\d+; seconds=\d+(; healed=\d+)?$/;

/** What one peer says is missing there of a gap. */
export class PeerOwnGaps {
  /** That it has gaps, a sentence for each day on which it has any. */
  readonly reasons: string[] = [];
  readonly #peer: Peer;
  readonly #whole: Span;
  #spans: Span[] = [];

  /** Nothing is asked yet. `whole` is the gap. */
  constructor(peer: Peer, whole: Span) {
    this.#peer = peer;
    this.#whole = whole;
  }

  /** What it may lack of the gap, sorted; undefined where that is nothing, or more than {@linkcode EXCEPT_LIMIT} spans. */
  get except(): Span[] | undefined {
    const { length } = this.#spans;
    return length === 0 || length > EXCEPT_LIMIT ? undefined : [...this.#spans];
  }

  /**
   * Asks for `part` of `day`. Returns why its word is not enough to tell of which spans it has everything, a sentence; null if it is.
   *
   * To be asked before its digest and its lines are: of a gap that is healed there meanwhile these may not have everything.
   *
   * @throws {PeerError} If the peer does not say how much it has; the reason of `signal`, if it aborts.
   */
  async ask(day: DayNumber, part: Span, signal: AbortSignal): Promise<string | null> {
    const coverage = await this.#peer.coverage(day, part, signal);
    if (/^complete(;|$)/.test(coverage)) return null;
    const reason = coverageReason(day, coverage);
    // Whatever else it says lies in no gap, such as lines that wait for its disk.
    if (!GAPS_ONLY.test(coverage)) return reason;
    try {
      const spans = await this.#peer.gaps(part, signal);
      // Of a day without lines it has told of all gaps of the day, and one may have been healed since: then none is left in this part.
      if (spans.length > 0) this.reasons.push(reason);
      // Once there are too many they are not counted any more.
      if (this.#spans.length <= EXCEPT_LIMIT) {
        this.#spans = joinSpans([...this.#spans, ...spans], this.#whole);
      }
      return null;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof PeerError)) throw error;
      return `${reason}, and does not say when: ${error.message}`;
    }
  }
}

function coverageReason(day: DayNumber, coverage: string): string {
  // The text is another's; only what a Flightlog writes is repeated.
  const said = /^[a-z0-9=; ]+$/.test(coverage) ? `: "${coverage}"` : "";
  return `It has gaps of its own on ${dayName(day)}${said}`;
}
