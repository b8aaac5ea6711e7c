/**
 * Promises that what is gathered before it is sent is in memory only while there is room for it: when there is not,
 * it is forgotten, and has to be read again.
 *
 * @module
 */

import type { MemoryHold } from "../../machine/memory_budget.ts";
import { freeBuffer } from "../../machine/spent_buffers.ts";

/** So much belongs to the place that a reader has anyway, in bytes. */
export const OWN_KEPT_BYTES = 512 * 1024;

/** Chunks, and the room that they take. To be disposed of when they are sent. */
export class KeptChunks<Chunk extends { bytes: Uint8Array }> implements Disposable {
  /** The chunks; null once there was no room for one. */
  chunks: Chunk[] | null = [];
  #size = 0;
  readonly #limitBytes: number;
  readonly #tryKeep: (bytes: number) => MemoryHold | null;
  readonly #holds: MemoryHold[] = [];

  /** `tryKeep` returns room beyond {@linkcode OWN_KEPT_BYTES}; never more than `limitBytes` are kept. */
  constructor(tryKeep: (bytes: number) => MemoryHold | null, limitBytes: number) {
    this.#tryKeep = tryKeep;
    this.#limitBytes = limitBytes;
  }

  /** Keeps a chunk, or gives up it and all before it. */
  add(chunk: Chunk): void {
    if (this.chunks !== null && this.#hasRoom(chunk.bytes.length)) {
      this.chunks.push(chunk);
      return;
    }
    freeBuffer(chunk.bytes);
    for (const { bytes } of this.chunks ?? []) freeBuffer(bytes);
    this.chunks = null;
    this[Symbol.dispose]();
  }

  #hasRoom(bytes: number): boolean {
    this.#size += bytes;
    if (this.#size <= OWN_KEPT_BYTES) return true;
    if (this.#size > this.#limitBytes) return false;
    const hold = this.#tryKeep(bytes);
    if (hold !== null) this.#holds.push(hold);
    return hold !== null;
  }

  /** Gives the room back. */
  [Symbol.dispose](): void {
    for (const hold of this.#holds.splice(0)) hold[Symbol.dispose]();
  }
}
