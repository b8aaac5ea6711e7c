/**
 * Promises one line of the gap ledger for all that is known of a gap, with a checksum of its own, and reads that
 * line back, or one of those that were written before: then a gap's end stood in a second line, without a checksum.
 *
 * A line repeats all that is known, so whatever is found out about a gap later (that it ended, that it was healed) is
 * one more line with the same id. What is to be remembered of the healing itself is a further member of the line, after
 * `state`: it is added to {@linkcode Gap}, to {@linkcode gapLine} and to {@linkcode readGapLine}, and nowhere else, since
 * everybody else passes a gap on whole. Lines without it stay readable.
 *
 * @module
 */

import { type Gap, GAP_CAUSES, GAP_STATES, type GapCause, type GapState } from "./gap.ts";
import { checkedLine, readCheckedLine } from "../archive/checked_line.ts";
import { parseJson } from "../json.ts";

/** What a line says. What an old line does not say is undefined. */
export interface GapEntry extends Partial<Gap> {
  /** Which gap. */
  id: number;
  /** Whether it has a checksum, which is right; an old line has none. */
  isChecked: boolean;
}

const MEMBERS = new Set(["id", "since", "until", "cause", "state"]);
const CAUSES: ReadonlySet<unknown> = new Set(GAP_CAUSES);
const STATES: ReadonlySet<unknown> = new Set(GAP_STATES);

/**
 * The line of a gap, with its line feed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const sinceMs = Date.parse("2026-11-22T12:00:00Z");
 * const line = gapLine({ id: 1, sinceMs, untilMs: sinceMs + 1000, cause: "start", state: "lost" });
 * assert.equal(
 *   line,
 *   '{"id":1,"since":"2026-11-22T12:00:00.000Z","until":"2026-11-22T12:00:01.000Z",' +
 *     '"cause":"start","state":"lost","check":"03c810fe"}\n',
 * );
 * ```
 */
export function gapLine({ id, sinceMs, untilMs, cause, state }: Gap): string {
  const until = untilMs === null ? null : new Date(untilMs).toISOString();
  return checkedLine({ id, since: new Date(sinceMs).toISOString(), until, cause, state }) + "\n";
}

/** Reads a line, without its line feed; or says why it is none. By hand, since a ledger can have very many. */
export function readGapLine(line: string): GapEntry | string {
  const { json, check } = readCheckedLine(line);
  if (check === "wrong") return "its checksum is wrong";
  const value = parseObject(json);
  if (value === null || !Object.keys(value).every((name) => MEMBERS.has(name))) return "it is no entry";
  const { id, since, until, cause, state } = value;
  const entry: GapEntry = { id: Number(id), isChecked: check === "right" };
  if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 1) return "it is no entry";
  if (since !== undefined) entry.sinceMs = parseTime(since);
  if (until !== undefined) entry.untilMs = until === null ? null : parseTime(until);
  if (Number.isNaN(entry.sinceMs) || Number.isNaN(entry.untilMs)) return "it is no entry";
  if (cause !== undefined && !CAUSES.has(cause)) return "it is no entry";
  if (state !== undefined && !STATES.has(state)) return "it is no entry";
  entry.cause = cause as GapCause | undefined;
  entry.state = state as GapState | undefined;
  return entry;
}

function parseObject(json: string): Record<string, unknown> | null {
  const value = parseJson(json);
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : null;
}

function parseTime(value: unknown): number {
  return typeof value === "string" ? Date.parse(value) : NaN;
}
