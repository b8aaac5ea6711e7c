/**
 * Promises that each call to a worker is answered exactly once, with its result or with an error, also when
 * the worker dies: then every call under way fails, and the next call starts a new worker.
 *
 * @module
 */

import type { Cancel, Clock } from "../clock.ts";

/** What travels to a worker. */
export interface WorkerRequest<Task> {
  /** Stands in the answer too. */
  id: number;
  /** What is to be done. */
  task: Task;
}

/** What comes back. `error` is a message; an error's class does not survive the way. */
export type WorkerAnswer<Result> = { id: number; result: Result } | { id: number; error: string };

interface Waiting<Result> {
  resolve(result: Result): void;
  reject(error: Error): void;
}

/** One worker that is started at the first call. */
export class WorkerClient<Task, Result> {
  #worker: Worker | null = null;
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting<Result>>();
  readonly #url: URL;
  readonly #name: string;
  readonly #idle: { clock: Clock; afterMs: number } | null;
  #cancelIdle: Cancel | null = null;

  /**
   * `url` is the worker's module, `name` what errors call it. With `idle`, the worker is ended when it had
   * nothing to do for `afterMs`, since each holds some 20 MB; the next call starts it again.
   */
  constructor(url: URL, name: string, idle: { clock: Clock; afterMs: number } | null = null) {
    this.#url = url;
    this.#name = name;
    this.#idle = idle;
  }

  /** How many calls are under way. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Has the worker do `task`; what is in `transfer` is handed over and not copied.
   *
   * @throws {Error} With the worker's own message, or because the worker died or was terminated.
   */
  call(task: Task, transfer: Transferable[] = []): Promise<Result> {
    this.#cancelIdle?.();
    this.#cancelIdle = null;
    const worker = this.#worker ??= this.#start();
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      worker.postMessage({ id, task } satisfies WorkerRequest<Task>, transfer); // may throw: then nobody waits
      this.#waiting.set(id, { resolve, reject });
    });
  }

  /** Ends the worker; calls under way fail. A later call starts it again. */
  terminate(): void {
    this.#end(new Error(`Cannot finish: the ${this.#name} was ended`));
  }

  #start(): Worker {
    const worker = new Worker(this.#url, { type: "module", name: this.#name });
    worker.onmessage = (event: MessageEvent<WorkerAnswer<Result>>) => {
      const answer = event.data;
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ("error" in answer) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer.result);
      if (this.#waiting.size === 0 && this.#idle !== null) this.#endWhenIdle(this.#idle);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (this.#worker !== worker) return; // its calls have failed already
      this.#end(new Error(`Cannot finish: the ${this.#name} failed: ${event.message}`));
    };
    return worker;
  }

  #endWhenIdle({ clock, afterMs }: { clock: Clock; afterMs: number }): void {
    this.#cancelIdle?.();
    this.#cancelIdle = clock.after(afterMs, () => this.terminate());
  }

  #end(reason: Error): void {
    this.#cancelIdle?.();
    this.#cancelIdle = null;
    this.#worker?.terminate();
    this.#worker = null;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(reason);
  }
}

/** The worker's side: answers each request with what `handle` returns. Its buffers in `transfer` are handed over. */
export function serveWorker<Task, Result>(
  handle: (task: Task) => Result,
  transfer: (result: Result) => Transferable[] = () => [],
): void {
  const scope = self as unknown as {
    onmessage: (event: MessageEvent<WorkerRequest<Task>>) => void;
    postMessage(answer: WorkerAnswer<Result>, transfer: Transferable[]): void;
  };
  scope.onmessage = ({ data: { id, task } }) => {
    try {
      const result = handle(task);
      scope.postMessage({ id, result }, transfer(result));
    } catch (error) {
      scope.postMessage({ id, error: error instanceof Error ? error.message : String(error) }, []);
    }
  };
}
