/**
 * Promises the lines of a gap that have no identity, once each: envelopes, and records without a time. Outside of gaps they are
 * not compared, since nothing in them tells when they were printed.
 *
 * *Envelopes* stand for messages that are no records. Each recorder dates them by the moment at which it received the message,
 * so they are compared by subject and payload within the gap and {@linkcode OVERLAP_MS} around it. Example: a gap from 10:00:00 on.
 * One message came here at 09:59:59.998, and there at 10:00:00.001. It is found here, so it is not missing.
 *
 * *Records without a time* come along with whichever lines of their day are asked for, in their order. Those of the gap are the
 * ones that stand between two lines of its time, and they are placed at the time of the one before. They are compared by their
 * bytes with all such lines of the day.
 *
 * In both, what stands outside of the gap is taken to be here first: of the same text three times there, once of these in the gap,
 * and twice here, the one in the gap is missing.
 *
 * @module
 */

import { FoundLines } from "../../archive/found_lines.ts";
import { DAY_MS, dayName, type DayNumber, dayOf, dayStartMs } from "../../day.ts";
import type { LineRules } from "../../filter/rules.ts";
import type { Span } from "../../gaps/gap.ts";
import type { Identity } from "../../line/identity.ts";
import { Multiset } from "../../line/multiset.ts";
import { compareTimestamps, isBefore, type Timestamp, timestampFromMs } from "../../timestamp.ts";
import { linesLimitOf, type PeerComparison } from "./peer_comparison.ts";
import { OVERLAP_MS } from "../proof.ts";
import { LineSight } from "./seen_line.ts";

/** So many lines without an identity are brought back for a gap at the most, and ... */
export const UNTIMED_LINES_LIMIT = 20_000;

/** ... so many bytes of them, which are in memory at once. */
export const UNTIMED_BYTES_LIMIT: number = 16 * 1024 * 1024;

/** To find where records without a time stand, no more lines of a day are gone through. */
export const PASSED_LINES_LIMIT = 500_000;

/** The level that envelopes have; see envelope.ts. */
const ENVELOPE_LEVEL = "unknown";

/** A line that stands in the gap. */
interface GapLine {
  day: DayNumber;
  bytes: Uint8Array;
  key: Identity;
  time: Timestamp;
}

/** Compares what has no identity with one peer. */
export class UntimedComparison {
  readonly #comparison: PeerComparison;
  readonly #directory: string;
  readonly #rules: LineRules;
  #held: GapLine[] = [];
  #heldBytes = 0;

  /** Asks the peer of `comparison`, by which the days of the gap were compared already. */
  constructor(comparison: PeerComparison, options: { directory: string; rules: LineRules }) {
    this.#comparison = comparison;
    this.#directory = options.directory;
    this.#rules = options.rules;
  }

  /**
   * Inserts what of `gap` is missing here. Returns why this may not be all; null if it is.
   *
   * @throws {PeerError} If not all of theirs come.
   * @throws {Error} As `OwnDays.lines`, or if lines cannot be inserted; the reason of `signal`, if it aborts.
   */
  async heal(gap: Span, signal: AbortSignal): Promise<string | null> {
    const around = { sinceMs: gap.sinceMs - OVERLAP_MS, untilMs: gap.untilMs + OVERLAP_MS };
    const days = [...daysOf(around)].filter((day) => (this.#comparison.withoutIdentity.get(day) ?? 0) > 0);
    const missing = await this.#envelopes(gap, around, days, signal);
    if (missing === null) return tooMany("envelopes");
    for (const day of days) {
      const seen = this.#comparison.untimed.get(day);
      if (seen === 0 || dayStartMs(day) >= gap.untilMs || dayStartMs(day + 1) <= gap.sinceMs) continue;
      const found = await this.#untimed(gap, around, day, signal);
      if (typeof found === "string") return found;
      missing.push(...found);
    }
    await this.#insert(missing);
    return null;
  }

  async #envelopes(
    gap: Span,
    around: Span,
    days: readonly DayNumber[],
    signal: AbortSignal,
  ): Promise<GapLine[] | null> {
    const ours = new Multiset();
    for (const day of days) {
      const sight = new LineSight(null);
      for await (
        const line of this.#comparison.own.lines(day, within(around, day), signal, [ENVELOPE_LEVEL])
      ) {
        const seen = sight.see(line, 0, line.length);
        if (seen.kind === "envelope") ours.add(seen.key);
      }
    }
    this.#begin();
    const sight = new LineSight(this.#rules);
    for (const day of days) {
      const span = within(around, day);
      const { theirs } = await this.#comparison.digests(day, signal);
      const request = {
        day,
        span,
        level: ENVELOPE_LEVEL,
        linesLimit: linesLimitOf(theirs, span),
        onTooLong() {},
      };
      for await (const line of this.#comparison.peer.lines(request, signal)) {
        const seen = sight.see(line, 0, line.length);
        if (seen.kind !== "envelope") continue;
        if (!isIn(seen.time, span)) continue;
        if (!isIn(seen.time, gap)) ours.take(seen.key);
        else if (!this.#hold({ day, bytes: line, key: seen.key, time: seen.time })) return null;
      }
    }
    return this.#held.filter(({ key }) => !ours.take(key));
  }

  /** The records without a time that are missing; or why they cannot be told. */
  async #untimed(gap: Span, around: Span, day: DayNumber, signal: AbortSignal): Promise<GapLine[] | string> {
    const { own, peer } = this.#comparison;
    const span = within(around, day);
    const { theirs } = await this.#comparison.digests(day, signal);
    const linesLimit = linesLimitOf(theirs, span);
    if (linesLimit > PASSED_LINES_LIMIT) {
      return `There are too many lines of ${
        dayName(day)
      } in the gap to look for those without a time among them`;
    }
    const ours = new Multiset();
    const all = new LineSight(null);
    for await (const line of own.lines(day, { sinceMs: span.untilMs - 1, untilMs: span.untilMs }, signal)) {
      const seen = all.see(line, 0, line.length);
      if (seen.kind === "untimed") ours.add(seen.key);
    }
    this.#begin();
    const sight = new LineSight(this.#rules);
    const first = timestampFromMs(within(gap, day).sinceMs);
    let before: Timestamp | null = null;
    let waiting = 0; // so many of the held lines stand after the last line that has a time
    for await (const line of peer.lines({ day, span, linesLimit, onTooLong() {} }, signal)) {
      const seen = sight.see(line, 0, line.length);
      if (seen.kind === "record" && isIn(seen.time, span)) {
        const isGap: boolean = before !== null && compareTimestamps(seen.time, first) >= 0 &&
          isBefore(before, timestampFromMs(gap.untilMs));
        if (!isGap) this.#release(waiting, ours);
        waiting = 0;
        before = seen.time;
      } else if (seen.kind === "untimed") {
        const time = before === null || isBefore(before, first) ? first : before;
        if (!this.#hold({ day, bytes: line, key: seen.key, time })) return tooMany("records without a time");
        waiting++;
        if (before === null) {
          this.#release(waiting, ours);
          waiting = 0;
        }
      }
    }
    this.#release(waiting, ours);
    return this.#held.filter(({ key }) => !ours.take(key));
  }

  #begin(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** Keeps a line; false if there are too many. */
  #hold(line: GapLine): boolean {
    this.#heldBytes += line.bytes.length;
    if (this.#held.length === UNTIMED_LINES_LIMIT || this.#heldBytes > UNTIMED_BYTES_LIMIT) return false;
    this.#held.push({ ...line, bytes: line.bytes.slice() });
    return true;
  }

  /** The last `count` lines that were kept stand outside of the gap after all. */
  #release(count: number, ours: Multiset): void {
    for (let i = 0; i < count; i++) {
      const line = this.#held.pop()!;
      this.#heldBytes -= line.bytes.length;
      ours.take(line.key);
    }
  }

  async #insert(missing: readonly GapLine[]): Promise<void> {
    for (const [day, lines] of Map.groupBy(missing, ({ day }) => day)) {
      if (this.#comparison.refusalOf(day) !== null) continue;
      using found = new FoundLines(this.#directory, day);
      lines.sort((a, b) => compareTimestamps(a.time, b.time));
      for (const { bytes, time } of lines) await found.add(bytes, time);
      this.#comparison.lines += (await this.#comparison.insertFound(found)).lines;
    }
  }
}

/** The days that a span touches; none if it ends before it begins. */
export function* daysOf({ sinceMs, untilMs }: Span): Generator<DayNumber, void> {
  if (sinceMs >= untilMs) return;
  for (let day = dayOf(sinceMs); dayStartMs(day) < untilMs; day++) yield day;
}

/** What of a span is within a day. */
export function within({ sinceMs, untilMs }: Span, day: DayNumber): Span {
  const startMs = dayStartMs(day);
  return { sinceMs: Math.max(sinceMs, startMs), untilMs: Math.min(untilMs, startMs + DAY_MS) };
}

function isIn({ seconds, nanoseconds }: Timestamp, { sinceMs, untilMs }: Span): boolean {
  const ms = seconds * 1000 + nanoseconds / 1e6;
  return ms >= sinceMs && ms < untilMs;
}

function tooMany(what: string): string {
  return `There are more than ${UNTIMED_LINES_LIMIT} ${what} in the gap, or they are too large, to be compared`;
}
