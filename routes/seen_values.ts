/**
 * Promises the values that a field has in the newest lines, from reading only a few of these.
 *
 * @module
 */

import type { LineRequest } from "../lib/archive/read/line_chunk.ts";
import { type DayRange, lastBytes } from "../lib/archive/read/plan.ts";
import { type FilterField, type FilterSpec, levelName } from "../lib/filter/filter.ts";
import { APP, INSTANCE, LEVEL, LineScanner, REGION } from "../lib/line/scanner.ts";
import type { Parts } from "./parts.ts";

/** So many of the last bytes are looked at: some 800 lines, a millisecond or two. */
const LOOK_BYTES = 256 * 1024;

/** At most so many different values are remembered. */
const VALUES_LIMIT = 500;

const NEWLINE = 0x0a;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The values of a field in the last lines of `ranges` that `filter` asks for. */
export async function findValues(
  parts: Pick<Parts, "lines">,
  filter: FilterSpec,
  ranges: readonly DayRange[],
  field: FilterField,
): Promise<string[]> {
  const request: LineRequest = {
    ranges: lastBytes(ranges, LOOK_BYTES),
    filter,
    style: "jsonl",
    events: null,
    limit: null,
  };
  const values = new Set<string>();
  const scanner = new LineScanner();
  for await (const { bytes } of parts.lines.read(request)) {
    for (let start = 0; start < bytes.length && values.size < VALUES_LIMIT;) {
      const end = bytes.indexOf(NEWLINE, start);
      const value = scanner.scan(bytes, start, end) ? valueOf(scanner, bytes, field) : null;
      if (value !== null) values.add(field === "levels" ? levelName(value) : value);
      start = end + 1;
    }
  }
  return [...values];
}

function valueOf(scanner: LineScanner, bytes: Uint8Array, field: FilterField): string | null {
  const [start, end, bit] = placeOf(scanner, field);
  if (start === -1) return null;
  const text = decoder.decode(bytes.subarray(start, end));
  return (scanner.escaped & bit) === 0 ? text : JSON.parse(`"${text}"`);
}

function placeOf(scanner: LineScanner, field: FilterField): [start: number, end: number, bit: number] {
  if (field === "apps") return [scanner.appStart, scanner.appEnd, APP];
  if (field === "regions") return [scanner.regionStart, scanner.regionEnd, REGION];
  if (field === "levels") return [scanner.levelStart, scanner.levelEnd, LEVEL];
  return [scanner.instanceStart, scanner.instanceEnd, INSTANCE];
}
