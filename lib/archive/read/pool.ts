/**
 * Promises that readers' work is done on other threads than the recording one, in one less than
 * there are cores, and in none while nobody reads.
 *
 * @module
 */

import type { Cancel, Clock } from "../../clock.ts";
import type { SelectedLines } from "./line_selection.ts";
import type { MinuteTable } from "../../line/minute_sums.ts";
import type { BytesTask, DigestTask, ReadResult, ReadTask, SelectTask } from "./worker.ts";
import { WorkerClient } from "../worker_client.ts";

/** More workers than this help no reader: then the disk or the network is what it waits for. */
const WORKERS_LIMIT = 4;

/** On a machine with less memory than this there is one worker only, in bytes. */
const ONE_WORKER_BYTES = 300e6;

/** Workers that had nothing to do for this long are ended, since each holds some 15 MB. */
const IDLE_MS = 30_000;

/**
 * How many workers suit a machine with so much memory, in bytes, and so many cores: one core is left to the thread
 * that records, where there are two. `readWorkersFor(430e6, 4)` is 3.
 */
export function readWorkersFor(machineBytes: number, cores: number = navigator.hardwareConcurrency): number {
  return machineBytes < ONE_WORKER_BYTES ? 1 : Math.max(1, Math.min(cores - 1, WORKERS_LIMIT));
}

/** The workers that all readers share. */
export class ReadPool {
  readonly #clients: WorkerClient<ReadTask, ReadResult>[] = [];
  readonly #clock: Clock;
  /** The workers that have answered since they were started. */
  readonly #awake = new Set<WorkerClient<ReadTask, ReadResult>>();
  #cancelIdle: Cancel | null = null;
  #closed = false;

  /** No worker is started before {@linkcode run} is called. */
  constructor(clock: Clock, workers: number = navigator.hardwareConcurrency) {
    this.#clock = clock;
    for (let count = 0; count < Math.min(workers, WORKERS_LIMIT); count++) {
      this.#clients.push(new WorkerClient(new URL("./worker.ts", import.meta.url), "read worker"));
    }
  }

  /** How many workers there are at the most. */
  get size(): number {
    return this.#clients.length;
  }

  /** Whether a worker is there already; one that has to be started answers some 100 ms later. */
  get isAwake(): boolean {
    return this.#awake.size > 0;
  }

  /** Starts the workers, if they are not there, without waiting for them. */
  wake(): void {
    for (const client of this.#clients) {
      if (this.#awake.has(client) || client.waiting > 0) continue;
      this.#call(client, { kind: "wake" }, []).catch(() => {}); // the next task hears of it
    }
  }

  /**
   * Has the least busy worker do `task`. The task's bytes are handed over.
   *
   * @throws {Error} With what the worker found wrong.
   */
  async run(task: BytesTask): Promise<Uint8Array> {
    const bytes = task.kind === "inflate" ? task.bytes : task.text;
    return await this.#call(this.#leastBusy(), task, [bytes.buffer as ArrayBuffer]) as Uint8Array;
  }

  /** As {@linkcode run}, for lines. */
  async select(task: SelectTask): Promise<SelectedLines> {
    return await this.#call(this.#leastBusy(), task, [task.bytes.buffer as ArrayBuffer]) as SelectedLines;
  }

  /** As {@linkcode run}, for sums of identities. */
  async digest(task: DigestTask): Promise<MinuteTable> {
    return await this.#call(this.#leastBusy(), task, [task.bytes.buffer as ArrayBuffer]) as MinuteTable;
  }

  /** Ends the workers; reads under way fail, and so do later ones. */
  close(): void {
    this.#closed = true;
    this.#cancelIdle?.();
    this.#endWorkers();
  }

  #leastBusy(): WorkerClient<ReadTask, ReadResult> {
    return this.#clients.reduce((least, next) => next.waiting < least.waiting ? next : least);
  }

  async #call(
    client: WorkerClient<ReadTask, ReadResult>,
    task: ReadTask,
    transfer: Transferable[],
  ): Promise<ReadResult> {
    if (this.#closed) throw new Error("Cannot read: the archive is closed");
    this.#cancelIdle?.();
    this.#cancelIdle = null;
    try {
      const result = await client.call(task, transfer);
      this.#awake.add(client);
      return result;
    } finally {
      this.#endWhenIdle();
    }
  }

  #endWhenIdle(): void {
    if (this.#closed || this.#clients.some(({ waiting }) => waiting > 0)) return;
    this.#cancelIdle?.();
    this.#cancelIdle = this.#clock.after(IDLE_MS, () => this.#endWorkers());
  }

  #endWorkers(): void {
    this.#awake.clear();
    for (const client of this.#clients) client.terminate();
  }
}
