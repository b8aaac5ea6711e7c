/**
 * Promises those who repair the files of a day one way to name these, and to say what they did.
 *
 * @module
 */

import { join } from "node:path";
import type { DayNumber } from "../../day.ts";
import type { Finding } from "./aside.ts";

/** The day that is repaired. */
export class RepairPlace {
  readonly #findings: Finding[];

  /** What is found is added to `findings`. */
  constructor(readonly directory: string, readonly day: DayNumber, findings: Finding[]) {
    this.#findings = findings;
  }

  /** The path of a file. */
  path(file: string): string {
    return join(this.directory, file);
  }

  /** Says what was wrong with `file` and what became of it, in words that follow the name; see {@linkcode Finding}. */
  note(file: string, what: string, damage: boolean): void {
    this.#findings.push({ file, what, damage });
  }
}
