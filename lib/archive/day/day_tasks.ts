/**
 * Promises that the tasks that change the derived files of a day (gzip blocks, indexes, the sealed file) run one after
 * another, and that none of those that fail keeps the next from running.
 *
 * @module
 */

/** The tasks of a day. */
export class DayTasks {
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** Whether the day is closed: a task that begins now does nothing but what has to be done for that. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Runs `task` when those before it are over, whatever became of them; returns what it returns. */
  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(task, task);
    this.#last = result;
    return result;
  }

  /** Tells the tasks that the day is closed. */
  close(): void {
    this.#closed = true;
  }

  /** Waits until no task is under way. */
  async ended(): Promise<void> {
    await this.#last.catch(() => {}); // whoever asked for the task hears of its failure
  }
}
