/**
 * Promises the digest of a day, by which two archives tell whether they have the same lines of it: made when it is asked for,
 * of every line or not at all, off the recording thread, in memory that does not grow with the day.
 *
 * @module
 */

import { dayName, type DayNumber } from "../../day.ts";
import { compileFilter } from "../../filter/filter.ts";
import { MinuteSums, type MinuteTable } from "../../line/minute_sums.ts";
import { type MemoryHold, READER_BYTES } from "../../machine/memory_budget.ts";
import type { SealEntry } from "../format.ts";
import type { ByteRange, OpenDay } from "../day/open_day.ts";
import { type DayPiece, forwardPieces } from "./day_pieces.ts";
import { EVERY_LINE } from "./line_chunk.ts";
import type { ReaderHost } from "./line_reader.ts";

/** The digests of so many days are remembered, those asked for last; each takes up to 92 KB. */
export const REMEMBERED_DIGESTS_LIMIT = 8;

/**
 * The beginning of a day's text, up to the end of a finished block: how long it is, and its CRC-32. While a day grows, is
 * sealed, reopened and sealed again, the blocks that it has stay, so what is known of its beginning goes on to hold. Where
 * lines were inserted, or the day was recorded anew, no block with this checksum ends there.
 */
interface Beginning {
  end: number;
  crc32: string;
}

/** A beginning, and the digest of its lines. */
interface KnownBeginning {
  beginning: Beginning;
  table: MinuteTable;
}

/** Makes the digests of an archive's days. */
export class DayDigests {
  readonly #host: ReaderHost;
  readonly #remembered = new Map<DayNumber, KnownBeginning>();

  /** Reads the days of `host`. */
  constructor(host: ReaderHost) {
    this.#host = host;
  }

  /**
   * Adds up the identities of all lines that `day` has now. Of a day that was asked for lately only the blocks that are new
   * are read. The caller holds a reader's slot meanwhile; `signal` says that nobody wants the digest any more.
   *
   * @throws {RangeError} If there is no such day.
   * @throws {Error} If a block is damaged; the reason of `signal` where that ends it.
   */
  async digest(day: DayNumber, signal?: AbortSignal): Promise<MinuteTable> {
    using open = this.#host.open(day);
    const beginning = finishedBeginning(open);
    const end = open.plainRange?.end ?? beginning.end;
    const sums = new MinuteSums(day);
    const known = await this.#recall(open, day);
    if (known?.beginning.end === end) return known.table;
    if (known !== null) sums.addTable(known.table);
    await this.#addText(sums, open, day, { start: known?.beginning.end ?? 0, end: beginning.end }, signal);
    if (known?.beginning.end !== beginning.end) this.#remember(day, { beginning, table: sums.table() });
    // Text that has no block yet has no checksum to recognise it by either, so it is read each time.
    await this.#addText(sums, open, day, { start: beginning.end, end }, signal);
    return sums.table();
  }

  /** Whether a digest of the day, or of its beginning, is remembered. */
  remembers(day: DayNumber): boolean {
    return this.#remembered.has(day);
  }

  /**
   * Lines were inserted, the digest of which is `inserted`: what is remembered goes on to hold with them. `before` is the day as it was
   * before, with blocks of all its text that `seal`, which is that of the new one, is of; what was not looked at yet is read. The caller
   * holds a reader's slot meanwhile.
   *
   * @throws {Error} As {@linkcode digest}; the day is read anew then when it is asked for.
   */
  async noteInserted(
    before: OpenDay,
    seal: Pick<SealEntry, "rawBytes" | "crc32">,
    inserted: MinuteTable,
  ): Promise<void> {
    const { day } = before;
    const { end } = finishedBeginning(before);
    const known = await this.#recall(before, day);
    if (known === null) return;
    const sums = new MinuteSums(day);
    sums.addTable(known.table);
    sums.addTable(inserted);
    await this.#addText(sums, before, day, { start: known.beginning.end, end });
    this.#remember(day, { beginning: { end: seal.rawBytes, crc32: seal.crc32 }, table: sums.table() });
  }

  async #recall(open: OpenDay, day: DayNumber): Promise<KnownBeginning | null> {
    const known = this.#remembered.get(day);
    if (known === undefined) return null;
    this.#remember(day, known); // as the one that was asked for last
    return await beginsWith(open, known.beginning) ? known : null;
  }

  #remember(day: DayNumber, known: KnownBeginning): void {
    this.#remembered.delete(day);
    this.#remembered.set(day, known);
    if (this.#remembered.size <= REMEMBERED_DIGESTS_LIMIT) return;
    this.#remembered.delete(this.#remembered.keys().next().value!);
  }

  /** Adds the lines in `range`, with the blocks spread over the workers, as far as there is room. */
  async #addText(
    sums: MinuteSums,
    open: OpenDay,
    day: DayNumber,
    range: ByteRange,
    signal?: AbortSignal,
  ): Promise<void> {
    if (range.start === range.end) return;
    const pieces = forwardPieces(open, range, compileFilter(EVERY_LINE));
    // The order of the pieces does not matter. So each of these takes the next one when it is done with its own, and one
    // that fails ends the pieces for all.
    const addPieces = async () => {
      for await (const piece of pieces) {
        signal?.throwIfAborted();
        sums.addTable(await this.#digestPiece(day, piece));
      }
    };
    const rooms = this.#takeRooms();
    try {
      const ended = await Promise.allSettled([addPieces(), ...rooms.map(addPieces)]);
      for (const result of ended) if (result.status === "rejected") throw result.reason;
    } finally {
      for (const room of rooms) room[Symbol.dispose]();
    }
  }

  /** Room for pieces beside the one that the caller's slot is for: one for each worker, so that none waits for the disk. */
  #takeRooms(): MemoryHold[] {
    const { pool, memory } = this.#host;
    const rooms: MemoryHold[] = [];
    while (rooms.length < pool.size) {
      const room = memory.trySpare(READER_BYTES);
      if (room === null) break;
      rooms.push(room);
    }
    return rooms;
  }

  async #digestPiece(day: DayNumber, { bytes, block, offset, range }: DayPiece): Promise<MinuteTable> {
    const entry = block && { rawLength: block.rawLength, crc32: block.crc32 };
    try {
      return await this.#host.pool.digest({ kind: "digest", day, bytes, block: entry, range });
    } catch (error) {
      throw new Error(`Cannot read block at ${offset} of ${dayName(day)}: ${(error as Error).message}`);
    }
  }
}

/** As much of the day as has blocks. */
function finishedBeginning({ seal, plainBlocks }: OpenDay): Beginning {
  const last = plainBlocks.at(-1);
  if (last !== undefined) return { end: last.rawOffset + last.rawLength, crc32: last.totalCrc32 };
  return { end: seal?.rawBytes ?? 0, crc32: seal?.crc32 ?? "00000000" };
}

/** Whether the text of the day still begins so: a block, or the sealed text, ends there and has this checksum. */
async function beginsWith(open: OpenDay, { end, crc32 }: Beginning): Promise<boolean> {
  const sealedEnd = open.seal?.rawBytes ?? 0;
  if (end === sealedEnd) return end === 0 || open.seal!.crc32 === crc32;
  const blocks = end < sealedEnd ? await open.sealedBlocks() : open.plainBlocks;
  return blocks.some((block) => block.rawOffset + block.rawLength === end && block.totalCrc32 === crc32);
}
