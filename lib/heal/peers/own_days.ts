/**
 * Promises what another recorder's lines are compared with: those that are here, read like any reader's, with a place among the
 * readers and a pause between pieces, so that recording goes on.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Archive } from "../../archive/archive.ts";
import { EVERY_LINE, type LineRequest } from "../../archive/read/line_chunk.ts";
import { planRanges } from "../../archive/read/plan.ts";
import type { DayNumber } from "../../day.ts";
import type { Span } from "../../gaps/gap.ts";
import { freeBuffer } from "../../machine/spent_buffers.ts";
import { timestampFromMs } from "../../timestamp.ts";
import { type DayDigest, NO_LINES, ownDigest } from "./peer_digest.ts";

/** What of the archive is asked. */
export type ReadArchive = Pick<Archive, "days" | "day" | "lines" | "digests">;

/** The event loop gets a turn after so many bytes of lines: they take about two milliseconds. */
export const TURN_BYTES: number = 128 * 1024;

const LINE_FEED = 0x0a;

/** Reads the days that are here. */
export class OwnDays {
  readonly #archive: ReadArchive;

  /** Reads those of `archive`. */
  constructor(archive: ReadArchive) {
    this.#archive = archive;
  }

  /**
   * What there is of `day` by minute; of a day that was not recorded, nothing.
   *
   * @throws {NoRoom} If too many are reading.
   * @throws {Error} If a block is damaged; the reason of `signal` where that ends it.
   */
  async digest(day: DayNumber, signal: AbortSignal): Promise<DayDigest> {
    using _slot = await this.#archive.lines.reserve(signal);
    if (this.#archive.day(day) === undefined) return NO_LINES;
    return ownDigest(await this.#archive.digests.digest(day, signal));
  }

  /**
   * The lines of `day` whose own timestamps are within `span`, and all of that day without one, without their line feeds. Each holds
   * until the next one is asked for. A line of that time that was recorded on the day before or after is among them, too: a clock
   * that is wrong may have had one recorder choose another day than the other. `levels` are those wanted; none for all. Throws as
   * {@linkcode OwnDays.digest} does.
   */
  async *lines(
    day: DayNumber,
    span: Span,
    signal: AbortSignal,
    levels: string[] = [],
  ): AsyncGenerator<Uint8Array, void> {
    using _slot = await this.#archive.lines.reserve(signal);
    const since = timestampFromMs(span.sinceMs);
    const filter = { ...EVERY_LINE, since, until: timestampFromMs(span.untilMs), levels };
    const near = this.#archive.days().filter((info) => Math.abs(info.day - day) <= 1);
    const ranges = planRanges(near, filter, { day: null, start: null })
      .map((range) => range.day === day ? range : { ...range, timedOnly: true });
    const request: LineRequest = { ranges, filter, style: "jsonl", events: null, limit: null };
    let passed = 0;
    for await (const { bytes } of this.#archive.lines.read(request)) {
      signal.throwIfAborted();
      for (let at = 0; at < bytes.length;) {
        const end = bytes.indexOf(LINE_FEED, at);
        yield bytes.subarray(at, end);
        passed += end + 1 - at;
        at = end + 1;
        if (passed < TURN_BYTES) continue;
        passed = 0;
        await nextTurn();
      }
      freeBuffer(bytes);
    }
  }
}
