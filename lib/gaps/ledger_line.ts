/**
 * Promises one line of the gap ledger for all that is known of a gap, with a checksum of its own, and reads that
 * line back, or one of those that were written before: then a gap's end stood in a second line, without a checksum.
 *
 * @module
 */

import { type Gap, GAP_CAUSES, GAP_STATES, type GapCause, type GapState } from "./gap.ts";
import { checkedLine, readCheckedLine } from "../archive/checked_line.ts";

/** A gap with the number that it keeps for ever. */
export interface KnownGap extends Gap {
  /** From 1 on; a later gap has a larger one. */
  id: number;
}

/** What a line says. What an old line does not say is undefined. */
export interface GapEntry {
  /** Which gap. */
  id: number;
  /** See {@linkcode Gap.sinceMs}. */
  sinceMs?: number;
  /** See {@linkcode Gap.untilMs}. */
  untilMs?: number | null;
  /** See {@linkcode Gap.cause}. */
  cause?: GapCause;
  /** See {@linkcode Gap.state}. */
  state?: GapState;
  /** Whether a checksum vouches for it. */
  isChecked: boolean;
}

const MEMBERS = new Set(["id", "since", "until", "cause", "state"]);
const CAUSES: ReadonlySet<unknown> = new Set(GAP_CAUSES);
const STATES: ReadonlySet<unknown> = new Set(GAP_STATES);

/** The line of a gap, with its line feed. */
export function gapLine({ id, sinceMs, untilMs, cause, state }: KnownGap): string {
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
  try {
    const value = JSON.parse(json);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}

function parseTime(value: unknown): number {
  return typeof value === "string" ? Date.parse(value) : NaN;
}
