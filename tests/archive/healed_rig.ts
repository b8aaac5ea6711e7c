/**
 * Promises lines that are missing and are brought back: records that a test knows by their name and by the second of the day
 * at which they belong.
 *
 * @module
 */

import type { Archive } from "../../lib/archive/archive.ts";
import { FoundLines } from "../../lib/archive/found_lines.ts";
import type { DayNumber } from "../../lib/day.ts";
import { DAY, type TestDirectory } from "./archive_rig.ts";

const encoder = new TextEncoder();

/** A line: what it is called, and the second of its day at which it belongs. */
export interface NamedLine {
  /** Its message begins so. */
  name: string;
  /** The second. */
  second: number;
  /** Its message is so much longer, in bytes. Default: not at all. */
  padding?: number;
}

/** The record of a line. */
export function namedRecord({ name, second, padding = 0 }: NamedLine, day: DayNumber = DAY): string {
  const time = new Date((day * 86_400 + second) * 1000).toISOString();
  return `{"fly":{"app":{"name":"web"}},"message":"${name} ${"x".repeat(padding)}","timestamp":"${time}"}`;
}

/** The names of the lines in a text of {@linkcode namedRecord}s. */
export function namesIn(text: string): string[] {
  return [...text.matchAll(/"message":"(\S*) /g)].map(([, name]) => name!);
}

/** Records lines, in the order in which they are given. */
export function recordNamed(archive: Archive, lines: readonly NamedLine[], day: DayNumber = DAY): void {
  for (const line of lines) {
    const time = { seconds: day * 86_400 + line.second, nanoseconds: 0 };
    archive.append(day, encoder.encode(namedRecord(line, day)), false, time);
  }
}

/** Brings lines back. */
export async function heal(
  archive: Archive,
  directory: TestDirectory,
  lines: readonly NamedLine[],
  day: DayNumber = DAY,
): Promise<void> {
  using found = new FoundLines(directory.path, day);
  for (const line of lines.toSorted((a, b) => a.second - b.second)) {
    await found.add(encoder.encode(namedRecord(line, day)), {
      seconds: day * 86_400 + line.second,
      nanoseconds: 0,
    });
  }
  await archive.insert(found);
}
