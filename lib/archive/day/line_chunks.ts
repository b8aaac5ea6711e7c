/**
 * Promises that lines that wait for the disk take little memory, and that it is known how many wait, since when,
 * and what time they are of.
 *
 * While the disk stalls, what waits is deflated: of lines such as Fly's at least five times as many fit, so that a
 * stall is bridged that is five times as long.
 *
 * @module
 */

import * as zlib from "node:zlib";
import { copyAsLine } from "../../line/fly_log.ts";
import { freeBuffer } from "../../machine/spent_buffers.ts";
import type { Timestamp } from "../../timestamp.ts";
import { HELD_AFTER_MS } from "./held.ts";

/** The first chunk where nothing is waiting, and every chunk where something is, in bytes. */
const SMALL_CHUNK_BYTES = 64 * 1024;

/** See {@linkcode SMALL_CHUNK_BYTES}. */
export const CHUNK_BYTES: number = 1024 * 1024;

/** The fastest level, at which 20 MB of lines a second cost about a twentieth of the time. */
const DEFLATE_LEVEL = 1;

/** A chunk that deflates to more than this share of its bytes stays as it is. */
const DEFLATE_WORTH = 0.75;

/** Some lines, one after another. */
export interface Chunk {
  /** The lines, and after {@linkcode Chunk.length} bytes of them room for more; or the lines deflated. */
  bytes: Uint8Array;
  /** Whether they are deflated. */
  isDeflated: boolean;
  /** How many bytes the lines take when they are not deflated. */
  length: number;
  /** How many bytes are counted for it: those of the lines, deflated or not. */
  heldBytes: number;
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

  /**
   * Takes a line, as {@linkcode PlainWriter.append} does. Returns by how many bytes that is held grew, which is
   * less than nothing where lines before it were deflated.
   */
  append(payload: Uint8Array, hasNewline: boolean, time: Timestamp | null): number {
    const needed = payload.length + 1;
    const active = this.#active;
    const isFull = active !== null && active.bytes.length - active.length < needed;
    const savedBytes = isFull ? this.#fill(active) : 0;
    const chunk = this.#active ?? this.#begin(needed);
    chunk.length = copyAsLine(payload, chunk.bytes, chunk.length, hasNewline);
    chunk.heldBytes = chunk.length;
    chunk.lines++;
    if (time === null) chunk.hasUntimed = true;
    else {
      if (time.seconds < chunk.firstSeconds) chunk.firstSeconds = time.seconds;
      if (time.seconds > chunk.lastSeconds) chunk.lastSeconds = time.seconds;
    }
    return needed - savedBytes;
  }

  /**
   * The oldest chunk, which takes no more lines from now on and is not deflated. It stays until
   * {@linkcode LineChunks.shift}.
   *
   * @throws {Error} If its lines were changed in memory.
   */
  first(): Readonly<Chunk> {
    const chunk = this.#full[0] ?? this.#active!;
    if (chunk === this.#active) {
      this.#active = null;
      this.#full.push(chunk);
    }
    if (chunk.isDeflated) this.#inflate(chunk);
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
    else if (bytes.length === CHUNK_BYTES && this.#spare.length < this.#spareLimit) this.#spare.push(bytes);
    else freeBuffer(bytes);
  }

  /** Lets the active chunk take no more lines; returns how many bytes less are held for it. */
  #fill(active: Chunk): number {
    const { oldest } = this;
    this.#active = null;
    this.#full.push(active);
    // The oldest chunk stays as it is: it is being written.
    const isStalled = active !== oldest && this.#clock.elapsed() - oldest!.cameElapsedMs > HELD_AFTER_MS;
    if (!isStalled) return 0;
    const lines = active.bytes.subarray(0, active.length);
    const deflated = zlib.deflateRawSync(lines, { level: DEFLATE_LEVEL });
    if (deflated.length > active.length * DEFLATE_WORTH) return 0;
    this.reuse(active.bytes);
    active.bytes = deflated;
    active.isDeflated = true;
    active.heldBytes = deflated.length;
    return active.length - deflated.length;
  }

  /** Puts the lines of a chunk back as they were, in a piece of memory that is used again if there is one. */
  #inflate(chunk: Chunk): void {
    const lines = zlib.inflateRawSync(chunk.bytes, { maxOutputLength: chunk.length });
    if (lines.length !== chunk.length) {
      throw new Error(`Cannot inflate lines: ${lines.length} bytes of ${chunk.length} came out`);
    }
    const size = Math.max(chunk.length, CHUNK_BYTES);
    const bytes = this.#takeSpare(size) ?? new Uint8Array(size);
    bytes.set(lines);
    freeBuffer(lines);
    freeBuffer(chunk.bytes);
    chunk.bytes = bytes;
    chunk.isDeflated = false;
  }

  /** Makes a chunk that has room for a line of `needed` bytes. */
  #begin(needed: number): Chunk {
    const isWaiting = this.#full.length > 0;
    const size = Math.max(needed, isWaiting ? CHUNK_BYTES : SMALL_CHUNK_BYTES);
    this.#active = {
      bytes: this.#takeSpare(size) ?? new Uint8Array(size),
      isDeflated: false,
      length: 0,
      heldBytes: 0,
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
