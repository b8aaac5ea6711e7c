/**
 * A program that reads a gap ledger and says what it found, for a test that gives it little memory:
 *
 *     deno run -A --v8-flags=--max-old-space-size=48 tests/gaps/read_gaps_child.ts DIRECTORY
 *
 * @module
 */

import { readGaps } from "../../lib/gaps/ledger_reader.ts";

/** What it says, as JSON. */
export interface ReadGapsReport {
  /** How many gaps there are. */
  count: number;
  /** Where the first begins and the last ends, in milliseconds since 1970. */
  span: [sinceMs: number, untilMs: number | null];
  /** What is wrong with the ledger. */
  faults: string[];
}

if (import.meta.main) {
  const { gaps, faults } = readGaps(Deno.args[0]!);
  const report: ReadGapsReport = {
    count: gaps.length,
    span: [gaps[0]!.sinceMs, gaps.at(-1)!.untilMs],
    faults,
  };
  // deno-lint-ignore no-console -- the test reads it
  console.log(JSON.stringify(report));
}
