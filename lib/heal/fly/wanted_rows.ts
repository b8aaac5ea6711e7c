/**
 * Promises that what would not have been recorded is not brought back either: neither asked for nor inserted, and not held
 * against a source.
 *
 * @module
 */

import { LineRules, type LineRulesSpec } from "../../filter/rules.ts";
import { subjectMatches } from "../../filter/subject.ts";
import type { FlyLogRow } from "./fly_log_page.ts";
import type { OwnLine } from "./own_lines.ts";

/** What is recorded. */
export interface WantedRowsSpec extends LineRulesSpec {
  /** The subject that is subscribed to. */
  subject: string;
}

/** Decides which rows of Fly's logs API are lines that are recorded here. */
export class WantedRows {
  readonly #rules: LineRules;
  readonly #subject: string;

  /** Compiles the rules. */
  constructor(spec: WantedRowsSpec) {
    this.#rules = new LineRules(spec);
    this.#subject = spec.subject;
  }

  /** Whether lines of an app may be recorded here. */
  mayHave(app: string): boolean {
    return !this.#rules.leavesOutApp(app) && subjectMatches(this.#subject, ["logs", app, null, null], true);
  }

  /** Whether a row of `app` is a line that is recorded here; null if it does not say that of itself by which the subject chooses. */
  wants(app: string, row: Pick<FlyLogRow, "message" | "region" | "instance">): boolean | null {
    const { message, region, instance } = row;
    if (this.#rules.leavesOutParsed({ message, fly: { app: { name: app } } }, { subject: "" })) return false;
    const tokens = ["logs", app, region, instance];
    if (subjectMatches(this.#subject, tokens)) return true;
    return subjectMatches(this.#subject, tokens, true) ? null : false;
  }

  /** Whether a line that is here would not be recorded any more. */
  leavesOut({ bytes, scanner, record }: Pick<OwnLine, "bytes" | "scanner" | "record">): boolean {
    const message = { subject: "" };
    return record === null
      ? this.#rules.leavesOut(bytes, scanner, message)
      : this.#rules.leavesOutParsed(record, message);
  }
}
