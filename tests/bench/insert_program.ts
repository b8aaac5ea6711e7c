/**
 * Promises one insertion in a process of its own, so that the memory it takes is that of nothing else: `insert_program.ts TASK`,
 * with a task in JSON whose sources have the path of their index in place of the index. Prints what was inserted, how long it
 * took in milliseconds, and the most memory that the process had, in bytes.
 *
 * @module
 */

import { parseSealedIndex } from "../../lib/archive/blocks/day_index.ts";
import { insertLines, type InsertTask } from "../../lib/archive/day/insertion.ts";

/** What is asked for: the task, and the index of its one source. */
export interface ProgramTask extends Omit<InsertTask, "sources" | "before"> {
  /** The sealed gzip file. */
  gzPath: string;
  /** Its index. */
  indexPath: string;
}

/** What is printed. */
export interface ProgramResult {
  /** How many lines were inserted. */
  lines: number;
  /** How many bytes. */
  bytes: number;
  /** How long it took, in milliseconds. */
  milliseconds: number;
  /** The most memory that the process had, in bytes. */
  peakBytes: number;
}

if (import.meta.main) {
  const { gzPath, indexPath, ...task }: ProgramTask = JSON.parse(Deno.args[0]!);
  const index = parseSealedIndex(Deno.readTextFileSync(indexPath), task.day);
  const startMs = performance.now();
  const { lines, bytes } = insertLines({ ...task, sources: [{ gzPath, index }], before: index.seal });
  const milliseconds = performance.now() - startMs;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))!;
  const result: ProgramResult = { lines, bytes, milliseconds, peakBytes: Number(kilobytes) * 1024 };
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(result)}\n`));
}
