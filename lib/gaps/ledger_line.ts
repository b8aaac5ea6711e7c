/**
 * Promises one line of the gap ledger for all that is known of a gap, with a checksum of its own, and reads that
 * line back, or one of those that were written before: then a gap's end stood in a second line, without a checksum.
 *
 * A line repeats all that is known, so whatever is found out about a gap later (that it ended, that it was healed) is
 * one more line with the same id. Where something was done to heal the gap, the line has a member `healing` after `state`:
 *
 *     "healing":{"sources":[{"name":"fly","lines":412}],"at":"2026-11-22T12:15:01.000Z","until":null,"reason":null}
 *
 * A line without it, as all were before there was any healing, tells of a gap of which nothing was.
 *
 * @module
 */

import {
  type Gap,
  GAP_CAUSES,
  GAP_STATES,
  type GapCause,
  type GapHealing,
  type GapState,
  type HealingSource,
} from "./gap.ts";
import { fitHealing, HEALING_SOURCES_LIMIT } from "./healing.ts";
import { checkedLine, readCheckedLine } from "../archive/checked_line.ts";
import { parseJson } from "../json.ts";

/** What a line says. What an old line does not say is undefined. */
export interface GapEntry extends Partial<Gap> {
  /** Which gap. */
  id: number;
  /** Whether it has a checksum, which is right; an old line has none. */
  isChecked: boolean;
}

const MEMBERS = new Set(["id", "since", "until", "cause", "state", "healing"]);
const HEALING_MEMBERS = "sources at until reason";
const SOURCE_MEMBERS = "name lines";
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
 * const line = gapLine({ id: 1, sinceMs, untilMs: sinceMs + 1000, cause: "start", state: "lost", healing: null });
 * assert.equal(
 *   line,
 *   '{"id":1,"since":"2026-11-22T12:00:00.000Z","until":"2026-11-22T12:00:01.000Z",' +
 *     '"cause":"start","state":"lost","check":"03c810fe"}\n',
 * );
 * ```
 */
export function gapLine({ id, sinceMs, untilMs, cause, state, healing }: Gap): string {
  const known = {
    id,
    since: formatTime(sinceMs),
    until: untilMs === null ? null : formatTime(untilMs),
    cause,
    state,
  };
  return checkedLine(healing === null ? known : { ...known, healing: healingValue(healing) }) + "\n";
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
  if (value.healing === undefined) return entry;
  const healing = parseHealing(value.healing);
  return healing === null ? "it is no entry" : { ...entry, healing };
}

function healingValue({ sources, atMs, doneUntilMs, reason }: GapHealing): object {
  const until = doneUntilMs === null ? null : formatTime(doneUntilMs);
  return {
    sources: sources.map(({ name, lines }) => ({ name, lines })),
    at: formatTime(atMs),
    until,
    reason,
  };
}

/** What {@linkcode healingValue} wrote; null for anything else. */
function parseHealing(value: unknown): GapHealing | null {
  if (!hasMembers(value, HEALING_MEMBERS)) return null;
  const { sources, at, until, reason } = value;
  const atMs = parseTime(at);
  const doneUntilMs = until === null ? null : parseTime(until);
  if (Number.isNaN(atMs) || Number.isNaN(doneUntilMs)) return null;
  if (!Array.isArray(sources) || sources.length > HEALING_SOURCES_LIMIT || !sources.every(isSource)) {
    return null;
  }
  if (reason !== null && typeof reason !== "string") return null;
  return fitHealing({ sources, atMs, doneUntilMs, reason });
}

function isSource(value: unknown): value is HealingSource {
  if (!hasMembers(value, SOURCE_MEMBERS)) return false;
  const { name, lines } = value;
  return typeof name === "string" && Number.isSafeInteger(lines) && Number(lines) >= 0;
}

/** Whether a value is an object with these members, in this order, and no others. */
function hasMembers(value: unknown, names: string): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.keys(value).join(" ") === names;
}

function parseObject(json: string): Record<string, unknown> | null {
  const value = parseJson(json);
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : null;
}

function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function parseTime(value: unknown): number {
  return typeof value === "string" ? Date.parse(value) : NaN;
}
