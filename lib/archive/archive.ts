/**
 * Promises an archive of days: every line appended is kept in its day, in order, whole; days are sealed when
 * they are over, and the oldest make room; whoever reads sees a text that only grows.
 *
 * @module
 */

import { ensureDir } from "@std/fs";
import type { Cancel } from "../clock.ts";
import { dayName, type DayNumber, dayOf } from "../day.ts";
import { LARGEST_BYTES, MemoryBudget, NoRoom } from "../machine/memory_budget.ts";
import type { MinuteTable } from "../line/minute_sums.ts";
import type { Span } from "../gaps/gap.ts";
import type { Timestamp } from "../timestamp.ts";
import type { BlockResult, BlockTask } from "./blocks/block_task.ts";
import { type Finding, refuseForeignLock, setForeignAside } from "./repair/aside.ts";
import { Findings } from "./findings.ts";
import { Maintenance, type MaintenanceRules } from "./maintenance.ts";
import { ArchiveLock, LockLost } from "./lock.ts";
import { RemovedDays } from "./removed_days.ts";
import { type HeldLines, joinHeld } from "./day/held.ts";
import { REMOVED_FILE, type SealEntry } from "./format.ts";
import type { FoundLines } from "./found_lines.ts";
import { chunkStream } from "./read/chunk_stream.ts";
import { DayDigests } from "./read/day_digests.ts";
import { LineReader, type ReaderHost, type ReaderSlot } from "./read/line_reader.ts";
import type { ByteRange, DayReading, OpenDay } from "./day/open_day.ts";
import type { PlainFile } from "./day/plain_file.ts";
import type { WriterEvents } from "./day/plain_writer.ts";
import { IndexCache } from "./read/index_cache.ts";
import { ReadPool } from "./read/pool.ts";
import type { DayHost } from "./day/day_host.ts";
import { type DayInfo, emptyDay } from "./day/day_info.ts";
import { RecordedDay } from "./day/recorded_day.ts";
import type { PendingLosses } from "./repair/pending_losses.ts";
import { recoverArchive } from "./repair/recovery.ts";
import type { ScrubPlace } from "./repair/scrub.ts";
import type { ScrubResult } from "./repair/scrub_task.ts";
import { WorkerClient } from "./worker_client.ts";

export type { HeldLines } from "./day/held.ts";
export type { DayInfo } from "./day/day_info.ts";

/** The block worker is ended after this long without a block to make, in milliseconds. */
const BLOCK_WORKER_IDLE_MS = 10_000;

/** The tasks of the block worker for which nobody who ends the program waits. */
const LONG_TASKS: readonly BlockTask["kind"][] = ["prepareSeal", "insert", "digestFound"];

/** What the block worker answers to a task of this kind. */
type FoundDigest = Extract<BlockResult, { digest: MinuteTable }>;

/** See {@linkcode Archive.open}. Times are milliseconds. The directory is made if it is not there. */
export interface ArchiveOptions extends MaintenanceRules {
  /** A write is synced at most this much later. */
  syncIntervalMs: number;
  /** Hears how long writes and syncs take. */
  onTiming?: WriterEvents["onTiming"];
  /** What there is room for while reading. Default: as much as is any good. */
  memory?: MemoryBudget;
  /** How many threads read at the most. Default: as many as there are cores. */
  readWorkers?: number;
  /**
   * Hears that another process records in the directory, since somebody has removed the lock's file. Nothing may be written
   * any more: it ends the process.
   */
  onLockLost?: (error: Error) => void;
  /** For tests: files that fail. Default: the real ones. */
  openFile?: (path: string) => Promise<PlainFile>;
}

/** Hears that what is recorded of a day can be read up to `end`, see {@linkcode Archive.openRecordedText}. Must not throw. */
export type CommitListener = (day: DayNumber, end: number) => void;

/** How far what was recorded of a day has come, in bytes, without what was inserted. */
export interface DayEnds {
  /** Which day it is. */
  day: DayNumber;
  /** What was taken. */
  appended: number;
  /** What is in the file. */
  committed: number;
  /** What is on the disk. */
  synced: number;
}

/** The archive; there is one in a directory at a time. */
export class Archive {
  readonly #options: ArchiveOptions;
  readonly #lock: ArchiveLock;
  readonly #removed: RemovedDays;
  readonly #days = new Map<DayNumber, RecordedDay>();
  readonly #untouched: ReadonlyMap<DayNumber, string>;
  readonly #commitListeners = new Set<CommitListener>();
  readonly #changeListeners = new Set<() => void>();
  readonly #lossListeners = new Set<(span: Span) => void>();
  readonly #blockWorker: WorkerClient<BlockTask, BlockResult>;
  readonly #pool: ReadPool;
  readonly #reading: DayReading;
  readonly #memory: MemoryBudget;
  readonly #host: DayHost;
  #waitingBytes = 0;
  #lastDay: RecordedDay | null = null;
  readonly #maintenance: Maintenance;
  #longTasksUnderWay = 0;
  #closed = false;
  readonly #findings: Findings;
  readonly #losses: PendingLosses;

  /** Finds lines in all days. */
  readonly lines: LineReader;
  /** Digests days, for comparing them with those of other archives. */
  readonly digests: DayDigests;

  private constructor(
    options: ArchiveOptions,
    lock: ArchiveLock,
    removed: RemovedDays,
    recovered: Awaited<ReturnType<typeof recoverArchive>>,
  ) {
    this.#options = options;
    this.#lock = lock;
    this.#removed = removed;
    this.#findings = new Findings(options.logger, recovered.findings);
    this.#untouched = recovered.untouched;
    this.#losses = recovered.losses;
    this.#blockWorker = new WorkerClient(
      new URL("./blocks/block_worker.ts", import.meta.url),
      "block worker",
      {
        clock: options.clock,
        afterMs: BLOCK_WORKER_IDLE_MS,
      },
    );
    this.#pool = new ReadPool(options.clock, options.readWorkers);
    this.#reading = { pool: this.#pool, indexes: new IndexCache() };
    this.#memory = options.memory ?? new MemoryBudget({ limitBytes: LARGEST_BYTES, clock: options.clock });
    const readerHost: ReaderHost = {
      pool: this.#pool,
      memory: this.#memory,
      open: (day) => this.#recorded(day).open(this.#reading),
    };
    this.lines = new LineReader(readerHost);
    this.digests = new DayDigests(readerHost);
    this.#host = {
      directory: options.directory,
      clock: options.clock,
      syncIntervalMs: options.syncIntervalMs,
      runBlockTask: (task) => this.#runBlockTask(task),
      events: (day) => this.#events(day),
      onFault: (what, error) => this.#findings.reportFailure(what, error),
      onRepair: (file, what) => this.#findings.note({ file, what, damage: false }),
      onMasked: (file, what) => this.#findings.tellOnce(file, what),
      onMeddled: (file, what) => this.#findings.note({ file, what, damage: true }),
      onLost: (span) => {
        for (const listener of this.#lossListeners) listener(span);
      },
      confirmLock: () => this.#confirmLock(),
      readUsage: options.readUsage,
      openFile: options.openFile,
    };
    for (const state of recovered.days) this.#days.set(state.day, new RecordedDay(state, this.#host));
    this.#maintenance = new Maintenance(options, {
      mayWrite: () => this.#mayWrite(),
      recordedDays: () => this.#recordedDays(),
      trouble: () => this.trouble,
      remove: (day, reason) => this.#remove(day, reason),
      onFailure: (what, error) => this.#findings.reportFailure(what, error),
    });
  }

  /**
   * Opens the archive, having put right whatever a crash left in it.
   *
   * @throws {Error} If another process has it open, if the directory cannot be written, or if today's files
   * are of a newer version of the program or cannot be read.
   */
  static async open(options: ArchiveOptions): Promise<Archive> {
    await ensureDir(options.directory);
    refuseForeignLock(options.directory);
    const lock = ArchiveLock.take(options.directory);
    try {
      const aside = setForeignAside(options.directory);
      const removed = RemovedDays.open(options.directory);
      const recovered = await recoverArchive(options.directory, (day) => removed.has(day));
      for (const fault of removed.faults) {
        recovered.findings.push({ file: REMOVED_FILE, what: `${fault}; set aside`, damage: true });
      }
      recovered.findings.unshift(...aside);
      const today = dayOf(options.clock.now());
      const reason = recovered.untouched.get(today);
      if (reason !== undefined) throw new Error(`Cannot record on ${dayName(today)}: ${reason}`);
      return new Archive(options, lock, removed, recovered);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** What was out of order when the archive was opened and since, in that order, and what was done about it. */
  get findings(): readonly Finding[] {
    return this.#findings.all;
  }

  /** Something is out of order that others found: it is logged, and told with the rest. */
  noteFinding(finding: Finding): void {
    this.#findings.note(finding);
  }

  /** The times of lines that were lost on the disk, as opening found, and that no gap may cover yet. */
  get losses(): readonly Span[] {
    return this.#losses.spans;
  }

  /** Gaps on the disk cover {@linkcode losses} now. Never fails: at the next start they are there again. */
  settleLosses(): void {
    try {
      this.#losses.settle();
    } catch (error) {
      this.#findings.reportFailure("forgetting losses that are gaps now", error);
    }
  }

  /** Bytes that were appended and are not in a file yet. Whoever appends holds back when it grows. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Why the disk takes nothing at the moment, in the system's words; null while it does. */
  get trouble(): string | null {
    for (const { writer } of this.#days.values()) {
      if (writer?.trouble) return writer.trouble;
    }
    return null;
  }

  /**
   * The lines that were received and are in no answer, because the disk does not take them, of those that may be
   * of `[sinceMs, untilMs)`, in milliseconds since 1970; null for none. Lines that merely are on their way to
   * the file are none, see {@linkcode heldLines}.
   */
  held(sinceMs = -Infinity, untilMs = Infinity): HeldLines | null {
    let held: HeldLines | null = null;
    for (const day of this.#days.values()) held = joinHeld(held, day.held(sinceMs, untilMs));
    return held;
  }

  /**
   * Takes a line for `day`: JSON in one piece, without its newline. The bytes are copied, and `time`, the
   * line's own timestamp, is read at once. `hasNewline` says that there are newlines between its tokens.
   *
   * @throws {Error} After {@linkcode stop}: nobody would write or count the line any more.
   */
  append(day: DayNumber, payload: Uint8Array, hasNewline: boolean, time: Timestamp | null): void {
    if (this.#closed) throw new Error(`Cannot record on ${dayName(day)}: the archive is closed`);
    const target = this.#lastDay?.day === day ? this.#lastDay : this.#dayFor(day);
    this.#waitingBytes += target.append(payload, hasNewline, time);
    this.#maintenance.countLine(time !== null && time.seconds < target.startSeconds);
  }

  /**
   * Inserts lines that were found elsewhere into their day at their times, all or none, and returns how many lines and bytes these
   * were. A day of which nothing was recorded is made of them. Lines that are recorded meanwhile are not held up, and whoever reads
   * goes on with the text that he began with. Of one day there is one insertion at a time; further ones wait. The file of `found` is
   * closed by it and stays, until whoever made it disposes of it.
   *
   * @throws {RangeError} If there are no lines.
   * @throws {Error} If the archive is closed, if the day was removed by retention or is left alone, or as
   * {@linkcode RecordedDay.insert}. The day is as it was then.
   */
  async insert(found: FoundLines): Promise<{ lines: number; bytes: number }> {
    const { day } = found;
    this.#confirmInsertion(found);
    await found.close();
    const digest = this.digests.remembers(day)
      ? (await this.#runBlockTask({ kind: "digestFound", day, foundPath: found.path }) as FoundDigest).digest
      : null;
    this.#confirmInsertion(found);
    const recorded = this.#dayFor(day);
    let before: OpenDay | null = null;
    try {
      const { seal, lines, bytes } = await recorded.insert(found, () => {
        if (digest !== null && !recorded.isEmpty) before = recorded.open(this.#reading);
      });
      if (digest !== null && before !== null) await this.#noteInserted(before, seal, digest);
      return { lines, bytes };
    } finally {
      (before as OpenDay | null)?.[Symbol.dispose]();
      if (recorded.isUnused && this.#days.get(day) === recorded) this.#forget(recorded);
    }
  }

  /**
   * Waits until everything that was appended before the call is on the disk, and resolves to true; or until the archive
   * is closed without that, because the disk took no more, and resolves to false.
   */
  async sync(): Promise<boolean> {
    const synced = await Promise.all([...this.#days.values()].map(({ writer }) => writer?.sync() ?? true));
    return synced.every((isSynced) => isSynced);
  }

  /** How far what was recorded of each day has come that is not sealed; without what was inserted, so that it never shifts. */
  ends(): DayEnds[] {
    const ends: DayEnds[] = [];
    for (const { day, writer } of this.#days.values()) {
      if (writer === null) continue;
      const { appended, committed, synced } = writer;
      ends.push({ day, appended, committed, synced });
    }
    return ends;
  }

  /** Every day there is, newest first. */
  days(): DayInfo[] {
    return this.#recordedDays().sort((a, b) => b.day - a.day).map((day) => day.info());
  }

  /** The oldest day there is, and the smallest timestamp of its lines, RFC 3339 UTC; null where there is no day. */
  oldestDay(): { day: DayNumber; first: string | null } | null {
    let oldest: RecordedDay | null = null;
    for (const day of this.#recordedDays()) if (oldest === null || day.day < oldest.day) oldest = day;
    return oldest && { day: oldest.day, first: oldest.info().first };
  }

  /** The newest day that retention removed; null where it removed none. */
  newestRemovedDay(): DayNumber | null {
    return this.#removed.newest;
  }

  /** One day, or undefined where nothing was recorded. */
  day(day: DayNumber): DayInfo | undefined {
    const recorded = this.#days.get(day);
    return recorded === undefined || recorded.isEmpty ? undefined : recorded.info();
  }

  /** The days whose files could not be read when the archive was opened and were left alone, and why, the oldest first. */
  get untouched(): ReadonlyMap<DayNumber, string> {
    return this.#untouched;
  }

  /** Whether the day was recorded and then removed by retention. */
  wasRemoved(day: DayNumber): boolean {
    return !this.#days.has(day) && this.#removed.has(day);
  }

  /**
   * The day's text, or a range of it. The files are open when this returns, and closed when the stream ends
   * or is cancelled; `slot`, the client's place, is given back with them. A damaged block
   * breaks the stream before any of it is given.
   *
   * @throws {RangeError} If there is no such day.
   */
  openText(
    day: DayNumber,
    range?: ByteRange,
    slot: ReaderSlot | null = null,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const recorded = this.#recorded(day);
    const open = recorded.open(this.#reading);
    const pieces = open.text(range ?? { start: 0, end: recorded.bytes }, this.#memory);
    return this.#stream(day, pieces, open, slot);
  }

  /**
   * A range of what was recorded of a day, without what was inserted since: for whoever follows, since an offset into that never
   * shifts. As {@linkcode openText} otherwise.
   *
   * @throws {RangeError} If there is no such day.
   */
  openRecordedText(day: DayNumber, range: ByteRange): ReadableStream<Uint8Array<ArrayBuffer>> {
    const open = this.#recorded(day).open(this.#reading);
    return this.#stream(day, open.recordedText(range, this.#memory), open, null);
  }

  /**
   * The day's gzip file, whole, or for a sealed day a range of it. As {@linkcode openText} otherwise.
   *
   * @throws {RangeError} If there is no such day, or a range is asked of one that is not sealed.
   */
  openGzip(
    day: DayNumber,
    range?: ByteRange,
    slot: ReaderSlot | null = null,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const recorded = this.#recorded(day);
    if (range !== undefined && !recorded.info().sealed) {
      throw new RangeError(`Cannot cut ${dayName(day)}: it is not sealed`);
    }
    const open = recorded.open(this.#reading);
    return this.#stream(day, range === undefined ? open.gzip() : open.gzipRange(range), open, slot);
  }

  /** See {@linkcode Scrubbed.scrub}. Days that are gone have nothing to read back. */
  async scrub(day: DayNumber, place: ScrubPlace): Promise<ScrubResult | null> {
    return await this.#days.get(day)?.scrub(place) ?? null;
  }

  /** Has `listener` hear of every commit; returns what ends that. */
  onCommit(listener: CommitListener): Cancel {
    this.#commitListeners.add(listener);
    return () => this.#commitListeners.delete(listener);
  }

  /** Has `listener` hear that {@linkcode waitingBytes} shrank or that {@linkcode trouble} changed; returns what ends that. */
  onChange(listener: () => void): Cancel {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /**
   * Has `listener` hear of the timestamps that lines may have had which are lost, since somebody has cut a file while it was
   * written. Must not throw.
   */
  onLoss(listener: (span: Span) => void): Cancel {
    this.#lossListeners.add(listener);
    return () => this.#lossListeners.delete(listener);
  }

  /** Seals the days that are due and removes those that have expired. Never fails: it reports. */
  maintain(): Promise<void> {
    return this.#maintenance.run();
  }

  /**
   * Takes no more lines: writes and syncs what is waiting. Returns how many lines could not be written. What
   * is being read can be read on until {@linkcode close}.
   */
  async stop(): Promise<number> {
    this.#closed = true;
    this.#findings.expectFailures();
    this.#maintenance.stop();
    const days = [...this.#days.values()];
    const closing = days.map((day) => day.close());
    this.#endLongTasks(); // a file that has to be put right before it can be closed is not to wait for them
    const left = await Promise.all(closing);
    this.#endLongTasks();
    await Promise.all(days.map((day) => day.ended()));
    await this.#maintenance.ended();
    this.#blockWorker.terminate();
    return left.reduce((sum, lines) => sum + lines, 0);
  }

  /** Stops, ends all reading, and lets another process have the directory. As {@linkcode stop} otherwise. */
  async close(): Promise<number> {
    const left = await this.stop();
    this.#pool.close();
    this.#lock.release();
    return left;
  }

  async #runBlockTask(task: BlockTask): Promise<BlockResult> {
    if (this.#closed) throw new Error("Cannot make blocks: the archive is closed");
    if (!LONG_TASKS.includes(task.kind)) return await this.#blockWorker.call(task);
    this.#longTasksUnderWay++;
    try {
      return await this.#blockWorker.call(task);
    } finally {
      this.#longTasksUnderWay--;
    }
  }

  /** Ends what may take long and is begun anew after the next start. */
  #endLongTasks(): void {
    if (this.#longTasksUnderWay > 0) this.#blockWorker.terminate();
  }

  /** The days that have anything: one into which lines are being inserted first has not yet. */
  #recordedDays(): RecordedDay[] {
    return [...this.#days.values()].filter(({ isEmpty }) => !isEmpty);
  }

  #confirmInsertion({ day, lines }: FoundLines): void {
    if (lines === 0) throw new RangeError(`Cannot insert lines into ${dayName(day)}: none were found`);
    const untouched = this.#untouched.get(day);
    const reason = this.#closed
      ? "the archive is closed"
      : this.wasRemoved(day)
      ? "retention has removed it"
      : untouched === undefined
      ? null
      : `it is left alone: ${untouched}`;
    if (reason !== null) throw new Error(`Cannot insert lines into ${dayName(day)}: ${reason}`);
  }

  /** Has the digest that is remembered of a day go on to hold; where that fails, the day is read anew when it is asked for. */
  async #noteInserted(before: OpenDay, seal: SealEntry, digest: MinuteTable): Promise<void> {
    try {
      using _slot = await this.lines.reserve();
      await this.digests.noteInserted(before, seal, digest);
    } catch (error) {
      if (!(error instanceof NoRoom)) this.#findings.reportFailure("going on with a digest", error);
    }
  }

  #forget(recorded: RecordedDay): void {
    this.#days.delete(recorded.day);
    if (this.#lastDay === recorded) this.#lastDay = null;
  }

  #recorded(day: DayNumber): RecordedDay {
    const recorded = this.#days.get(day);
    if (recorded?.isEmpty ?? true) throw new RangeError(`Cannot read ${dayName(day)}: nothing was recorded`);
    return recorded!;
  }

  #dayFor(day: DayNumber): RecordedDay {
    const now = this.#options.clock.now();
    const number = this.#untouched.has(day) ? dayOf(now) : day;
    let recorded = this.#days.get(number);
    if (recorded === undefined) {
      recorded = new RecordedDay(emptyDay(number, now), this.#host);
      this.#days.set(number, recorded);
    }
    this.#lastDay = recorded;
    return recorded;
  }

  #events(day: DayNumber): WriterEvents {
    return {
      onCommit: (end) => {
        for (const listener of this.#commitListeners) listener(day, end);
      },
      onSync: () => {},
      onDrain: (bytes) => {
        this.#waitingBytes -= bytes;
        for (const listener of this.#changeListeners) listener();
      },
      onTrouble: (reason) => {
        const { logger } = this.#options;
        if (reason === null) logger.log("info", "disk takes lines again", { day: dayName(day) });
        else logger.log("error", "disk takes no lines", { day: dayName(day), reason });
        for (const listener of this.#changeListeners) listener();
        if (reason !== null) void this.maintain();
      },
      onTiming: this.#options.onTiming ?? (() => {}),
    };
  }

  /** As {@linkcode ArchiveLock.confirm}; whoever has to end the process hears of it first. */
  #confirmLock(): void {
    try {
      this.#lock.confirm();
    } catch (error) {
      if (error instanceof LockLost) this.#options.onLockLost?.(error);
      throw error;
    }
  }

  /** Whether no other process records here. That it cannot be made sure is reported, and tried again. */
  #mayWrite(): boolean {
    try {
      this.#confirmLock();
    } catch (error) {
      this.#findings.reportFailure("confirming the lock", error);
      if (error instanceof LockLost) return false;
    }
    return true;
  }

  /** Removes a day, and says so. Returns how many bytes its gzip file had. */
  #remove(number: DayNumber, reason: string): number {
    const day = this.#days.get(number)!;
    const { lines, bytes, gzBytes } = day.info();
    this.#removed.add(number, { lines, bytes, atMs: this.#options.clock.now(), reason });
    day.remove();
    this.#removed.writeRest();
    this.#forget(day);
    this.#options.logger.log("info", "day removed", { day: dayName(number), lines, gzBytes, reason });
    for (const { writer } of this.#days.values()) writer?.retry();
    return gzBytes;
  }

  /** A stream of what `pieces` yields, that disposes of `open` at its end and when it is cancelled. */
  #stream(
    day: DayNumber,
    pieces: AsyncGenerator<Uint8Array, void>,
    open: Disposable,
    slot: ReaderSlot | null,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    return chunkStream(pieces, {
      hold: slot,
      onEnd: () => open[Symbol.dispose](),
      onError: (error) => this.#findings.reportFailure(`reading ${dayName(day)}`, error),
    });
  }
}
