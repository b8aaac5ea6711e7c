/**
 * Promises that what another recorder sent is inserted only if it keeps to what its digest says of the same minutes, and that
 * it is known afterwards what both have of each.
 *
 * @module
 */

import { FoundLines } from "../../archive/found_lines.ts";
import { DAY_MS, dayName, type DayNumber, dayStartMs } from "../../day.ts";
import { MinuteSums, type MinuteTable, sumText } from "../../line/minute_sums.ts";
import { isBefore, type Timestamp, timestampFromMs } from "../../timestamp.ts";
import { FoundSpans } from "./found_spans.ts";
import type { DayDigest, MinuteDigest } from "./peer_digest.ts";
import { PeerError } from "./peer_error.ts";
import type { MissingLine } from "./slice_comparison.ts";

/** Lines are inserted when there are more bytes of them on the disk, at the end of a minute. */
export const BATCH_BYTES: number = 256 * 1024 * 1024;

/** No minute has more bytes of lines than these: a volume takes 16 MiB a second. */
export const MINUTE_BYTES_LIMIT: number = 1024 * 1024 * 1024;

const MINUTE_MS = 60_000;

/** Sums are numbers of so many bits. */
const SUM_BITS = 128;

/** Lines that are missing here, of some minutes of a day, on the disk. */
export class FoundBatch implements Disposable {
  /** The lines. */
  readonly found: FoundLines;
  /** In which spans they were missing. */
  readonly spans: FoundSpans;
  readonly #day: DayNumber;
  readonly #peer: string;
  readonly #limitBytes: number;
  readonly #sent: MinuteSums;
  readonly #inserted: MinuteSums;
  readonly #whole: number[] = [];
  #bytes = 0;
  #tooLong = 0;
  #endMs = -Infinity;

  /** Begins one in the archive at `directory`, for lines of `day` from `peer`. It is full with `limitBytes` of them. */
  constructor(directory: string, day: DayNumber, peer: string, limitBytes: number = BATCH_BYTES) {
    this.found = new FoundLines(directory, day);
    this.spans = new FoundSpans(peer);
    this.#day = day;
    this.#peer = peer;
    this.#limitBytes = limitBytes;
    this.#sent = new MinuteSums(day);
    this.#inserted = new MinuteSums(day);
  }

  /** Whether there are so many lines that they should be inserted before more are fetched. */
  get isFull(): boolean {
    return this.#bytes > this.#limitBytes && this.#endMs % MINUTE_MS === 0;
  }

  /**
   * Adds what a slice brought, which ends at `endMs` and follows on the one before: what they `sent`, besides lines that
   * were `tooLong`, and what of it is missing here.
   *
   * @throws {PeerError} `broken` if it is more than can be.
   * @throws {Error} If the disk does not take it.
   */
  async add(
    { sent, missing, tooLong, endMs }: {
      sent: MinuteTable;
      missing: readonly MissingLine[];
      tooLong: number;
      endMs: number;
    },
  ): Promise<void> {
    this.#sent.addTable(sent);
    this.#tooLong += tooLong;
    this.#endMs = endMs;
    for (const { bytes, key, time } of missing) {
      const placing = this.#placingOf(time);
      await this.found.add(bytes, placing);
      this.#inserted.add(time.seconds, key);
      this.spans.add(placing);
      this.#bytes += bytes.length;
    }
    if (this.#bytes <= this.#limitBytes + MINUTE_BYTES_LIMIT) return;
    throw new PeerError(
      "broken",
      `"${this.#peer}" sends more lines for a minute of ${dayName(this.#day)} than can be`,
    );
  }

  /**
   * Says that `minutes` were fetched from their beginning to their end, and holds what was sent against the digest `theirs`: of each
   * there must be as many lines at least, since none goes away, and if there are just as many, their sum must be the same. A
   * minute may have got more since the digest was made.
   *
   * @throws {PeerError} `broken` if it is otherwise.
   */
  noteWhole(minutes: readonly number[], theirs: DayDigest): void {
    if (minutes.length === 0) return;
    const sent = new Map(entriesOf(this.#sent.table()));
    for (const minute of minutes) {
      const promised = theirs.minutes.get(minute);
      const { lines, sum } = sent.get(minute) ?? { lines: 0, sum: "" };
      const isShort = promised !== undefined && lines + this.#tooLong < promised.lines;
      const isOther = lines === promised?.lines && sum !== promised.sum;
      if (!isShort && !isOther) {
        this.#whole.push(minute);
        continue;
      }
      const when = new Date(minute * MINUTE_MS).toISOString().slice(0, 16);
      throw new PeerError(
        "broken",
        `The digest of "${this.#peer}" has ${promised.lines} lines of ${when}Z, and it sends ${
          isOther ? "others" : lines
        }`,
      );
    }
  }

  /** What there is here of each whole minute when the lines are inserted, of which there was `ours` before. */
  *after(ours: DayDigest): Generator<[minute: number, MinuteDigest | undefined], void> {
    const inserted = new Map(entriesOf(this.#inserted.table()));
    for (const minute of this.#whole) yield [minute, added(ours.minutes.get(minute), inserted.get(minute))];
  }

  /** Removes the file. */
  [Symbol.dispose](): void {
    this.found[Symbol.dispose]();
  }

  /**
   * Where a line is placed: at its own time, or if that is not of the day, as that of a machine whose clock is wrong, at the
   * day's beginning or end.
   */
  #placingOf(time: Timestamp): Timestamp {
    const first = timestampFromMs(dayStartMs(this.#day));
    const last = {
      seconds: timestampFromMs(dayStartMs(this.#day) + DAY_MS).seconds - 1,
      nanoseconds: 999_999_999,
    };
    if (isBefore(time, first)) return first;
    return isBefore(last, time) ? last : time;
  }
}

function* entriesOf({ minutes, lines, sums }: MinuteTable): Generator<[number, MinuteDigest], void> {
  for (const [index, minute] of minutes.entries()) {
    yield [minute, { lines: lines[index]!, sum: sumText(sums, index) }];
  }
}

function added(one: MinuteDigest | undefined, other: MinuteDigest | undefined): MinuteDigest | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const sum = BigInt.asUintN(SUM_BITS, BigInt(`0x${one.sum}`) + BigInt(`0x${other.sum}`));
  return { lines: one.lines + other.lines, sum: sum.toString(16).padStart(SUM_BITS / 4, "0") };
}
