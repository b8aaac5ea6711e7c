/**
 * Promises the moment at which a gap begins when a session ends: the last one up to which no line is missing.
 *
 * Three things prove that lines are here, and each counts only where it says something about the stream:
 *
 * - A line came. Everything that the server had sent before it is here.
 * - The server answered a question. Everything that it had when it was asked is here. But a server answers also
 *   while the pipeline in front of it is dead, so answers do not count once a canary is overdue, nor after a stall.
 * - A canary came back. Everything printed before it was sent has come through the whole pipeline.
 *
 * **In numbers**: a session begins at 0 s, a line comes at 7 s, and the server answers what it was asked at 20 s and
 * at 30 s.
 *
 * - The connection is lost at 33 s: good up to 30 s, the last question that was answered.
 * - No line comes for `STALL_AFTER`, and the session is ended at 37 s: good up to 7 s, the line.
 * - The same with a canary that was sent at 25 s and came back, and two after it that did not: good up to 25 s.
 * - The session is ended for a stall, and neither a line nor a canary ever came: good up to 0 s, its beginning.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { SourceEnd, SourceSession } from "../source/source.ts";
import type { Canary } from "./canary.ts";
import type { KnownGood } from "./known_good.ts";

/** A server from which nothing came for this long is asked whether there was anything, in milliseconds. */
export const ASK_AFTER_MS = 400;

/** See {@linkcode LastGood}. */
export interface LastGoodOptions {
  /** Knows when the last line came, and is told of the answers that count. */
  knownGood: Pick<KnownGood, "lineMs" | "goodMs" | "noteAnswer">;
  /** Null where none is sent. */
  canary: Pick<Canary, "goodMs" | "status"> | null;
  /** The time. */
  clock: Clock;
  /** A server is asked after this long without a line or an answer, in milliseconds; null for never. */
  askAfterMs: number | null;
}

/** Weighs what proves that no line is missing. Moments are {@linkcode Clock.elapsed}. */
export class LastGood {
  readonly #options: LastGoodOptions;
  #beganMs: number;
  #asked: object | null = null;

  /** Knows of no session yet. */
  constructor(options: LastGoodOptions) {
    this.#options = options;
    this.#beganMs = options.clock.elapsed();
  }

  /** A session begins now. */
  begin(): void {
    this.#beganMs = this.#options.clock.elapsed();
  }

  /** Takes the last answer of a session that lasts, if answers count. */
  noteAnswer({ lastGoodMs }: Pick<SourceSession, "lastGoodMs">): void {
    const { canary, knownGood } = this.#options;
    const isCanaryOverdue = canary !== null && canary.status.missed > 0;
    if (!isCanaryOverdue) knownGood.noteAnswer(lastGoodMs);
  }

  /** Asks a server from which nothing has come for a while whether there was anything; at most once at a time. */
  askIfSilent(session: Pick<SourceSession, "ask">): void {
    const { clock, askAfterMs, knownGood } = this.#options;
    if (askAfterMs === null || this.#asked === session) return;
    if (clock.elapsed() - knownGood.goodMs < askAfterMs) return;
    this.#asked = session;
    session.ask().finally(() => {
      if (this.#asked === session) this.#asked = null;
    });
  }

  /** Up to when no line is missing, now that the session that began last has ended so. */
  goodMs(end: Pick<SourceEnd, "cause" | "lastGoodMs">): number {
    const { canary, knownGood: { lineMs } } = this.#options;
    if (end.cause !== "stall") return Math.max(lineMs, end.lastGoodMs);
    return Math.max(lineMs, canary?.goodMs ?? Math.min(this.#beganMs, end.lastGoodMs));
  }
}
