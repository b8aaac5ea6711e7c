/**
 * Promises one day of the archive as one text, wherever its bytes lie at the moment, in sealed blocks or in the plain file: it
 * only grows, and lines that were found elsewhere are inserted where their times belong. An offset into what was recorded means
 * the same byte for ever, and one into the text does so together with its edition; see day_core.ts and edits.ts.
 *
 * A day is sealed (gzip file and index, no plain file), hot (plain file from 0), or reopened (both: the
 * plain file continues where the sealed text ends). Lines are inserted into sealed text only, so a hot day gets some: its plain
 * file goes on growing, and what it has before the end of the sealed text is not read any more.
 *
 * @module
 */

import { type DayNumber, dayStartMs } from "../../day.ts";
import type { Timestamp } from "../../timestamp.ts";
import { nextPlace } from "../blocks/day_index.ts";
import type { FoundLines } from "../found_lines.ts";
import { type Bytes, FileBytes } from "../read/bytes.ts";
import { NulFreeBytes } from "../read/nul_free_bytes.ts";
import type { ScrubPlace } from "../repair/scrub.ts";
import type { ScrubResult } from "../repair/scrub_task.ts";
import { type DayCore, sealedEndOf, shiftOf } from "./day_core.ts";
import { DayHealer } from "./day_healer.ts";
import type { DayHost } from "./day_host.ts";
import type { DayInfo, DayState } from "./day_info.ts";
import { DayMender } from "./day_mender.ts";
import { DayPaths } from "./day_paths.ts";
import { DaySealer } from "./day_sealer.ts";
import { DayTasks } from "./day_tasks.ts";
import { DayTotals } from "./day_totals.ts";
import { GzipPart } from "./gzip_part.ts";
import type { HeldLines } from "./held.ts";
import type { Insertion } from "./insertion.ts";
import { type DayReading, OpenDay, type OpenPlain } from "./open_day.ts";
import { PlainWriter } from "./plain_writer.ts";
import { SealedIndex } from "./sealed_index.ts";

/** One day; see the module's comment. */
export class RecordedDay {
  /** Which day it is. */
  readonly day: DayNumber;
  /** When it starts, in seconds since 1970. */
  readonly startSeconds: number;
  /** When the text last changed, in milliseconds since 1970. */
  modifiedMs: number;
  /** When the last line came, by {@linkcode Clock.elapsed}. */
  #quietSinceMs: number;
  readonly #core: DayCore;
  readonly #totals: DayTotals;
  readonly #part: GzipPart;
  readonly #index: SealedIndex;
  readonly #sealer: DaySealer;
  readonly #healer: DayHealer;
  readonly #mender: DayMender;
  /** How many insertions are under way or wait. */
  #insertions = 0;
  /** Whether the plain file had lines that are no records when it was found. */
  readonly #isDamaged: boolean;

  /** Goes on with a day as it was found, or with {@linkcode emptyDay}. */
  constructor(state: DayState, host: DayHost) {
    const { day, seal, plain, part, tail } = state;
    this.day = day;
    this.startSeconds = dayStartMs(day) / 1000;
    this.modifiedMs = Math.min(state.modifiedMs, host.clock.now()); // a clock that ran ahead must not delay sealing
    this.#quietSinceMs = host.clock.elapsed() - (host.clock.now() - this.modifiedMs);
    const paths = new DayPaths(host.directory, day);
    const core: DayCore = { day, host, paths, tasks: new DayTasks(), seal, writer: null, isRemoved: false };
    this.#core = core;
    this.#totals = new DayTotals([...part.blocks, tail, ...(seal === null ? [] : [seal])]);
    this.#part = new GzipPart(core, part);
    this.#index = new SealedIndex(core);
    this.#sealer = new DaySealer(core, this.#part, this.#index);
    this.#healer = new DayHealer(core, this.#part, this.#index, this.#totals);
    this.#mender = new DayMender(core, this.#part, this.#totals);
    this.#isDamaged = plain?.isDamaged ?? false;
    if (plain !== null) this.#core.writer = this.#createWriter(plain.from, plain.size);
    this.#part.makeDue();
  }

  /** Appends to the plain file; null while the day is sealed, and before its first line. */
  get writer(): PlainWriter | null {
    return this.#core.writer;
  }

  /** End of the text that can be read, in bytes. */
  get bytes(): number {
    const { writer } = this.#core;
    return writer === null ? sealedEndOf(this.#core) : writer.committed + shiftOf(this.#core);
  }

  /** Whether nothing was recorded and nothing inserted yet. */
  get isEmpty(): boolean {
    return this.#core.writer === null && this.#core.seal === null;
  }

  /** Whether it {@linkcode isEmpty}, and nothing is being inserted either. */
  get isUnused(): boolean {
    return this.isEmpty && this.#insertions === 0;
  }

  /**
   * The lines that are held, of those that may be of `[sinceMs, untilMs)`, in milliseconds since 1970; null for
   * none. Those without a timestamp belong to the whole day.
   */
  held(sinceMs = -Infinity, untilMs = Infinity): HeldLines | null {
    const withUntimed = dayStartMs(this.day) < untilMs && dayStartMs(this.day + 1) > sinceMs;
    return this.writer?.held({ sinceMs, untilMs, withUntimed }) ?? null;
  }

  /** The day as {@linkcode DayInfo}. */
  info(): DayInfo {
    const { seal, writer } = this.#core;
    const sealed = writer === null ? seal : null;
    return {
      day: this.day,
      lines: this.#totals.lines,
      bytes: this.bytes,
      edition: seal?.healed?.edition ?? 0,
      recordedBytes: this.bytes - shiftOf(this.#core),
      gzBytes: sealed?.gzBytes ?? nextPlace(this.#part.index).gzOffset,
      first: this.#totals.first,
      last: this.#totals.last,
      sealed: sealed !== null,
      crc32: sealed?.crc32 ?? null,
      modifiedMs: this.modifiedMs,
      held: this.held()?.lines ?? 0,
    };
  }

  /**
   * Takes a line; `time` is its own timestamp, if it has one, and is read at once and not kept. A sealed
   * day is reopened by it. Returns by how many bytes what is held grew.
   */
  append(payload: Uint8Array, hasNewline: boolean, time: Timestamp | null): number {
    const writer = this.#core.writer ??= this.#reopen();
    if (time !== null) this.#totals.noteTime(time);
    return writer.append(payload, hasNewline, time);
  }

  /**
   * Looks whether somebody has removed its files while they are written, and has them made again; for a day that gets no
   * lines, since otherwise every sync looks.
   */
  async look(): Promise<void> {
    const { writer, tasks } = this.#core;
    if (writer === null || tasks.closed) return;
    await writer.look();
    await this.#part.makeAnewIfGone(writer);
  }

  /** Whether the day has been over by the wall clock, and quiet by the time that has passed, for `sealAfterMs`. */
  isDue(nowMs: number, sealAfterMs: number): boolean {
    const { writer, host } = this.#core;
    const quietMs = host.clock.elapsed() - this.#quietSinceMs;
    return writer !== null && writer.idle && quietMs >= sealAfterMs &&
      nowMs - dayStartMs(this.day + 1) >= sealAfterMs;
  }

  /**
   * Seals the day: makes its last block, puts the gzip file together, verifies it and lets it take its
   * place. Returns false, having changed nothing that is seen, if a line arrived meanwhile. Where the plain file
   * has changed since its blocks were made, the blocks are the day's text, and the plain file is kept aside.
   *
   * @throws {Error} As {@linkcode DaySealer.prepare} and {@linkcode DaySealer.takePlace}.
   */
  trySeal(): Promise<boolean> {
    const core = this.#core;
    return core.tasks.run(async () => {
      const { writer } = core;
      if (writer === null || !writer.idle || core.tasks.closed) return false;
      const end = writer.committed;
      const prepared = await this.#sealer.prepare(writer);
      if (!writer.idle || writer.committed !== end) return false;
      this.#sealer.takePlace(prepared);
      core.seal = prepared.seal;
      core.writer = null;
      this.#part.endAt(prepared.seal);
      try {
        // Before any line can reopen the day in files of the same names.
        this.#sealer.clearUp(writer.path, prepared);
      } finally {
        await writer.close();
      }
      return true;
    });
  }

  /**
   * Inserts lines at their times, in one go. Of a day that is not sealed only what is on the disk by then is looked at: lines
   * that come meanwhile stand after all that are inserted. `beforeCommit` is called in the same turn in which the new text takes
   * the place of the old one. The file of `found` stays.
   *
   * @throws {Error} As {@linkcode DayHealer.insert}; the day is as it was then.
   */
  async insert(found: FoundLines, beforeCommit: () => void = () => {}): Promise<Insertion> {
    this.#insertions++;
    try {
      const inserted = await this.#healer.insert(found, beforeCommit);
      this.modifiedMs = this.#core.host.clock.now();
      return inserted;
    } finally {
      this.#insertions--;
    }
  }

  /** Writes what is waiting and closes the file; returns how many lines could not be written. No task begins any more. */
  async close(): Promise<number> {
    this.#core.tasks.close();
    return await this.#core.writer?.close() ?? 0;
  }

  /** Waits until no task is under way; for a day that is closed. */
  async ended(): Promise<void> {
    await this.#core.tasks.ended();
  }

  /** Removes every file of a sealed day; see {@linkcode DayPaths.removeAll}. Lines that are being inserted go with it. */
  remove(): void {
    this.#core.isRemoved = true;
    this.#core.paths.removeAll();
  }

  /** Opens the day as it is now, for reading; the caller closes it. */
  open(reading: DayReading): OpenDay {
    const { host, paths, seal } = this.#core;
    const { index } = this.#part;
    const files: Bytes[] = [];
    const openFile = (path: string): Bytes => {
      const file = new FileBytes(path);
      files.push(file);
      return file;
    };
    try {
      return new OpenDay({
        day: this.day,
        seal,
        gz: seal && openFile(paths.gz),
        index: seal && openFile(paths.index),
        edits: seal?.healed === undefined ? null : openIfThere(openFile, paths.edits),
        plain: this.#openPlain(openFile),
        part: { index, bytes: index.blocks.length > 0 ? openFile(paths.gzPart) : null },
        reading,
        damage: { mendIndex: (reason) => this.#index.mend(reason), onMasked: host.onMasked },
      });
    } catch (error) {
      for (const file of files) file[Symbol.dispose]();
      throw error;
    }
  }

  /** Reads a piece of the day back, and puts right what it can; null where there is nothing to read back. */
  scrub({ part, from }: ScrubPlace): Promise<ScrubResult | null> {
    const { host, tasks } = this.#core;
    return tasks.run(async () => {
      const task = part === "sealed" ? this.#index.scrubTask(from) : this.#part.scrubTask(from);
      if (task === null) return null;
      return (await host.runBlockTask(task) as { scrubbed: ScrubResult }).scrubbed;
    });
  }

  /** The plain file, if it has text that is not sealed. */
  #openPlain(openFile: (path: string) => Bytes): OpenPlain | null {
    const { writer } = this.#core;
    const start = sealedEndOf(this.#core);
    const end = this.bytes;
    if (writer === null || end === start) return null;
    const file = openFile(writer.path);
    // It was looked through at the start, and has no NUL unless it was damaged then.
    const bytes = this.#isDamaged ? file : new NulFreeBytes(file);
    return { bytes, from: writer.from + shiftOf(this.#core), start, end };
  }

  #reopen(): PlainWriter {
    const { seal } = this.#core;
    this.#part.continueAfter(seal);
    return this.#createWriter(sealedEndOf(this.#core) - shiftOf(this.#core), 0);
  }

  #createWriter(from: number, size: number): PlainWriter {
    const { host, paths } = this.#core;
    const events = host.events(this.day);
    return new PlainWriter({
      path: paths.plain(from),
      from,
      size,
      syncIntervalMs: host.syncIntervalMs,
      clock: host.clock,
      openFile: (path) => this.#mender.openPlainFile(path),
      events: {
        ...events,
        onCommit: (end, lines) => {
          this.#totals.lines += lines;
          this.modifiedMs = host.clock.now();
          this.#quietSinceMs = host.clock.elapsed();
          events.onCommit(end, lines);
        },
        onSync: (end) => {
          events.onSync(end);
          this.#part.makeDue();
        },
      },
      mender: this.#mender,
    });
  }
}

/** Opens a file without which the day can be read all the same; null where it is gone. */
function openIfThere(openFile: (path: string) => Bytes, path: string): Bytes | null {
  try {
    return openFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
