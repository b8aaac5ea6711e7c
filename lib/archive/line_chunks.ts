/**
 * Promises that lines that wait for the disk stand in as few pieces of memory as can be, and that it is known
 * how many wait, since when, and what time they are of.
 *
 * @module
 */

import { copyAsLine } from "../fly_log.ts";
import type { Timestamp } from "../timestamp.ts";

/** The first chunk where nothing is waiting, and every chunk where something is, in bytes. */
const SMALL_CHUNK_BYTES = 64 * 1024;

/** See {@linkcode SMALL_CHUNK_BYTES}. */
export const CHUNK_BYTES: number = 1024 * 1024;

/** Some lines, one behind the other. */
export interface Chunk {
  /** The lines, and behind {@linkcode Chunk.length} room for more. */
  readonly bytes: Uint8Array;
  /** How many bytes the lines take. */
  length: number;
  /** How many lines there are. */
  lines: number;
  /** When the first of them came, by {@linkcode Arrival.elapsed}. */
  readonly cameElapsedMs: number;
  /** The same, in milliseconds since 1970. */
  readonly cameMs: number;
  /** The smallest timestamp of a line, in whole seconds since 1970; Infinity where none has one. */
  firstSeconds: number;
  /** The largest timestamp, as {@linkcode Chunk.firstSeconds}; -Infinity where no line has one. */
  lastSeconds: number;
  /** Whether a line has no timestamp. */
  hasUntimed: boolean;
}

/** The time at which lines come. */
export interface Arrival {
  /** As {@linkcode Clock.elapsed}. */
  elapsed(): number;
  /** As {@linkcode Clock.now}. */
  now(): number;
}

/** Lines in the order in which they came, the oldest first. */
export class LineChunks {
  readonly #clock: Arrival;
  readonly #spareLimit: number;
  /** The one that takes lines; it is the last, if there is one. */
  #active: Chunk | null = null;
  readonly #full: Chunk[] = [];
  readonly #spare: Uint8Array[] = [];
  #smallSpare: Uint8Array | null = null;

  /** Keeps up to `spareLimit` pieces of memory for use again. */
  constructor(clock: Arrival, spareLimit: number) {
    this.#clock = clock;
    this.#spareLimit = spareLimit;
  }

  /** Whether nothing is waiting. */
  get isEmpty(): boolean {
    return this.#active === null && this.#full.length === 0;
  }

  /** What waits, the oldest first. */
  get all(): readonly Readonly<Chunk>[] {
    return this.#active === null ? this.#full : [...this.#full, this.#active];
  }

  /** The one that waits longest; null where none does. */
  get oldest(): Readonly<Chunk> | null {
    return this.#full[0] ?? this.#active;
  }

  /** Takes a line, as {@linkcode PlainWriter.append} does. Gives the bytes taken. */
  append(payload: Uint8Array, hasNewline: boolean, time: Timestamp | null): number {
    const needed = payload.length + 1;
    const chunk = this.#chunkFor(needed);
    chunk.length = copyAsLine(payload, chunk.bytes, chunk.length, hasNewline);
    chunk.lines++;
    if (time === null) chunk.hasUntimed = true;
    else {
      if (time.seconds < chunk.firstSeconds) chunk.firstSeconds = time.seconds;
      if (time.seconds > chunk.lastSeconds) chunk.lastSeconds = time.seconds;
    }
    return needed;
  }

  /** The oldest chunk, which takes no more lines from now on. It stays until {@linkcode LineChunks.shift}. */
  first(): Chunk {
    const chunk = this.#full[0] ?? this.#active!;
    if (chunk === this.#active) {
      this.#active = null;
      this.#full.push(chunk);
    }
    return chunk;
  }

  /**
   * Lets go of the oldest chunk. What is given back are its lines without the room for more: a line may have
   * come in a chunk of its own.
   */
  shift(): Chunk {
    const chunk = this.#full.shift()!;
    if (chunk.length > chunk.bytes.length / 2) return chunk;
    const bytes = chunk.bytes.slice(0, chunk.length);
    this.reuse(chunk.bytes);
    return { ...chunk, bytes };
  }

  /** Takes back memory that is no longer needed. */
  reuse(bytes: Uint8Array): void {
    if (bytes.length === SMALL_CHUNK_BYTES) this.#smallSpare = bytes;
    if (bytes.length === CHUNK_BYTES && this.#spare.length < this.#spareLimit) this.#spare.push(bytes);
  }

  #chunkFor(needed: number): Chunk {
    const active = this.#active;
    if (active !== null && active.bytes.length - active.length >= needed) return active;
    if (active !== null) this.#full.push(active);
    const isWaiting = this.#full.length > 0;
    const size = Math.max(needed, isWaiting ? CHUNK_BYTES : SMALL_CHUNK_BYTES);
    this.#active = {
      bytes: this.#takeSpare(size) ?? new Uint8Array(size),
      length: 0,
      lines: 0,
      cameElapsedMs: this.#clock.elapsed(),
      cameMs: this.#clock.now(),
      firstSeconds: Infinity,
      lastSeconds: -Infinity,
      hasUntimed: false,
    };
    return this.#active;
  }

  #takeSpare(size: number): Uint8Array | null {
    if (size === CHUNK_BYTES) return this.#spare.pop() ?? null;
    if (size !== SMALL_CHUNK_BYTES) return null;
    const spare = this.#smallSpare;
    this.#smallSpare = null;
    return spare;
  }
}
