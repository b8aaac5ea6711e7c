/**
 * Promises that lines of the gap ledger reach the disk, also a full one: what {@linkcode GAPS_FILE} cannot take is
 * written over the line feeds of a second file, which has its room already, and moved when there is more.
 *
 * @module
 */

import { dirname, join } from "node:path";
import type { Logger } from "../logger.ts";
import { sizeOf, syncDirectory, writeAll, writeFileWhole } from "../archive/disk.ts";
import {
  DAMAGED_SUFFIX,
  GAPS_FILE,
  GAPS_RESERVE_BYTES,
  GAPS_RESERVE_FILE,
  LINE_FEED,
} from "../archive/format.ts";
import type { Gap } from "./gap.ts";
import { gapLine } from "./ledger_line.ts";
import type { FoundGaps } from "./ledger_reader.ts";

const encoder = new TextEncoder();

/** The files of a ledger that one process writes. */
export class GapFile {
  readonly #path: string;
  readonly #reservePath: string;
  readonly #logger: Logger;
  /** Where the next line goes. */
  #end: number;
  #isTorn: boolean;
  /** The lines that are in the reserve only. */
  #reserved: Uint8Array;
  /** The reserve's trouble that was told, so that it is told once. */
  #toldTrouble: string | null = null;

  /** Goes on with the files as they were found. */
  constructor(directory: string, found: Pick<FoundGaps, "end" | "isTorn" | "reserved">, logger: Logger) {
    this.#path = join(directory, GAPS_FILE);
    this.#reservePath = join(directory, GAPS_RESERVE_FILE);
    this.#logger = logger;
    this.#end = found.end;
    this.#isTorn = found.isTorn;
    this.#reserved = encoder.encode(found.reserved);
  }

  /** Whether lines wait in the reserve for room. */
  get isFull(): boolean {
    return this.#reserved.length > 0;
  }

  /** Whether the file has at least as much as was written: nobody has removed or cut it. */
  get isWhole(): boolean {
    return (sizeOf(this.#path) ?? 0) >= this.#end;
  }

  /**
   * Writes a line for each of `gaps`, and syncs them; none to move what waits in the reserve.
   *
   * @throws {Error} If neither file takes them.
   */
  async write(gaps: readonly Gap[]): Promise<void> {
    const lines = encoder.encode(gaps.map(gapLine).join(""));
    try {
      await this.#append(lines);
    } catch (error) {
      if (lines.length === 0 || this.#reserved.length + lines.length > GAPS_RESERVE_BYTES) throw error;
      await this.#writeReserve(this.#reserved.length, lines, error as Error);
      this.#reserved = joined(this.#reserved, lines);
      return;
    }
    await this.#fillReserve();
  }

  /**
   * Writes the files anew, with one line for each gap, so that at every moment the old or the new one is there. Blocks.
   *
   * @throws {Error} If the disk does not take it; the files are as they were then.
   */
  writeAnew(gaps: readonly Gap[]): void {
    const lines = encoder.encode(gaps.map(gapLine).join(""));
    writeFileWhole(this.#path, lines);
    this.#end = lines.length; // in bytes: a reason may have letters of several
    this.#isTorn = false;
    this.#reserved = new Uint8Array(); // what it had is in the new file
    if (sizeOf(this.#reservePath) === null) return;
    using file = Deno.openSync(this.#reservePath, { write: true });
    writeAll(file, new Uint8Array(GAPS_RESERVE_BYTES).fill(LINE_FEED));
    file.truncateSync(GAPS_RESERVE_BYTES);
    file.syncSync();
  }

  /**
   * Keeps the text of damaged lines, which a new file would not have. Blocks.
   *
   * @throws {Error} If the disk does not take them.
   */
  keepDamaged(texts: readonly string[]): void {
    using file = Deno.openSync(this.#path + DAMAGED_SUFFIX, { append: true, create: true });
    writeAll(file, encoder.encode(texts.map((text) => text + "\n").join("")));
    file.syncSync();
  }

  async #append(lines: Uint8Array): Promise<void> {
    // In a file that was cut, a line that is written at the old end would stand after NULs.
    if (!this.isWhole) throw new Error(`Cannot write on in "${this.#path}": it was removed or cut`);
    const isNew = sizeOf(this.#path) === null;
    using file = await Deno.open(this.#path, { write: true, create: true });
    if (isNew) syncDirectory(dirname(this.#path));
    const start = this.#isTorn ? Uint8Array.of(LINE_FEED) : new Uint8Array();
    const bytes = joined(joined(start, this.#reserved), lines);
    try {
      await writeAt(file, this.#end, bytes);
      await file.syncData();
    } catch (error) {
      await file.truncate(this.#end); // the start of a line must not stay
      throw error;
    }
    this.#end += bytes.length;
    this.#isTorn = false;
    if (this.#reserved.length > 0) {
      await this.#writeReserve(0, new Uint8Array(this.#reserved.length).fill(LINE_FEED), null);
      this.#reserved = new Uint8Array();
    }
  }

  /** Writes in place, where the file has its room. `reason` is why it is needed. */
  async #writeReserve(at: number, bytes: Uint8Array, reason: Error | null): Promise<void> {
    try {
      using file = await Deno.open(this.#reservePath, { write: true });
      await writeAt(file, at, bytes);
      await file.syncData();
    } catch (error) {
      throw reason === null
        ? error
        : new Error(`${reason.message}; and of the reserve: ${(error as Error).message}`);
    }
  }

  /** Makes the reserve, where it is not there; a full disk has to wait. */
  async #fillReserve(): Promise<void> {
    if (sizeOf(this.#reservePath) === GAPS_RESERVE_BYTES) return;
    try {
      {
        using file = await Deno.open(this.#reservePath, { write: true, create: true });
        await writeAt(file, 0, new Uint8Array(GAPS_RESERVE_BYTES).fill(LINE_FEED));
        await file.truncate(GAPS_RESERVE_BYTES);
        await file.sync();
      }
      syncDirectory(dirname(this.#reservePath));
      this.#toldTrouble = null;
    } catch (error) {
      const reason = (error as Error).message;
      if (this.#toldTrouble !== reason) this.#logger.log("warn", "gap ledger has no reserve", { reason });
      this.#toldTrouble = reason;
    }
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

async function writeAt(file: Deno.FsFile, offset: number, bytes: Uint8Array): Promise<void> {
  await file.seek(offset, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
