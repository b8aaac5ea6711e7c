/**
 * Promises that readers' work is done on other threads than the recording one, in as many as there are cores
 * and in none while nobody reads.
 *
 * @module
 */

import type { Cancel, Clock } from "../clock.ts";
import type { ReadTask } from "./read_worker.ts";
import { WorkerClient } from "./worker_client.ts";

/** More workers than this help no reader: then the disk or the network is what it waits for. */
const WORKERS_LIMIT = 4;

/** Workers that had nothing to do for this long are ended, since each holds some 15 MB. */
const IDLE_MS = 30_000;

/** The workers of all readers. */
export class ReadPool {
  readonly #clients: WorkerClient<ReadTask, Uint8Array>[] = [];
  readonly #clock: Clock;
  #cancelIdle: Cancel | null = null;
  #closed = false;

  /** No worker is started before {@linkcode run} is called. */
  constructor(clock: Clock, cores: number = navigator.hardwareConcurrency) {
    this.#clock = clock;
    for (let count = 0; count < Math.min(cores, WORKERS_LIMIT); count++) {
      this.#clients.push(new WorkerClient(new URL("./read_worker.ts", import.meta.url), "read worker"));
    }
  }

  /** How many workers there are at the most. */
  get size(): number {
    return this.#clients.length;
  }

  /**
   * Has the least busy worker do `task`. The task's bytes are handed over.
   *
   * @throws {Error} With what the worker found wrong, or because the pool is closed.
   */
  async run(task: ReadTask): Promise<Uint8Array> {
    if (this.#closed) throw new Error("Cannot read: the archive is closed");
    this.#cancelIdle?.();
    this.#cancelIdle = null;
    const client = this.#clients.reduce((least, next) => next.waiting < least.waiting ? next : least);
    const { buffer } = task.kind === "inflate" ? task.bytes : task.text;
    try {
      return await client.call(task, [buffer as ArrayBuffer]);
    } finally {
      this.#endWhenIdle();
    }
  }

  /** Ends the workers for good; reads under way fail, and later ones. */
  close(): void {
    this.#closed = true;
    this.#cancelIdle?.();
    this.#endWorkers();
  }

  #endWhenIdle(): void {
    if (this.#closed || this.#clients.some(({ waiting }) => waiting > 0)) return;
    this.#cancelIdle?.();
    this.#cancelIdle = this.#clock.after(IDLE_MS, () => this.#endWorkers());
  }

  #endWorkers(): void {
    for (const client of this.#clients) client.terminate();
  }
}
