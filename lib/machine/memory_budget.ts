/**
 * Promises that all who read share a fixed amount of memory, counted in the bytes that they hold. A reader that
 * finds no room waits, first come, first served, and is sent away when it takes too long. Recording asks for none of it: its
 * own part of the machine is left out of the budget.
 *
 * | who                        | holds                                                | when there is no room          |
 * | -------------------------- | ---------------------------------------------------- | ------------------------------ |
 * | a reader or a download     | {@linkcode READER_BYTES}, until its client has all   | waits, then 503                |
 * | a digest of a day          | {@linkcode READER_BYTES}, while it is made           | waits, then 503                |
 * | a page in a browser        | {@linkcode BROWSER_PAGE_BYTES}, while it is made     | waits, then 503                |
 * | a block read ahead         | {@linkcode READER_BYTES}, until its client comes     | it is read when it is its turn |
 * | a page or tail put together | its bytes, until its client has them                | it is read twice, and streamed |
 * | a follower                 | {@linkcode FOLLOWER_BYTES}, in half of the budget    | 503                            |
 *
 * @module
 */

import type { Cancel, Clock } from "../clock.ts";

/** What one reader holds: a block's bytes, its text of 1 MiB, and what its client has not taken of them. */
export const READER_BYTES = 2 * 1024 * 1024;

/** What a page with lines takes while it is made: the lines, as text, as HTML and as bytes. */
export const BROWSER_PAGE_BYTES = 6 * 1024 * 1024;

/** The new lines that wait for a follower, and what it reads from the disk in one step, in bytes. */
export const FOLLOWER_BYTES = 128 * 1024;

/** What the program takes on any machine: itself, its threads, and the lines of a flood; see `BUFFER_LIMIT`. */
const OWN_BYTES = 160_000_000;

/** Of what is left, a third is for reading; V8 frees late, so what is held takes up to three times its size. */
const PART = 3;

/** Enough for a few readers, however small the machine, in bytes. */
const SMALLEST_BYTES = 16 * 1024 * 1024;

/** Enough for as many readers as one process can serve, in bytes. */
export const LARGEST_BYTES = 192 * 1024 * 1024;

/** Nobody waits longer than this for room, in milliseconds ... */
export const ROOM_WAIT_MS = 10_000;

/** ... and no more than so many wait. */
export const WAITING_LIMIT = 256;

/** A client that has taken nothing for so long loses its place, if somebody waits for it, in milliseconds. */
export const STALLED_MS = 5_000;

/** How often those are looked for while somebody waits, in milliseconds. */
const LOOK_MS = 500;

/** Told instead of room in memory. */
export class NoRoom extends Error {
  /** The name of the class. */
  override name = "NoRoom";
}

/** Some bytes of the budget. They are given back when it is disposed of; harmless when repeated. */
export interface MemoryHold extends Disposable {
  /** Says that it is the client's turn now. `onLost` is called if it does not come and others need the room. */
  await(onLost: (reason: Error) => void): void;
  /** Says that the client has come. */
  resume(): void;
}

interface Waiter {
  bytes: number;
  admit(): void;
}

/**
 * How much of a machine with `machineBytes` of memory is for reading, in bytes. Of 210 MB, which a machine of 256 MB
 * has for programs, (210 − 160) / 3 = 16.7 MB.
 */
export function readingBytes(machineBytes: number): number {
  const bytes = Math.floor((machineBytes - OWN_BYTES) / PART);
  return Math.min(LARGEST_BYTES, Math.max(SMALLEST_BYTES, bytes));
}

/** The memory that is for reading. */
export class MemoryBudget {
  /** How much there is, in bytes. */
  readonly limitBytes: number;
  readonly #clock: Clock;
  readonly #holds = new Set<Hold>();
  readonly #waiters = new Set<Waiter>();
  #heldBytes = 0;
  #cancelLooking: Cancel | null = null;

  /** Nothing is held yet. */
  constructor(options: { limitBytes: number; clock: Clock }) {
    this.limitBytes = options.limitBytes;
    this.#clock = options.clock;
  }

  /** How much is held, in bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Takes `bytes` if they are there and nobody waits for them; else returns null. */
  tryTake(bytes: number): MemoryHold | null {
    return this.#waiters.size === 0 && this.#fits(bytes) ? this.#hold(bytes) : null;
  }

  /** As {@linkcode tryTake}, for what can be done without: only as long as two thirds are free for others. */
  trySpare(bytes: number): MemoryHold | null {
    return this.#heldBytes + bytes <= this.limitBytes / 3 ? this.tryTake(bytes) : null;
  }

  /**
   * Takes `bytes`, or all there is if that is less, after those who asked before.
   *
   * @throws {NoRoom} If {@linkcode WAITING_LIMIT} wait already, {@linkcode ROOM_WAIT_MS} have passed, or `signal`
   * says that nobody wants them any more.
   */
  async take(bytes: number, signal?: AbortSignal): Promise<MemoryHold> {
    const wanted = Math.min(bytes, this.limitBytes);
    const hold = this.tryTake(wanted);
    if (hold !== null) return hold;
    if (this.#waiters.size >= WAITING_LIMIT) {
      throw new NoRoom(`Cannot read for one more: ${WAITING_LIMIT} wait for memory already`);
    }
    return await this.#wait(wanted, signal);
  }

  #wait(bytes: number, signal?: AbortSignal): Promise<MemoryHold> {
    const { promise, resolve, reject } = Promise.withResolvers<MemoryHold>();
    const leave = (reason: string) => {
      end();
      reject(new NoRoom(`Cannot read for one more: ${reason}`));
      this.#admit(); // those that wait after it may need less
    };
    const onAbort = () => leave("the client has gone");
    const cancelTimer = this.#clock.after(ROOM_WAIT_MS, () => leave("there was no memory for it in time"));
    const waiter: Waiter = {
      bytes,
      admit: () => {
        end();
        resolve(this.#hold(bytes));
      },
    };
    const end = () => {
      cancelTimer();
      signal?.removeEventListener("abort", onAbort);
      this.#waiters.delete(waiter);
      if (this.#waiters.size === 0) this.#stopLooking();
    };
    this.#waiters.add(waiter);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    else this.#startLooking();
    return promise;
  }

  #fits(bytes: number): boolean {
    return this.#heldBytes + bytes <= this.limitBytes;
  }

  #hold(bytes: number): MemoryHold {
    const hold = new Hold(this.#clock, () => {
      if (!this.#holds.delete(hold)) return;
      this.#heldBytes -= bytes;
      this.#admit();
    });
    this.#holds.add(hold);
    this.#heldBytes += bytes;
    return hold;
  }

  #admit(): void {
    for (const waiter of [...this.#waiters]) {
      if (!this.#fits(waiter.bytes)) return;
      waiter.admit();
    }
  }

  #startLooking(): void {
    this.#takeFromStalled();
    this.#cancelLooking ??= this.#clock.every(LOOK_MS, () => this.#takeFromStalled());
  }

  #stopLooking(): void {
    this.#cancelLooking?.();
    this.#cancelLooking = null;
  }

  /** Takes the place of those who have been stalled for longest, one for each who waits. */
  #takeFromStalled(): void {
    const stalled = [...this.#holds].filter(({ stalledMs }) => stalledMs >= STALLED_MS)
      .sort((a, b) => b.stalledMs - a.stalledMs);
    for (const hold of stalled.slice(0, this.#waiters.size)) hold.lose();
  }
}

class Hold implements MemoryHold {
  readonly #clock: Clock;
  readonly #giveBack: () => void;
  #awaitedSinceMs: number | null = null;
  #onLost: ((reason: Error) => void) | null = null;

  constructor(clock: Clock, giveBack: () => void) {
    this.#clock = clock;
    this.#giveBack = giveBack;
  }

  /** For how long its client has been awaited, in milliseconds. */
  get stalledMs(): number {
    return this.#awaitedSinceMs === null ? 0 : this.#clock.elapsed() - this.#awaitedSinceMs;
  }

  await(onLost: (reason: Error) => void): void {
    this.#awaitedSinceMs = this.#clock.elapsed();
    this.#onLost = onLost;
  }

  resume(): void {
    this.#awaitedSinceMs = null;
    this.#onLost = null;
  }

  lose(): void {
    const onLost = this.#onLost;
    this.resume();
    onLost?.(
      new NoRoom(`Cannot wait longer: nothing was taken for ${STALLED_MS} ms, and others need the room`),
    );
  }

  [Symbol.dispose](): void {
    this.resume();
    this.#giveBack();
  }
}
