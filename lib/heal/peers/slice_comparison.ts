/**
 * Promises which lines of a slice of time another recorder has and this one has not, each as often as it is missing, while no more
 * than a bounded part of them is in memory.
 *
 * Ours are read first, and only their identities are kept. Theirs come one by one; each takes one of ours out that is the same
 * (multiset.ts), and only what finds none is kept. If one side has lines that Fly's logs API knows only in part, what is left on
 * both sides is compared once more, as far as both know (coarse_lines.ts). The rest of theirs is missing here.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { DayNumber } from "../../day.ts";
import type { Identity } from "../../line/identity.ts";
import { MinuteSums, type MinuteTable } from "../../line/minute_sums.ts";
import { Multiset } from "../../line/multiset.ts";
import type { LineRules } from "../../filter/rules.ts";
import { compareTimestamps, type Timestamp, timestampMs } from "../../timestamp.ts";
import { CoarseLines, knowledgeOf, type KnownLine } from "./coarse_lines.ts";
import type { OwnDays } from "./own_days.ts";
import type { Peer } from "./peer.ts";
import { HeldText } from "../held_text.ts";
import { LineSight } from "./seen_line.ts";
import type { TimeSlice } from "./time_slices.ts";

/** In a slice so many lines of either side are compared at once; one with more is parted. */
export const COMPARED_LINES_LIMIT = 60_000;

/** So many bytes of lines that are missing are held at once; a slice with more is parted. */
export const HELD_BYTES_LIMIT: number = 16 * 1024 * 1024;

/** After so many lines whoever else has something to do gets a turn: two milliseconds. */
const TURN_LINES = 200;

/** What a held line takes besides its bytes, about: the views and strings that stand for it. */
const HELD_LINE_BYTES = 300;

/** A line that is missing here. */
export interface MissingLine {
  /** The line without its line feed. */
  bytes: Uint8Array;
  /** Its identity. */
  key: Identity;
  /** Its own timestamp. */
  time: Timestamp;
}

/** Lines of theirs that were not looked at further. */
export interface Drops {
  /** Their times are not within what was asked for. */
  outside: number;
  /** They are no lines that an archive has, or none that another recorder wants; see seen_line.ts. */
  unusable: number;
  /** They are too long. */
  tooLong: number;
}

/** What is compared. */
export interface SliceRequest {
  /** Who has theirs. */
  peer: Peer;
  /** Reads ours. */
  own: OwnDays;
  /** Of which day. */
  day: DayNumber;
  /** Of which time. */
  slice: TimeSlice;
  /** More lines than these are not taken from the peer. */
  linesLimit: number;
  /** Which lines are left out here. */
  rules: LineRules;
  /** Whether {@linkcode SliceComparison.keys} are wanted. */
  withKeys: boolean;
}

/** What came of it. Lines without an identity do not count in it. */
export interface SliceComparison {
  /** How many lines are here. */
  ours: number;
  /** How many of theirs are wanted here. */
  theirs: number;
  /** How many of these are here. */
  matched: number;
  /** The others, in order of time. */
  missing: MissingLine[];
  /** What they sent, unwanted lines too. */
  sent: MinuteTable;
  /** How many of theirs are records without a time. They are of the whole day. */
  untimed: number;
  /** What was not looked at. */
  drops: Drops;
  /** The identities of both sides, where a line of theirs that is one of ours has that one's; null if not wanted. */
  keys: { ours: Identity[]; theirs: Identity[] } | null;
}

interface HeldLine extends MissingLine, KnownLine {}

/**
 * Compares a slice. Returns null if it is too large; then its halves are to be compared.
 *
 * @throws {PeerError} If not all of theirs come.
 * @throws {Error} As {@linkcode OwnDays.lines}; the reason of `signal`, if it aborts.
 */
export async function compareSlice(
  request: SliceRequest,
  signal: AbortSignal,
): Promise<SliceComparison | null> {
  const ours = await readOurs(request, signal);
  if (ours === null) return null;
  const found = await readTheirs(request, ours, signal);
  if (found === null) return null;
  const { held, comparison } = found;
  const mayAgree = held.length > 0 && (ours.lacking || held.some(({ form }) => form !== null));
  const missing = mayAgree ? await leaveOutCoarse(request, ours.keys, found, signal) : held;
  missing.sort((a, b) => compareTimestamps(a.time, b.time));
  comparison.keys?.theirs.push(...missing.map(({ key }) => key));
  return { ...comparison, missing, matched: comparison.theirs - missing.length };
}

interface Ours {
  /** Their identities; of the end those that theirs do not have. */
  keys: Multiset;
  /** How many there were. */
  lines: number;
  /** Whether some of them lack something that Fly's logs API does not tell. */
  lacking: boolean;
  /** The identities once more, if they are wanted. */
  list: Identity[] | null;
}

async function readOurs(
  { own, day, slice, withKeys }: SliceRequest,
  signal: AbortSignal,
): Promise<Ours | null> {
  const sight = new LineSight(null);
  const ours: Ours = { keys: new Multiset(), lines: 0, lacking: false, list: withKeys ? [] : null };
  for await (const line of own.lines(day, slice, signal)) {
    const seen = sight.see(line, 0, line.length);
    if (seen.kind !== "record") continue;
    if (++ours.lines > COMPARED_LINES_LIMIT) return null;
    ours.keys.add(seen.key);
    ours.list?.push(seen.key);
    if (seen.form !== null) ours.lacking = true;
  }
  return ours;
}

interface Theirs {
  /** Those that are none of ours by their full identity. */
  held: HeldLine[];
  comparison: Omit<SliceComparison, "missing" | "matched">;
}

async function readTheirs(request: SliceRequest, ours: Ours, signal: AbortSignal): Promise<Theirs | null> {
  const { peer, day, slice, linesLimit, rules } = request;
  const all = new LineSight(null);
  const wanted = new LineSight(rules);
  const sums = new MinuteSums(day);
  const drops: Drops = { outside: 0, unusable: 0, tooLong: 0 };
  const keys = ours.list && { ours: ours.list, theirs: [] as Identity[] };
  const held: HeldLine[] = [];
  const text = new HeldText();
  let [theirs, untimed, heldBytes, lines] = [0, 0, 0, 0];
  const onTooLong = () => void drops.tooLong++;
  for await (const line of peer.lines({ day, span: slice, linesLimit, onTooLong }, signal)) {
    let seen = wanted.see(line, 0, line.length);
    const isWanted = seen.kind !== "unwanted";
    if (!isWanted) seen = all.see(line, 0, line.length);
    if (seen.kind === "untimed") untimed += isWanted ? 1 : 0;
    if (seen.kind === "other") drops.unusable++;
    if (seen.kind !== "record") continue;
    const { key, time, form } = seen;
    if (!isWithin(time, slice)) {
      drops.outside++;
      continue;
    }
    if (++lines > COMPARED_LINES_LIMIT) return null;
    sums.add(time.seconds, key);
    if (!isWanted) continue;
    theirs++;
    if (ours.keys.take(key)) {
      keys?.theirs.push(key);
      continue;
    }
    heldBytes += line.length + HELD_LINE_BYTES;
    if (heldBytes > HELD_BYTES_LIMIT) return null;
    held.push({ bytes: text.add(line), key, time, form });
  }
  return { held, comparison: { ours: ours.lines, theirs, sent: sums.table(), untimed, drops, keys } };
}

/** Returns those of the held lines that are none of ours that are left either, as far as both are known. */
async function leaveOutCoarse(
  { own, day, slice }: SliceRequest,
  left: Multiset,
  { held, comparison }: Theirs,
  signal: AbortSignal,
): Promise<HeldLine[]> {
  const sight = new LineSight(null);
  const coarse = new CoarseLines();
  for await (const bytes of own.lines(day, slice, signal)) {
    const seen = sight.see(bytes, 0, bytes.length);
    if (seen.kind === "record" && left.take(seen.key)) coarse.add({ bytes, ...seen });
  }
  const missing: HeldLine[] = [];
  const byKnowledge = held.toSorted((a, b) => knowledgeOf(b.form) - knowledgeOf(a.form));
  for (const [index, line] of byKnowledge.entries()) {
    const key = coarse.take(line);
    if (key === null) missing.push(line);
    else comparison.keys?.theirs.push(key);
    if (index % TURN_LINES !== 0) continue;
    await nextTurn();
    signal.throwIfAborted();
  }
  return missing;
}

function isWithin(time: Timestamp, { sinceMs, untilMs }: TimeSlice): boolean {
  const ms = timestampMs(time);
  return ms >= sinceMs && ms < untilMs;
}
