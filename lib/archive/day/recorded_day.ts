/**
 * Promises one day of the archive as one text that only grows: wherever its bytes lie at the moment, in
 * sealed blocks or in the plain file, an offset into it means the same byte for ever.
 *
 * A day is sealed (gzip file and index, no plain file), hot (plain file from 0), or reopened (both: the
 * plain file continues where the sealed text ends).
 *
 * @module
 */

import { basename, join } from "node:path";
import type { Clock } from "../../clock.ts";
import type { DayNumber } from "../../day.ts";
import { dayName, dayStartMs } from "../../day.ts";
import type { Span } from "../../gaps/gap.ts";
import { formatTimestamp, parseTimestamp, type Timestamp, timestampMs } from "../../timestamp.ts";
import { setAside, setDirectoryAside } from "../repair/aside.ts";
import { spanOfLost } from "../repair/losses.ts";
import { type BlockResult, type BlockTask, runBlockTask } from "../blocks/block_task.ts";
import {
  type DayIndex,
  earlier,
  IndexDamage,
  indexHeader,
  indexLine,
  indexText,
  later,
  nextPlace,
  parseSealedIndex,
  sealCrc32,
} from "../blocks/day_index.ts";
import { removeIfThere, sizeOf, syncDirectory, writeFileWhole } from "../disk.ts";
import {
  BLOCK_BYTES,
  type BlockEntry,
  gzFile,
  GZIP_TRAILER_BYTES,
  gzPartFile,
  indexFile,
  indexPartFile,
  parseFileName,
  plainFile,
  type SealEntry,
  TEMPORARY_SUFFIX,
} from "../format.ts";
import type { HeldLines } from "./held.ts";
import type { FilledHole, HoleTask } from "./hole.ts";
import { type BlockPlace, emptySummary, type TextSummary } from "../blocks/block.ts";
import { type DayReading, OpenDay } from "./open_day.ts";
import { openPlainFile, type PlainFile } from "./plain_file.ts";
import { PlainWriter, type WriterEvents } from "./plain_writer.ts";
import { type Bytes, FileBytes } from "../read/bytes.ts";
import type { MendedIndex } from "../repair/index_repair.ts";
import type { ScrubPlace } from "../repair/scrub.ts";
import {
  SCRUB_BLOCKS,
  type ScrubHotTask,
  type ScrubResult,
  type ScrubSealedTask,
} from "../repair/scrub_task.ts";
import type { HotFiles } from "./sealing.ts";

type Sealed = Extract<BlockResult, { seal: SealEntry }>;

/** What a day looks like from outside. */
export interface DayInfo {
  /** Which day it is. */
  day: DayNumber;
  /** How many lines it has. */
  lines: number;
  /** Length of the text in bytes. */
  bytes: number;
  /** Size of the gzip file in bytes; of a day that is not sealed, of the blocks made so far. */
  gzBytes: number;
  /** The smallest timestamp of the lines, to the nanosecond in UTC; null where none has one. */
  first: string | null;
  /** The largest timestamp, as {@linkcode DayInfo.first}. */
  last: string | null;
  /** Whether it is complete on disk; a late line opens it again. */
  sealed: boolean;
  /** CRC-32 of the text, eight hexadecimal digits; null while it may still grow. */
  crc32: string | null;
  /** When the text last changed, as far as is known, in milliseconds since 1970. */
  modifiedMs: number;
  /** How many lines besides were received and are in memory only, since the disk does not take them. */
  held: number;
}

/** What opening the archive found of a day; see recovery.ts. */
export interface DayState {
  /** Which day it is. */
  day: DayNumber;
  /** The totals of the sealed text; null where none is sealed. */
  seal: SealEntry | null;
  /** The plain file: where it starts in the day's text, and its size, in bytes; null where there is none. */
  plain: { from: number; size: number } | null;
  /** The index of the gzip part; its header says where the part begins. */
  part: DayIndex;
  /** What the plain file's lines after the last block of the part are. */
  tail: TextSummary;
  /** When its text last changed, in milliseconds since 1970. */
  modifiedMs: number;
}

/** What a day needs of the archive it lies in. */
export interface DayHost {
  /** Where the archive lies. */
  directory: string;
  /** Goes for every wait, and says when the text changed. */
  clock: Clock;
  /** A write is synced at most this much later, in milliseconds. */
  syncIntervalMs: number;
  /** Hands a task to the block worker. */
  runBlockTask(task: BlockTask): Promise<BlockResult>;
  /** The writer's events, besides those that the day uses itself. */
  events(day: DayNumber): WriterEvents;
  /** Told of what failed in the background; nothing is lost by it. */
  onFault(what: string, error: unknown): void;
  /** Told of damage to a file that was mended. */
  onRepair(file: string, what: string): void;
  /** Told of what somebody has done to a file while it was written, and what became of it. */
  onMeddled(file: string, what: string): void;
  /** Told of the timestamps that lines may have had which are lost, since somebody has cut a file while it was written. */
  onLost(span: Span): void;
  /**
   * Makes sure that no other process writes here.
   *
   * @throws {Error} If one does, or if that cannot be made sure.
   */
  confirmLock(): void;
  /** Told of damage that a reader met and did not suffer from, since the same text lies elsewhere too. */
  onMasked(file: string, what: string): void;
  /** For tests: opens a plain file that fails. */
  openFile?: ConstructorParameters<typeof PlainWriter>[0]["openFile"];
}

/** The state of a day that has no lines yet. */
export function emptyDay(day: DayNumber, nowMs: number): DayState {
  return {
    day,
    seal: null,
    plain: null,
    part: { header: indexHeader(day, 0, 0), blocks: [], seal: null },
    tail: emptySummary(),
    modifiedMs: nowMs,
  };
}

/** One day; see the module's comment. */
export class RecordedDay {
  /** Which day it is. */
  readonly day: DayNumber;
  /** When it starts, in seconds since 1970. */
  readonly startSeconds: number;
  /** The totals of the sealed text; null where none is sealed. */
  seal: SealEntry | null;
  /** The index of the blocks made of the plain file so far. */
  part: DayIndex;
  /** Appends to the plain file; null while the day is sealed, and before its first line. */
  writer: PlainWriter | null = null;
  /** When the text last changed, in milliseconds since 1970. */
  modifiedMs: number;
  /** When the last line came, by {@linkcode Clock.elapsed}. */
  #quietSinceMs: number;
  #lines: number;
  #first: Timestamp | null = null;
  #last: Timestamp | null = null;
  #firstBefore: string | null;
  #lastBefore: string | null;
  /** The last of the tasks that change the derived files; they run one after another. */
  #task: Promise<unknown> = Promise.resolve();
  #isMaking = false;
  #closed = false;
  readonly #host: DayHost;

  /** Goes on with a day as it was found, or with {@linkcode emptyDay}. */
  constructor(state: DayState, host: DayHost) {
    this.#host = host;
    this.day = state.day;
    this.startSeconds = dayStartMs(state.day) / 1000;
    this.seal = state.seal;
    this.part = state.part;
    this.modifiedMs = Math.min(state.modifiedMs, host.clock.now()); // a clock that ran ahead must not delay sealing
    this.#quietSinceMs = host.clock.elapsed() - (host.clock.now() - this.modifiedMs);
    const known = [...state.part.blocks, state.tail, ...(state.seal === null ? [] : [state.seal])];
    this.#lines = known.reduce((sum, { lines }) => sum + lines, 0);
    this.#firstBefore = known.reduce<string | null>((first, next) => earlier(first, next.first), null);
    this.#lastBefore = known.reduce<string | null>((last, next) => later(last, next.last), null);
    if (state.plain !== null) {
      this.writer = this.#createWriter(state.plain.from, state.plain.size);
    }
    this.#makeDueBlocks();
  }

  /** End of the text that can be read, in bytes. */
  get bytes(): number {
    return this.writer?.committed ?? this.seal?.rawBytes ?? 0;
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
    const sealed = this.writer === null && this.seal !== null;
    return {
      day: this.day,
      lines: this.#lines,
      bytes: this.bytes,
      gzBytes: sealed ? this.seal!.gzBytes : nextPlace(this.part).gzOffset,
      first: earlier(this.#firstBefore, this.#first && formatTimestamp(this.#first)),
      last: later(this.#lastBefore, this.#last && formatTimestamp(this.#last)),
      sealed,
      crc32: sealed ? this.seal!.crc32 : null,
      modifiedMs: this.modifiedMs,
      held: this.held()?.lines ?? 0,
    };
  }

  /**
   * Takes a line; `time` is its own timestamp, if it has one, and is read at once and not kept. A sealed
   * day is reopened by it. Gives by how many bytes what is held grew.
   */
  append(payload: Uint8Array, hasNewline: boolean, time: Timestamp | null): number {
    this.writer ??= this.#reopen();
    if (time !== null) this.#noteTime(time.seconds, time.nanoseconds);
    return this.writer.append(payload, hasNewline, time);
  }

  /**
   * Looks whether somebody has removed its files while they are written, and has them made again; for a day that gets no
   * lines, since otherwise every sync looks.
   */
  async look(): Promise<void> {
    const { writer } = this;
    if (writer === null || this.#closed) return;
    await writer.look();
    await this.#makePartsAnew(writer);
  }

  /** Whether the day has been over by the wall clock, and quiet by the time that has passed, for `sealAfterMs`. */
  isDue(nowMs: number, sealAfterMs: number): boolean {
    const quietMs = this.#host.clock.elapsed() - this.#quietSinceMs;
    return this.writer !== null && this.writer.idle && quietMs >= sealAfterMs &&
      nowMs - dayStartMs(this.day + 1) >= sealAfterMs;
  }

  /**
   * Seals the day: makes its last block, puts the gzip file together, verifies it and lets it take its
   * place. Gives false, having changed nothing that is seen, if a line arrived meanwhile. Where the plain file
   * has changed since its blocks were made, the blocks are the day's text, and the plain file is kept aside.
   *
   * @throws {Error} If what was written does not read back as what the blocks were made of. The derived files
   * are then thrown away and made again from the plain file before the next try.
   * @throws {IndexDamage} As {@linkcode readSealedIndex}.
   */
  trySeal(): Promise<boolean> {
    return this.#afterTasks(async () => {
      const { writer } = this;
      if (writer === null || !writer.idle || this.#closed) return false;
      const end = writer.committed;
      const before = this.seal === null ? null : await this.readSealedIndex();
      const { seal, plainFault } = await this.#prepareSeal(writer, before);
      if (!writer.idle || writer.committed !== end) return false;
      this.#takeSealedPlace(before, seal);
      try {
        // Before any line can reopen the day in files of the same names.
        if (plainFault !== undefined) this.#keepAside(writer.path, plainFault);
        this.#removeHotFiles(writer.path);
      } finally {
        await writer.close();
      }
      return true;
    });
  }

  /** Writes what is waiting and closes the file; returns how many lines could not be written. No task begins any more. */
  async close(): Promise<number> {
    this.#closed = true;
    return await this.writer?.close() ?? 0;
  }

  /** Waits until no task is under way; for a day that is closed. */
  async ended(): Promise<void> {
    await this.#task.catch(() => {}); // whoever asked for the task hears of its failure
  }

  /**
   * Removes every file of a sealed day, what was torn off it too. A reader that has one open goes on reading it.
   * What was set aside as damaged or as a conflict stays: it was reported, and somebody may want to look at it.
   * The index and then the gzip file go last: from the gzip file alone the day is made again, and a removal that is cut short is
   * begun again. An index alone would tell of a day whose gzip file was lost.
   */
  remove(): void {
    const last = [indexFile(this.day), gzFile(this.day)];
    const others = [...Deno.readDirSync(this.#host.directory)]
      .map(({ name }) => name)
      .filter((name) => parseFileName(name)?.day === this.day && !last.includes(name));
    for (const file of [...others, ...last]) removeIfThere(this.#path(file));
    syncDirectory(this.#host.directory);
  }

  /**
   * The index of the sealed text. One that is damaged is made again.
   *
   * @throws {Error} If it is not what was written when the day was sealed, and cannot be made again.
   */
  async readSealedIndex(): Promise<DayIndex> {
    try {
      return parseSealedIndex(await Deno.readTextFile(this.#path(indexFile(this.day))), this.day);
    } catch (error) {
      if (!(error instanceof IndexDamage) || error.unknownVersion) throw error;
      return parseSealedIndex(await this.#mendIndex(error.message), this.day);
    }
  }

  /**
   * Makes the index of the sealed text again from the gzip file, and returns its text. `reason` says what is wrong with
   * the one that is there.
   *
   * @throws {Error} If the gzip file is damaged as well.
   */
  mendIndex(reason: string): Promise<string> {
    return this.#afterTasks(() => this.#mendIndex(reason));
  }

  /** Opens the day as it is now, for reading; the caller closes it. */
  open(reading: DayReading): OpenDay {
    const { writer, part, seal } = this;
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
        gz: seal && openFile(this.#path(gzFile(this.day))),
        index: seal && openFile(this.#path(indexFile(this.day))),
        plain: writer !== null && writer.committed > writer.from
          ? { bytes: openFile(writer.path), from: writer.from, end: writer.committed }
          : null,
        part: {
          index: part,
          bytes: part.blocks.length > 0 ? openFile(this.#path(gzPartFile(this.day))) : null,
        },
        reading,
        damage: { mendIndex: (reason) => this.mendIndex(reason), onMasked: this.#host.onMasked },
      });
    } catch (error) {
      for (const file of files) file[Symbol.dispose]();
      throw error;
    }
  }

  /** Reads a piece of the day back, and puts right what it can; null where there is nothing to read back. */
  scrub({ part, from }: ScrubPlace): Promise<ScrubResult | null> {
    return this.#afterTasks(async () => {
      const task = part === "sealed" ? this.#scrubSealedTask(from) : this.#scrubHotTask(from);
      if (task === null) return null;
      return (await this.#host.runBlockTask(task) as { scrubbed: ScrubResult }).scrubbed;
    });
  }

  #scrubSealedTask(from: number): ScrubSealedTask | null {
    if (this.seal === null) return null;
    return {
      kind: "scrubSealed",
      day: this.day,
      gzPath: this.#path(gzFile(this.day)),
      indexPath: this.#path(indexFile(this.day)),
      seal: this.seal,
      from,
    };
  }

  #scrubHotTask(from: number): ScrubHotTask | null {
    const blocks = this.part.blocks.slice(from, from + SCRUB_BLOCKS);
    if (this.writer === null || blocks.length === 0) return null;
    return { kind: "scrubHot", ...this.#hotFiles(this.writer), blocks, from };
  }

  async #mendIndex(reason: string): Promise<string> {
    const name = indexFile(this.day);
    try {
      const result = await this.#host.runBlockTask({
        kind: "mendIndex",
        day: this.day,
        gzPath: this.#path(gzFile(this.day)),
        indexPath: this.#path(name),
        seal: this.seal!,
      });
      const { text, writeFault } = (result as { mended: MendedIndex }).mended;
      const done = writeFault === null ? "made again" : `made again in memory (${writeFault})`;
      this.#host.onRepair(name, `${done} from the gzip file: ${reason}`);
      return text;
    } catch (error) {
      throw new Error(`${reason}; it cannot be made again either: ${(error as Error).message}`);
    }
  }

  #noteTime(seconds: number, nanoseconds: number): void {
    const first = this.#first;
    if (first === null) {
      this.#first = { seconds, nanoseconds };
      this.#last = { seconds, nanoseconds };
      return;
    }
    if (seconds < first.seconds || (seconds === first.seconds && nanoseconds < first.nanoseconds)) {
      first.seconds = seconds;
      first.nanoseconds = nanoseconds;
    }
    const last = this.#last!;
    if (seconds > last.seconds || (seconds === last.seconds && nanoseconds > last.nanoseconds)) {
      last.seconds = seconds;
      last.nanoseconds = nanoseconds;
    }
  }

  #path(file: string): string {
    return join(this.#host.directory, file);
  }

  #hotFiles(writer: PlainWriter): HotFiles {
    return {
      plainPath: writer.path,
      plainFrom: writer.from,
      gzPartPath: this.#path(gzPartFile(this.day)),
      indexPartPath: this.#path(indexPartFile(this.day)),
      gzFrom: this.part.header.gzFrom,
    };
  }

  #reopen(): PlainWriter {
    const rawFrom = this.seal?.rawBytes ?? 0;
    const gzFrom = this.seal === null ? 0 : this.seal.gzBytes - GZIP_TRAILER_BYTES;
    this.part = { header: indexHeader(this.day, rawFrom, gzFrom), blocks: [], seal: null };
    return this.#createWriter(rawFrom, 0);
  }

  #createWriter(from: number, size: number): PlainWriter {
    const events = this.#host.events(this.day);
    return new PlainWriter({
      path: this.#path(plainFile(this.day, from)),
      from,
      size,
      syncIntervalMs: this.#host.syncIntervalMs,
      clock: this.#host.clock,
      openFile: (path) => this.#openPlainFile(path),
      events: {
        ...events,
        onCommit: (end, lines) => {
          this.#lines += lines;
          this.modifiedMs = this.#host.clock.now();
          this.#quietSinceMs = this.#host.clock.elapsed();
          events.onCommit(end, lines);
        },
        onSync: (end) => {
          events.onSync(end);
          this.#makeDueBlocks();
        },
      },
      mender: {
        confirm: () => this.#host.confirmLock(),
        onPutBack: (aside) => this.#notePutBack(aside),
        fillHole: (end) => this.#fillHole(end),
      },
    });
  }

  #notePutBack(aside: string | null): void {
    const writer = this.writer!;
    const what = aside === null ? "was removed" : `was replaced, by what is kept as "${aside}",`;
    this.#host.onMeddled(basename(writer.path), `${what} while it was written: put back from the open file`);
    this.#makePartsAnew(writer).catch((error) => this.#host.onFault("making gzip blocks anew", error));
  }

  /** See {@linkcode FileMender.fillHole}; a day that is closed, whose worker takes nothing more, does it here. */
  #fillHole(end: number): Promise<void> {
    const writer = this.writer!;
    return this.#afterTasks(async () => {
      const task: HoleTask = {
        ...{ kind: "fillHole", ...this.#hotFiles(writer), day: this.day, blocks: this.part.blocks, end },
      };
      const result = this.#closed ? runBlockTask(task) : await this.#host.runBlockTask(task);
      this.#noteFilled(writer, (result as { filled: FilledHole }).filled);
    });
  }

  #noteFilled(writer: PlainWriter, filled: FilledHole): void {
    const { backBytes, lostBytes, last, lines, areBlocksRight } = filled;
    if (!areBlocksRight) this.#forgetBlocks(writer);
    this.#lines = (this.seal?.lines ?? 0) + lines + writer.unsyncedLines;
    const back = backBytes === 0
      ? "what was not synced is written again"
      : `${backBytes} bytes are put back from blocks`;
    const lost = lostBytes === 0 ? "" : `, ${lostBytes} bytes of lines are lost`;
    this.#host.onMeddled(basename(writer.path), `was cut or changed while it was written: ${back}${lost}`);
    if (lostBytes === 0) return;
    const largest = parseTimestamp(this.info().last ?? "");
    const knownMs = largest === null ? this.#host.clock.now() : Math.floor(timestampMs(largest)) + 1;
    this.#host.onLost(spanOfLost(this.day, later(this.seal?.last ?? null, last), knownMs));
  }

  /** Whether the files of the blocks are there, as long as they have to be. */
  #hasParts(): boolean {
    if (this.part.blocks.length === 0) return true;
    const gzBytes = sizeOf(this.#path(gzPartFile(this.day))) ?? 0;
    const isIndexed = (sizeOf(this.#path(indexPartFile(this.day))) ?? 0) > 0;
    return isIndexed && gzBytes >= nextPlace(this.part).gzOffset - this.part.header.gzFrom;
  }

  /** Has the blocks of the plain file made again where their files are gone, when those that are being made are in them. */
  #makePartsAnew(writer: PlainWriter): Promise<void> {
    return this.#afterTasks(() => {
      if (this.writer === writer && !this.#closed && !this.#hasParts()) {
        this.#host.onMeddled(
          gzPartFile(this.day),
          "or its index was removed or cut: made again from the plain file",
        );
        this.#forgetBlocks(writer);
        this.#makeDueBlocks();
      }
      return Promise.resolve();
    });
  }

  /** Opens the plain file for writing; a directory of its name, which somebody may have made, is set aside. */
  async #openPlainFile(path: string): Promise<PlainFile> {
    const open = this.#host.openFile ?? openPlainFile;
    try {
      return await open(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.IsADirectory)) throw error;
      const finding = setDirectoryAside(path);
      // What cannot be set aside is tried again with every write; the trouble that it makes is told.
      if (finding.damage) throw error;
      this.#host.onRepair(finding.file, finding.what);
      return await open(path);
    }
  }

  /** Runs `task` when those before it are over, whatever became of them. */
  #afterTasks<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#task.then(task, task);
    this.#task = result;
    return result;
  }

  /** Has full blocks made of what is synced; what fails is tried again after the next sync. */
  #makeDueBlocks(): void {
    if (this.#isMaking || !this.#hasDueBlock()) return;
    this.#isMaking = true;
    this.#afterTasks(async () => {
      while (!this.#closed && this.#hasDueBlock() && await this.#makeBlocks(this.writer!.synced, false) > 0);
    })
      .catch((error) => this.#host.onFault(`making gzip blocks of ${dayName(this.day)}`, error))
      .finally(() => this.#isMaking = false);
  }

  #hasDueBlock(): boolean {
    return this.writer !== null && this.writer.synced - this.#nextPlace().rawOffset >= BLOCK_BYTES;
  }

  #nextPlace(): BlockPlace {
    return nextPlace(this.part, sealCrc32(this.seal));
  }

  async #makeBlocks(upTo: number, final: boolean): Promise<number> {
    const { part } = this;
    const result = await this.#host.runBlockTask({
      kind: "makeBlocks",
      ...this.#hotFiles(this.writer!),
      place: this.#nextPlace(),
      header: indexLine(part.header),
      upTo,
      final,
    });
    part.blocks.push(...(result as { entries: BlockEntry[] }).entries);
    return (result as { entries: BlockEntry[] }).entries.length;
  }

  async #prepareSeal(writer: PlainWriter, before: DayIndex | null): Promise<Sealed> {
    try {
      while (this.#nextPlace().rawOffset < writer.committed) await this.#makeBlocks(writer.committed, true);
      const result = await this.#host.runBlockTask({
        kind: "prepareSeal",
        ...this.#hotFiles(writer),
        index: this.part,
        before: before && { gzPath: this.#path(gzFile(this.day)), index: before },
        gzTargetPath: this.#gzTargetPath(),
        indexTargetPath: this.#path(indexFile(this.day)) + TEMPORARY_SUFFIX,
      });
      return result as Sealed;
    } catch (error) {
      if (!this.#closed) this.#forgetBlocks(writer);
      throw error;
    }
  }

  /**
   * A day that was never sealed turns its part into the gzip file; one that was needs a whole new file, since
   * somebody may be reading the old one.
   */
  #gzTargetPath(): string {
    return this.seal === null
      ? this.#path(gzPartFile(this.day))
      : this.#path(gzFile(this.day)) + TEMPORARY_SUFFIX;
  }

  /**
   * Index first: an index that promises more than the gzip file holds is put right at the next start from
   * the blocks that it shares with the one before, while a gzip file without its index is not.
   * In one go and blocking, so that no line can come between.
   */
  #takeSealedPlace(before: DayIndex | null, seal: SealEntry): void {
    const index = this.#path(indexFile(this.day));
    Deno.renameSync(index + TEMPORARY_SUFFIX, index);
    try {
      Deno.renameSync(this.#gzTargetPath(), this.#path(gzFile(this.day)));
    } catch (error) {
      if (before === null) removeIfThere(index);
      else writeFileWhole(index, indexText(before));
      throw error;
    }
    syncDirectory(this.#host.directory);
    this.seal = seal;
    this.writer = null;
    this.part = { header: indexHeader(this.day, seal.rawBytes, 0), blocks: [], seal: null };
  }

  #keepAside(plainPath: string, fault: string): void {
    const aside = setAside(plainPath);
    const what = `${fault}; sealed as the blocks have it, the plain file is kept as "${aside}"`;
    this.#host.onFault(`sealing ${dayName(this.day)}`, new Error(what));
  }

  #removeHotFiles(plainPath: string): void {
    removeIfThere(plainPath);
    removeIfThere(this.#path(gzPartFile(this.day)));
    removeIfThere(this.#path(indexPartFile(this.day)));
    syncDirectory(this.#host.directory);
  }

  /** Throws the derived files away; they are made again from the plain file. */
  #forgetBlocks(writer: PlainWriter): void {
    const files = this.#hotFiles(writer);
    removeIfThere(files.gzPartPath);
    removeIfThere(files.indexPartPath);
    this.part.blocks.length = 0;
  }
}
