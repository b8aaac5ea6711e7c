/**
 * Promises to tell, at the end of the tests of a file, how much longer the gaps were than the outages that they name, and that none of
 * a long outage is far longer. An outage lasts from the first to the last line that is missing: it is for tests that publish lines
 * steadily.
 *
 * Example: an outage of 12 s in a gap of 13.5 s, and one of 0.5 s in a gap of 1.9 s, are `gaps: 15.4 s for 12.5 s of outage, ratio 1.23`.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Claim } from "./oracle.ts";

/** An outage that lasts longer, in milliseconds, is long: the second before a gap and what else is added to it count for little. */
const LONG_MS = 10_000;

/** The gap of a long outage is less than so many times as long. */
const LONG_RATIO_LIMIT = 1.5;

/** Adds up gaps and outages. */
export class GapTally {
  #gapMs = 0;
  #lostMs = 0;

  /** Prints what was added up when the tests of the file that calls this have run. */
  static ofFile(): GapTally {
    const tally = new GapTally();
    Deno.test.afterAll(() => {
      if (tally.#lostMs > 0) Deno.stdout.writeSync(new TextEncoder().encode(`${tally.text()}\n`));
    });
    return tally;
  }

  /**
   * Adds gaps; those in which no line is missing do not count.
   *
   * @throws {assert.AssertionError} If one is of a long outage and far longer than that.
   */
  add(claims: readonly Claim[]): void {
    for (const { missing, lostMs, excessMs } of claims) {
      if (missing === 0) continue;
      const gapMs = lostMs + excessMs;
      this.#gapMs += gapMs;
      this.#lostMs += lostMs;
      const isShort = lostMs <= LONG_MS || gapMs < LONG_RATIO_LIMIT * lostMs;
      assert.ok(isShort, `a gap of ${gapMs} ms for an outage of ${lostMs} ms`);
    }
  }

  /** See the module's comment. */
  text(): string {
    const [gaps, outages] = [this.#gapMs, this.#lostMs].map((ms) => `${(ms / 1000).toFixed(1)} s`);
    return `gaps: ${gaps} for ${outages} of outage, ratio ${(this.#gapMs / this.#lostMs).toFixed(2)}`;
  }
}
