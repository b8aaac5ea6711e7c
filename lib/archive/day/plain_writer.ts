/**
 * Promises that the lines appended stand in the plain file in their order, each once and whole: what a
 * write or a sync that failed has left is cut off and written again, and nobody is told of a byte that
 * is not in the file.
 *
 * Whoever may write in the directory may also remove the file, replace it or cut it. That is looked for with every sync, and
 * put right before anything else is written; see put_back.ts and hole.ts.
 *
 * Group commit: lines gather in a chunk while the write before is in flight, and then leave as one write.
 *
 * @module
 */

import type { Cancel, Clock } from "../../clock.ts";
import type { Timestamp } from "../../timestamp.ts";
import { type HeldLines, heldLines, type HeldSpan } from "./held.ts";
import { type Chunk, CHUNK_BYTES, LineChunks } from "./line_chunks.ts";
import { openPlainFile, type PlainFile } from "./plain_file.ts";
import { isAsWritten, putFileBack, WINDOW_BYTES } from "./put_back.ts";

/**
 * At most this many bytes are written ahead of the last sync. They stay in memory until they are synced,
 * since after a failed fdatasync the kernel may have dropped them (man fsync, NOTES), and only what is still
 * held can be written again. The next write waits for the sync, which holds the source back in the end.
 */
export const UNSYNCED_LIMIT_BYTES = 16 * 1024 * 1024;

/** So many chunks are kept for use again while there is much to write: as many as can wait for a sync. */
const SPARE_CHUNKS = UNSYNCED_LIMIT_BYTES / CHUNK_BYTES;

/** A sync starts early once this much is written, so that the limit above is seldom met. */
const EARLY_SYNC_BYTES = 4 * 1024 * 1024;

/** A failing file is tried again after this long, in milliseconds. */
export const RETRY_MS = 1000;

/** What a writer tells its owner. */
export interface WriterEvents {
  /** The text up to `end` (from the day's start) is in the file and can be read; `lines` were added. */
  onCommit(end: number, lines: number): void;
  /** The text up to `end` is on the disk. */
  onSync(end: number): void;
  /** Bytes that left the waiting line, to be subtracted from what the archive holds. */
  onDrain(bytes: number): void;
  /** Writing or syncing began to fail, with the system's words, or works again (null). */
  onTrouble(reason: string | null): void;
  /** How long a write or a sync took, in milliseconds. */
  onTiming(what: "write" | "sync", durationMs: number): void;
}

/** What a writer needs while it puts the file right. */
export interface FileMender {
  /**
   * Called before the file is put right.
   *
   * @throws {Error} If this process must not write, since another one does.
   */
  confirm(): void;
  /** The file is at its path again; `aside` names what stood in its place, null for nothing. */
  onPutBack(aside: string | null): void;
  /**
   * Puts back what the file does not have any more of the text up to `end`, in bytes from the day's start, and syncs it.
   *
   * @throws {Error} If the disk does not take it.
   */
  fillHole(end: number): Promise<void>;
}

/** See {@linkcode PlainWriter}. */
export interface WriterOptions {
  /** The plain file; made at the first write. */
  path: string;
  /** Where the file starts in the day's text, in bytes. */
  from: number;
  /** How long the file is already, in bytes. */
  size: number;
  /** A write is synced at most this much later, in milliseconds. */
  syncIntervalMs: number;
  /** Goes for every wait. */
  clock: Clock;
  /** Who hears of what happens. */
  events: WriterEvents;
  /** Who helps when the file is not as it was written. */
  mender: FileMender;
  /** Opens the file for writing; tests hand in one whose writes and syncs fail. */
  openFile?: (path: string) => Promise<PlainFile>;
}

/** Appends lines to one plain file. The file is opened at the first write. */
export class PlainWriter {
  /** The plain file. */
  readonly path: string;
  /** Where the file starts in the day's text, in bytes. */
  readonly from: number;
  /** End of the text that is in the file, from the day's start, in bytes. */
  committed: number;
  /** End of the text that is on the disk. */
  synced: number;
  /** Why the file cannot be written at the moment. */
  trouble: string | null = null;

  /** End of the text that was appended. */
  #appended: number;
  readonly #waiting: LineChunks;
  readonly #unsynced: Chunk[] = [];
  /**
   * Two handles of one file: Deno does the operations of a handle one after another, and a sync is slow. The one for syncs
   * is opened first, and stays open when a write fails: it has the text if the file is removed meanwhile.
   */
  #file: PlainFile | null = null;
  #syncFile: PlainFile | null = null;
  #writing: Promise<void> | null = null;
  #syncing: Promise<void> | null = null;
  #mustRewrite = false;
  /** The file is not as it was written. */
  #mustPutRight = false;
  /** Whether the trouble is that of a sync: only a sync that works ends it. */
  #syncFails = false;
  #cancelSync: Cancel | null = null;
  readonly #pauses = new Set<() => void>();
  /** Who waits for the text up to `end` to be on the disk, in the order of their ends. */
  #syncWaits: { end: number; resolve: (isSynced: boolean) => void }[] = [];
  /** {@linkcode close} was called: what fails from now on is not tried again. */
  #isClosing = false;
  /** {@linkcode close} is done: nothing will be written any more. */
  #isClosed = false;
  readonly #options: WriterOptions;
  #reading: Promise<unknown> = Promise.resolve();
  /** What the file is read into when it is looked at with a sync. */
  readonly #window = new Uint8Array(WINDOW_BYTES);

  /** Touches no file yet. */
  constructor(options: WriterOptions) {
    this.#options = options;
    this.#waiting = new LineChunks(options.clock, SPARE_CHUNKS);
    this.path = options.path;
    this.from = options.from;
    this.committed = options.from + options.size;
    this.synced = this.committed;
    this.#appended = this.committed;
  }

  /** End of the text that was appended, from the day's start, in bytes. */
  get appended(): number {
    return this.#appended;
  }

  /** Nothing is waiting, being written, or written and not yet synced. */
  get idle(): boolean {
    return this.#waiting.isEmpty && this.#writing === null && this.#syncing === null &&
      !this.#mustPutRight && this.synced === this.committed;
  }

  /** How many lines are in the file and not on the disk yet. */
  get unsyncedLines(): number {
    return this.#unsynced.reduce((sum, { lines }) => sum + lines, 0);
  }

  /** The lines that are held, of those that may be of `span`; see {@linkcode heldLines}. */
  held(span: HeldSpan): HeldLines | null {
    return heldLines(this.#waiting, this.trouble, span, this.#options.clock.elapsed());
  }

  /**
   * Takes one line, without its newline; the bytes are copied. Newlines in it, which can only stand between
   * the tokens of JSON, become spaces where `hasNewline` says that there are some. `time` is the line's own
   * timestamp, and is read at once. Returns by how many bytes what is held grew, which may be less than nothing;
   * {@linkcode WriterEvents.onDrain} tells of what leaves.
   */
  append(payload: Uint8Array, hasNewline: boolean, time: Timestamp | null): number {
    const grownBytes = this.#waiting.append(payload, hasNewline, time);
    this.#appended += payload.length + 1;
    this.#startWriting();
    return grownBytes;
  }

  /**
   * Waits until everything that was appended before the call is on the disk, and resolves to true; or until the writer
   * is closed without that, because the file took no more, and resolves to false. While the file fails it waits.
   */
  sync(): Promise<boolean> {
    if (this.synced === this.#appended) return Promise.resolve(true);
    if (this.#isClosed) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#syncWaits.push({ end: this.#appended, resolve });
      if (this.committed === this.#appended && !this.#isClosing) this.#startSync();
    });
  }

  /** Tries again at once what has failed, because there is room now. */
  retry(): void {
    for (const end of [...this.#pauses]) end();
  }

  /**
   * Looks whether the file is still there, for a day that gets no lines: without a line there is no sync. One that was
   * never opened is not looked for.
   */
  async look(): Promise<void> {
    const isFound = await this.#inTurn(async () => {
      if (this.#syncFile === null || this.#syncing !== null || this.#writing !== null) return true;
      const { isInPlace, size } = await this.#syncFile.look();
      return isInPlace && size >= this.synced - this.from;
    });
    if (isFound || this.#isClosing) return;
    this.#mustPutRight = true;
    this.#startWriting();
  }

  /**
   * Writes and syncs what is waiting and closes the file. What fails now is not tried again; returns how many
   * lines could not be written.
   */
  async close(): Promise<number> {
    this.#isClosing = true;
    this.retry();
    this.#cancelSync?.();
    await this.#rest();
    while (this.trouble === null && this.synced < this.committed) {
      this.#startSync();
      await this.#rest(); // the sync may have found the file removed, and have had it put back
    }
    this.#cancelSync?.();
    this.#closeFile();
    this.#closeSyncFile();
    this.#isClosed = true;
    for (const { resolve } of this.#syncWaits.splice(0)) resolve(false); // close() did not get so far
    return this.#waiting.all.reduce((sum, { lines }) => sum + lines, 0);
  }

  /** Waits until nothing is being written or synced. */
  async #rest(): Promise<void> {
    while (this.#writing !== null || this.#syncing !== null) await (this.#writing ?? this.#syncing);
  }

  #startWriting(): void {
    this.#writing ??= this.#write();
  }

  /** Writes until nothing is waiting; each step that fails is done again after a pause. */
  async #write(): Promise<void> {
    await Promise.resolve(); // what the source hands over in one go leaves in one write
    while (this.#mustPutRight || this.#mustRewrite || !this.#waiting.isEmpty) {
      try {
        if (this.#mustPutRight) await this.#putRight();
        else if (this.#mustRewrite) await this.#rewriteUnsynced();
        else if (this.#unsyncedBytes() > UNSYNCED_LIMIT_BYTES) await this.#waitForSync();
        else await this.#writeNext();
        this.#endTrouble();
      } catch (error) {
        this.#closeFile();
        this.#beginTrouble(error);
        if (this.#isClosing) break;
        await this.#pause();
      }
    }
    this.#writing = null; // at once, so that no line is appended between the last look and this
  }

  /** Writes the next chunk. */
  async #writeNext(): Promise<void> {
    const chunk = this.#waiting.first();
    const file = await this.#openFile();
    if (file === null) return;
    await this.#writeChunk(file, chunk);
    this.#unsynced.push(this.#waiting.shift());
    this.committed += chunk.length;
    this.#options.events.onDrain(chunk.heldBytes);
    this.#options.events.onCommit(this.committed, chunk.lines);
    this.#planSync();
  }

  async #writeChunk(file: PlainFile, chunk: Chunk): Promise<void> {
    const startMs = this.#options.clock.elapsed();
    for (let done = 0; done < chunk.length;) {
      done += await file.write(chunk.bytes.subarray(done, chunk.length));
    }
    this.#options.events.onTiming("write", this.#options.clock.elapsed() - startMs);
  }

  /** Writes again, at their place, the bytes of which no one knows whether the disk has them. */
  async #rewriteUnsynced(): Promise<void> {
    const file = await this.#openFile();
    if (file === null) return;
    await file.seek(this.synced - this.from, Deno.SeekMode.Start);
    for (const chunk of this.#unsynced) await this.#writeChunk(file, chunk);
    this.#mustRewrite = false;
    this.#planSync();
  }

  /** Opens the file where the committed text ends, with nothing after it; null where it has to be put right first. */
  async #openFile(): Promise<PlainFile | null> {
    if (this.#file !== null) return this.#file;
    if (!await this.#isAsWritten(await this.#openSyncFile(), 0)) {
      this.#mustPutRight = true;
      return null;
    }
    const file = await this.#open();
    this.#file = file;
    await file.truncate(this.committed - this.from);
    await file.seek(0, Deno.SeekMode.End);
    return file;
  }

  async #openSyncFile(): Promise<PlainFile> {
    return this.#syncFile ??= await this.#open();
  }

  #open(): Promise<PlainFile> {
    return (this.#options.openFile ?? openPlainFile)(this.path);
  }

  /**
   * Puts the file back to its path where it is not there any more, and fills it where it was cut. What was not synced is in
   * memory, and is written again at its place: it is not known whether the open file has it.
   */
  async #putRight(): Promise<void> {
    await this.#syncing;
    this.#options.mender.confirm();
    const file = await this.#openSyncFile();
    const putBack = await this.#inTurn(async () => {
      const { isInPlace } = await file.look();
      return isInPlace ? null : await putFileBack(this.path, file, this.committed - this.from);
    });
    if (putBack !== null) {
      this.#closeSyncFile();
      this.#options.mender.onPutBack(putBack.aside);
    }
    if (putBack === null || !await this.#isAsWritten(await this.#openSyncFile(), 0)) {
      await this.#options.mender.fillHole(this.synced);
    }
    this.#closeFile();
    this.#mustPutRight = false;
    this.#mustRewrite = true;
  }

  /** As {@linkcode isAsWritten}: the text that is on the disk, and the first `chunks` writes after it. */
  #isAsWritten(file: PlainFile, chunks: number): Promise<boolean> {
    const ends = this.#writeEnds(chunks);
    return this.#inTurn(() => isAsWritten(file, ends, this.#window));
  }

  /** Those who read from the handle for syncs move its position, so they do it one after another. */
  #inTurn<Result>(read: () => Promise<Result>): Promise<Result> {
    const result = this.#reading.then(read, read);
    this.#reading = result;
    return result;
  }

  /** Where the text ends that is on the disk, and the first `chunks` writes after it, in bytes from the file's start. */
  #writeEnds(chunks: number): number[] {
    let end = this.synced - this.from;
    return [end, ...this.#unsynced.slice(0, chunks).map(({ length }) => end += length)];
  }

  #unsyncedBytes(): number {
    return this.committed - this.synced;
  }

  async #waitForSync(): Promise<void> {
    this.#startSync();
    await this.#syncing;
  }

  #planSync(): void {
    const wait = this.#syncWaits[0];
    const isAwaited = wait !== undefined && wait.end <= this.committed;
    if (isAwaited || this.#unsyncedBytes() >= EARLY_SYNC_BYTES) this.#startSync();
    else {
      this.#cancelSync ??= this.#options.clock.after(this.#options.syncIntervalMs, () => this.#startSync());
    }
  }

  /** Starts no sync while there is something to put right: bytes that are not in the file would count as synced. */
  #startSync(): void {
    this.#cancelSync?.();
    this.#cancelSync = null;
    if (this.#mustRewrite || this.#mustPutRight) return;
    this.#syncing ??= this.#sync().finally(() => {
      this.#syncing = null;
      this.#endSyncWaits();
      const isPutRight = !this.#mustRewrite && !this.#mustPutRight;
      if (this.#unsyncedBytes() > 0 && isPutRight && !this.#isClosing) this.#planSync();
    });
  }

  async #sync(): Promise<void> {
    const end = this.committed;
    const chunks = this.#unsynced.length;
    try {
      const file = await this.#openSyncFile();
      if (!await this.#isAsWritten(file, chunks)) {
        this.#mustPutRight = true;
        this.#startWriting();
        return;
      }
      const startMs = this.#options.clock.elapsed();
      await file.syncData();
      this.#options.events.onTiming("sync", this.#options.clock.elapsed() - startMs);
    } catch (error) {
      this.#mustRewrite = true;
      this.#syncFails = true;
      this.#closeFile();
      this.#closeSyncFile();
      this.#beginTrouble(error);
      if (this.#isClosing) return;
      await this.#pause();
      this.#startWriting();
      return;
    }
    for (const { bytes } of this.#unsynced.splice(0, chunks)) this.#waiting.reuse(bytes);
    this.synced = end;
    if (this.#syncFails) {
      this.#syncFails = false;
      this.#endTrouble();
    }
    this.#options.events.onSync(end);
  }

  #endSyncWaits(): void {
    while (this.#syncWaits[0] !== undefined && this.#syncWaits[0].end <= this.synced) {
      this.#syncWaits.shift()!.resolve(true);
    }
  }

  #beginTrouble(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.trouble === reason) return;
    this.trouble = reason;
    this.#options.events.onTrouble(reason);
  }

  #endTrouble(): void {
    if (this.trouble === null || this.#syncFails) return;
    this.trouble = null;
    this.#options.events.onTrouble(null);
  }

  /** Waits a while, or until {@linkcode retry} or {@linkcode close}. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#pauses.delete(done);
        resolve();
      };
      const cancel = this.#options.clock.after(RETRY_MS, done);
      this.#pauses.add(done);
    });
  }

  /** Lets go of the file after a failure: the next one that is opened starts with its end cut right. */
  #closeFile(): void {
    this.#file?.close();
    this.#file = null;
  }

  #closeSyncFile(): void {
    this.#syncFile?.close();
    this.#syncFile = null;
  }
}
