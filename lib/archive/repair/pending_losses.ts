/**
 * Promises that a loss which recovery has found is known until the gap ledger has it on the disk: recovery changes the
 * files that prove it, and a crash may come before the ledger is written.
 *
 * @module
 */

import { join } from "node:path";
import * as v from "valibot";
import type { Span } from "../../gaps/gap.ts";
import { parseJson } from "../../json.ts";
import { checkedLine, readCheckedLine } from "../checked_line.ts";
import { readTextIfThere, removeIfThere, writeFileWhole } from "../disk.ts";
import { LOSSES_FILE } from "../format.ts";

const time = v.pipe(v.string(), v.isoTimestamp());
const lossSchema = v.strictObject({ since: time, until: time });

/** The losses of which the ledger may not know yet. */
export class PendingLosses {
  readonly #path: string;
  readonly #spans: Span[];

  /** Those that a start before has left in `directory`. A line of them that cannot be read is passed over. */
  constructor(directory: string) {
    this.#path = join(directory, LOSSES_FILE);
    this.#spans = (readTextIfThere(this.#path) ?? "").split("\n").flatMap(readLoss);
  }

  /** The times of the lines that are lost. */
  get spans(): readonly Span[] {
    return this.#spans;
  }

  /** Adds losses and writes them down, before what proves them is changed. A full disk is no reason to lose more. */
  add(spans: readonly Span[]): void {
    this.#spans.push(...spans);
    const lines = this.#spans.map(({ sinceMs, untilMs }) =>
      checkedLine({ since: new Date(sinceMs).toISOString(), until: new Date(untilMs).toISOString() })
    );
    try {
      writeFileWhole(this.#path, lines.map((line) => line + "\n").join(""));
    } catch (error) {
      if (!(error instanceof Error) || !/os error 28/.test(error.message)) throw error;
    }
  }

  /** Forgets them: the ledger has them on the disk. */
  settle(): void {
    removeIfThere(this.#path);
    this.#spans.length = 0;
  }
}

function readLoss(line: string): Span[] {
  const { json, check } = readCheckedLine(line);
  const loss = v.safeParse(lossSchema, check === "right" ? parseJson(json) : undefined);
  if (!loss.success) return [];
  return [{ sinceMs: Date.parse(loss.output.since), untilMs: Date.parse(loss.output.until) }];
}
