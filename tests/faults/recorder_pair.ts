/**
 * Promises two recorders that know of each other and are given the same lines.
 *
 * @module
 */

import { OVERLAP_MS } from "../../lib/heal/proof.ts";
import { SETTLED_MS } from "../../lib/heal/peers/peer_healer.ts";
import { recordSinceYesterday } from "../rig/earlier_archive.ts";
import { pass } from "./pair_faults.ts";
import { type AskedSpan, type PairedOptions, PairedRecorder } from "./paired_recorder.ts";
import type { RepeatedLines } from "./repeated_lines.ts";

/**
 * What a gap claims beyond what was lost is over after so long, in milliseconds: before that nothing may befall the other recorder,
 * and no line be published that a start has nothing to do with.
 */
export const PAUSE_MS = 2_500;

/** Days are compared by whole minutes, in milliseconds. */
const MINUTE_MS = 60_000;

/** Lines are published in portions, one every so many milliseconds. */
const PORTION_MS = 20;

/** How often each recorder is told to look for what is missing. */
const HEAL_ROUNDS = 2;

/** How one of the two is set up. */
export type PairOptions = Omit<PairedOptions, "name">;

/** Both recorders. Disposal ends everything. */
export class RecorderPair implements AsyncDisposable {
  /** The first and the second. */
  readonly both: readonly [PairedRecorder, PairedRecorder];
  /** Before everything that both have to tell of their start, in milliseconds since 1970. */
  readonly sinceMs: number;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    both: readonly [PairedRecorder, PairedRecorder],
    sinceMs: number,
    stack: AsyncDisposableStack,
  ) {
    this.both = both;
    this.sinceMs = sinceMs;
    this.#stack = stack;
  }

  /**
   * Starts one after the other, as recorders that have been at it since yesterday, so that each can tell the other that nothing is
   * missing from before. What they say of the time before this start has nothing to do with what is published then.
   * `options` are of the first and of the second.
   */
  static async start(options: readonly PairOptions[] = []): Promise<RecorderPair> {
    await using stack = new AsyncDisposableStack();
    const first = stack.use(await PairedRecorder.prepare({ name: "first", ...options[0] }));
    const second = stack.use(await PairedRecorder.prepare({ name: "second", ...options[1] }));
    first.pairWith(second);
    second.pairWith(first);
    const sinceMs = Date.now() - PAUSE_MS;
    for (const recorder of [first, second]) {
      await recordSinceYesterday(recorder.directory);
      await recorder.start();
      await pass(PAUSE_MS);
    }
    return new RecorderPair([first, second], sinceMs, stack.move());
  }

  /** Publishes `perSecond` lines a second to both, by the real clock, until what it returns is disposed of. */
  publish(lines: RepeatedLines, perSecond: number): AsyncDisposable {
    const over = new AbortController();
    const publishing = this.#publishUntil(lines, perSecond, over.signal);
    // A failure is told when it is waited for.
    publishing.catch(() => {});
    return {
      async [Symbol.asyncDispose]() {
        over.abort();
        await publishing;
      },
    };
  }

  /** Waits until both have what was published before this call. */
  async untilReadable(lines: RepeatedLines): Promise<void> {
    await Promise.all(this.both.map((recorder) => recorder.untilReadable(lines)));
  }

  /**
   * Waits until every line of the span may be looked for: what is younger may still be on its way to a recorder. Where losses are to
   * be found that nobody has noticed (`isCompared`), its last minute has to be over, too.
   *
   * Example: the last line is of 10:00:20. Its minute ends at 10:01:00, and is compared from 10:02:00 on.
   */
  async settle({ untilMs }: AskedSpan, isCompared: boolean): Promise<void> {
    const endMs = isCompared ? Math.ceil(untilMs / MINUTE_MS) * MINUTE_MS : untilMs + OVERLAP_MS;
    await pass(Math.max(0, endMs + SETTLED_MS - Date.now()));
  }

  /**
   * Has each look for what is missing since before the start of both, so often that what the one has found proves the gaps of the
   * other: then nobody has a reason to ask again by itself.
   */
  async heal(): Promise<void> {
    for (let round = 0; round < HEAL_ROUNDS; round++) {
      for (const recorder of this.both) await recorder.heal(this.sinceMs);
    }
  }

  /** See the class. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #publishUntil(lines: RepeatedLines, perSecond: number, signal: AbortSignal): Promise<void> {
    const startMs = performance.now();
    const before = lines.count;
    while (!signal.aborted) {
      const due = Math.floor((performance.now() - startMs) / 1000 * perSecond);
      const portion = lines.take(Math.max(1, before + due - lines.count));
      await Promise.all(this.both.map(({ publisher }) => publisher.publishAll(portion)));
      await pass(PORTION_MS);
    }
  }
}
