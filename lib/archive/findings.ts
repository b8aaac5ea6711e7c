/**
 * Promises that whatever is out of order in an archive is told in the log: what was found when it was opened, what is
 * found while it is used, and which of its own tasks failed. Neither the log nor the memory grows with how often the
 * same damage is met.
 *
 * @module
 */

import type { Logger } from "../logger.ts";
import type { Finding } from "./repair/aside.ts";

/** At most so many places of damage are told of while reading; `verify` and the scrub tell of all. */
export const TOLD_LIMIT = 1000;

/** Of what is found out of order after the opening no more is remembered than this; the log has it all. */
export const FINDINGS_LIMIT = 1000;

/** What was found in an archive. */
export class Findings {
  readonly #logger: Logger;
  readonly #all: Finding[];
  /** The damage that was told already. */
  readonly #told = new Set<string>();
  #isEnding = false;

  /** Begins with what the opening found, which it logs. */
  constructor(logger: Logger, found: readonly Finding[]) {
    this.#logger = logger;
    this.#all = [...found];
    for (const finding of found) this.#log(finding);
  }

  /** What was out of order, in the order of its finding, and what was done about it. */
  get all(): readonly Finding[] {
    return this.#all;
  }

  /** Something else is out of order. */
  note(finding: Finding): void {
    this.#log(finding);
    if (this.#all.length < FINDINGS_LIMIT) this.#all.push(finding);
  }

  /** Something that is read is damaged: everyone who reads a day meets the same damage in it, and it is told once. */
  tellOnce(file: string, what: string): void {
    const key = `${file} ${what}`;
    if (this.#told.has(key) || this.#told.size >= TOLD_LIMIT) return;
    this.#told.add(key);
    this.#logger.log("error", "archive damaged", { file, what });
  }

  /** A task of the archive failed. `what` it was, as in "sealing 2026-11-22". */
  reportFailure(what: string, error: unknown): void {
    if (this.#isEnding) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#logger.log("error", "archive task failed", { what, reason });
  }

  /** The archive ends its tasks: that they fail is no news any more. */
  expectFailures(): void {
    this.#isEnding = true;
  }

  #log({ file, what, damage }: Finding): void {
    this.#logger.log(damage ? "error" : "warn", "archive repaired", { file, what });
  }
}
