/**
 * Promises the rows of all apps in a short span of time in memory that is bounded: where there are more than fit, the span
 * becomes shorter, and it has all rows of what is left of it.
 *
 * Example: 20,000 rows fit. The first app has 30,000 between 10:00 and 11:00, evenly. When the 20,001st comes, which is of 10:40, the
 * piece is cut to the time of the 10,000th: it ends at 10:20. Nothing more is read of this app, and of all others only what is
 * before 10:20.
 *
 * @module
 */

import type { Span } from "../../gaps/gap.ts";
import type { IdentityForm } from "../../line/identity.ts";

/** So many rows are in memory at a time. The line of one takes up to 1 KiB as a rule. */
export const PIECE_ROWS_LIMIT = 20_000;

/** Their lines take at most so many bytes. */
export const PIECE_BYTES_LIMIT: number = 16 * 1024 * 1024;

/** A span is not made shorter than this, in milliseconds: the shortest in which timestamps of three decimals can be parted. */
const SHORTEST_MS = 1;

const MS_NS = 1_000_000n;

/** One row, as the line that it becomes. */
export interface FoundRow {
  /** Its app. */
  app: string;
  /** The moment of its timestamp, in Unix nanoseconds. */
  atNs: bigint;
  /** The line, without a line feed. */
  line: Uint8Array;
}

/** See {@linkcode FlyPiece}. */
export interface PieceLimits {
  /** Default: {@linkcode PIECE_ROWS_LIMIT}. */
  rows?: number;
  /** Default: {@linkcode PIECE_BYTES_LIMIT}. */
  bytes?: number;
}

/** Rows of a span. */
export class FlyPiece {
  /** Where it begins, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** What lines must have in common with the rows of an app to be the same, for each app that was read. */
  readonly forms = new Map<string, IdentityForm>();
  readonly #rowsLimit: number;
  readonly #bytesLimit: number;
  #rows: FoundRow[] = [];
  #bytes = 0;
  #untilMs: number;
  #wasCut = false;

  /** Has no rows yet. The bounds of `span` are whole milliseconds. */
  constructor({ sinceMs, untilMs }: Span, limits: PieceLimits = {}) {
    this.sinceMs = sinceMs;
    this.#untilMs = untilMs;
    this.#rowsLimit = limits.rows ?? PIECE_ROWS_LIMIT;
    this.#bytesLimit = limits.bytes ?? PIECE_BYTES_LIMIT;
  }

  /** The first moment that is not in it, in milliseconds since 1970. It comes nearer when there are too many rows. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** Whether there were too many rows. */
  get wasCut(): boolean {
    return this.#wasCut;
  }

  /** Whether there is room for so many rows again that a longer span might do as well. */
  get isSparse(): boolean {
    return !this.#wasCut && 2 * this.#rows.length < this.#rowsLimit && 2 * this.#bytes < this.#bytesLimit;
  }

  /** How many rows it has. */
  get size(): number {
    return this.#rows.length;
  }

  /** Whether a moment is after its end, in Unix nanoseconds. */
  isOver(atNs: bigint): boolean {
    return atNs >= BigInt(this.#untilMs) * MS_NS;
  }

  /**
   * Adds a row that is not over.
   *
   * @throws {RangeError} If there are too many rows within a millisecond.
   */
  add(row: FoundRow): void {
    this.#rows.push(row);
    this.#bytes += row.line.length;
    if (this.#rows.length > this.#rowsLimit || this.#bytes > this.#bytesLimit) this.#cut();
  }

  /** Takes an app's rows out. */
  remove(app: string): void {
    this.#keep((row) => row.app !== app);
  }

  /** The rows in the order of time; those of one moment in the order in which they were added. */
  sorted(): readonly FoundRow[] {
    return this.#rows.sort(byTime);
  }

  #cut(): void {
    this.#wasCut = true;
    const rows = this.#rows.sort(byTime);
    const middleMs = Number(rows[rows.length >> 1]!.atNs / MS_NS);
    this.#untilMs = Math.max(middleMs, this.sinceMs + SHORTEST_MS);
    this.#keep(({ atNs }) => !this.isOver(atNs));
    if (this.#rows.length > this.#rowsLimit || this.#bytes > this.#bytesLimit) {
      throw new RangeError(
        `Cannot gather rows of Fly: more than ${this.#rowsLimit}, or ${this.#bytesLimit} bytes, are within a millisecond`,
      );
    }
  }

  #keep(isKept: (row: FoundRow) => boolean): void {
    this.#rows = this.#rows.filter(isKept);
    this.#bytes = this.#rows.reduce((sum, { line }) => sum + line.length, 0);
  }
}

function byTime(a: FoundRow, b: FoundRow): number {
  return a.atNs < b.atNs ? -1 : a.atNs > b.atNs ? 1 : 0;
}
