/**
 * Promises to say whether what lies around a gap proves that a peer has all of it; see proof.ts.
 *
 * If nothing is here within {@linkcode OVERLAP_MS} of the gap, it is enough that some minute of the same days has the same lines on
 * both sides. Two recorders with different filters may have none that is, so lines a little farther away do as well.
 *
 * @module
 */

import type { Span } from "../../gaps/gap.ts";
import type { Identity } from "../../line/identity.ts";
import type { PeerComparison } from "./peer_comparison.ts";
import { type Overlap, OVERLAP_MS, type Overlaps, proveByOverlaps } from "../proof.ts";
import { daysOf, within } from "./untimed_comparison.ts";

/**
 * So many lines of both sides are compared in an overlap. In one with more only the quarter of it next to the gap is looked at, and
 * so on; but no less than {@linkcode SHORTEST_OVERLAP_MS}.
 */
export const OVERLAP_LINES_LIMIT = 200_000;

/** A shorter overlap, in milliseconds, proves nothing. */
export const SHORTEST_OVERLAP_MS = 50;

/** Where nothing else tells, overlaps are made so long, one length after another, until a line is in them, in milliseconds. */
export const LONGER_OVERLAPS_MS: readonly number[] = [60_000, 600_000];

/** What is looked at. */
export interface PeerOverlapsOptions {
  /** The gap. */
  gap: Span;
  /** What is later is not looked at, in milliseconds since 1970. */
  settledMs: number;
  /** Ends it. */
  signal: AbortSignal;
}

/** The overlaps of a gap with one peer. */
export class PeerOverlaps {
  readonly #comparison: PeerComparison;
  readonly #options: PeerOverlapsOptions;
  #overlaps: Overlaps = { before: null, after: null };

  /** Looks at nothing yet. */
  constructor(comparison: PeerComparison, options: PeerOverlapsOptions) {
    this.#comparison = comparison;
    this.#options = options;
  }

  /** Compares what is next to the gap, before anything is inserted. Throws as {@linkcode PeerComparison.addKeys} does. */
  async compare(): Promise<void> {
    this.#overlaps = await this.#ofLength(OVERLAP_MS);
  }

  /** Why they do not prove that the peer has all of the gap; null if they do. Throws as {@linkcode PeerOverlaps.compare} does. */
  async prove(): Promise<string | null> {
    const proof = proveByOverlaps(this.#overlaps);
    if (proof.state === "proven") return null;
    if (proof.state === "unproven") return proof.reason;
    if (this.#comparison.sameLines > 0) return null;
    for (const lengthMs of LONGER_OVERLAPS_MS) {
      const { state } = proveByOverlaps(await this.#ofLength(lengthMs));
      if (state !== "silent") return state === "proven" ? null : proof.reason;
    }
    return proof.reason;
  }

  async #ofLength(lengthMs: number): Promise<Overlaps> {
    const { sinceMs, untilMs } = this.#options.gap;
    return {
      before: await this.#side({ endMs: sinceMs, direction: -1, lengthMs }),
      after: await this.#side({ endMs: untilMs, direction: 1, lengthMs }),
    };
  }

  /** The lines of both next to one end of the gap; null if there are too many. */
  async #side(
    { endMs, direction, lengthMs }: { endMs: number; direction: 1 | -1; lengthMs: number },
  ): Promise<Overlap | null> {
    for (; lengthMs >= SHORTEST_OVERLAP_MS; lengthMs = Math.floor(lengthMs / 4)) {
      const sinceMs = direction === 1 ? endMs : endMs - lengthMs;
      const untilMs = Math.min(sinceMs + lengthMs, this.#options.settledMs);
      const overlap = await this.#keysOf({ sinceMs, untilMs });
      if (overlap !== null) return overlap;
    }
    return null;
  }

  async #keysOf(span: Span): Promise<Overlap | null> {
    const keys = { ours: [] as Identity[], theirs: [] as Identity[] };
    for (const day of daysOf(span)) {
      const part = within(span, day);
      const isWhole = await this.#comparison.addKeys(
        keys,
        OVERLAP_LINES_LIMIT,
        day,
        part,
        this.#options.signal,
      );
      if (!isWhole) return null;
    }
    return keys;
  }
}
