/**
 * Promises those who repair the files of a day one way to name these, and to say what they did.
 *
 * @module
 */

import { join } from "node:path";
import type { DayNumber } from "../../day.ts";
import type { Span } from "../../gaps/gap.ts";
import type { Finding } from "./aside.ts";

/** Who hears of what is lost. */
export interface LossListener {
  /** Writes losses down that can be proven only now. */
  add(spans: readonly Span[]): void;
}

/** The day that is repaired. */
export class RepairPlace {
  readonly #findings: Finding[];
  readonly #losses: LossListener;
  #hasLost = false;

  /** What is found is added to `findings`, and the times of lines that are lost to `losses`. */
  constructor(
    readonly directory: string,
    readonly day: DayNumber,
    findings: Finding[],
    losses: LossListener = { add: () => {} },
  ) {
    this.#findings = findings;
    this.#losses = losses;
  }

  /** Whether lines of the day were found to be lost, and which times they have. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  /** The path of a file. */
  path(file: string): string {
    return join(this.directory, file);
  }

  /** Says what was wrong with `file` and what became of it, in words that follow the name; see {@linkcode Finding}. */
  note(file: string, what: string, damage: boolean): void {
    this.#findings.push({ file, what, damage });
  }

  /** Lines of these times are lost. To be called before what proves it is changed. */
  lose(spans: readonly Span[]): void {
    this.#hasLost = true;
    this.#losses.add(spans);
  }
}
