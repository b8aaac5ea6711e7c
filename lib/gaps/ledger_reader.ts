/**
 * Promises what the files of a gap ledger say, whatever their size, in a memory that does not grow with it; and of
 * lines that are damaged, where they stand and which time they may have been about.
 *
 * @module
 */

import { join } from "node:path";
import { readAt } from "../archive/disk.ts";
import {
  GAP_LINE_LEAST_BYTES,
  GAP_LINE_LIMIT_BYTES,
  GAPS_FILE,
  GAPS_RESERVE_FILE,
  LINE_FEED,
} from "../archive/format.ts";
import type { Gap } from "./gap.ts";
import { type GapEntry, readGapLine } from "./ledger_line.ts";
import { GapList, isNotedLate } from "./ledger_list.ts";

/** So many damaged lines are told of one by one; more are only counted. */
const DAMAGES_LIMIT = 100;

/**
 * A gap takes two lines, and one for each time that something is found out about its healing. A ledger that has so many more
 * lines than twice its gaps is written anew when it is opened.
 */
export const REPEATS_LIMIT = 4096;

const READ_BYTES = 64 * 1024;

/** A line that cannot be read. */
export interface DamagedLine {
  /** The name of the file. */
  file: string;
  /** Counted from 1. */
  line: number;
  /** What is wrong with it. */
  fault: string;
  /** Its beginning, as far as it is text. */
  text: string;
}

/** A span of time of which a damaged line may have told that lines are missing; null for "until now". */
export interface DoubtfulSpan {
  /** In milliseconds since 1970. */
  sinceMs: number;
  /** In milliseconds since 1970. */
  untilMs: number | null;
}

/** What the files say. */
export interface FoundGaps {
  /** The gaps, in the order in which they were first noted. */
  gaps: Gap[];
  /** The largest id that was given. */
  lastId: number;
  /** The damaged lines, the first of them. */
  damages: DamagedLine[];
  /** How many damaged lines there are. */
  damagedLines: number;
  /** What they may have told of. */
  doubtful: DoubtfulSpan[];
  /** Where the last line of {@linkcode GAPS_FILE} ends, in bytes. */
  end: number;
  /** Whether that line has no end. */
  isTorn: boolean;
  /** The lines in {@linkcode GAPS_RESERVE_FILE}. */
  reserved: string;
  /** Whether the files should be written anew: with blank lines, lines without checksums, lines in the reserve, or very many lines. */
  isUntidy: boolean;
}

/** Reads the ledger in `directory`; there need not be one. Blocks until it is read. */
export function readGapFiles(directory: string): FoundGaps {
  const reader = new GapReader();
  const main = reader.read(directory, GAPS_FILE);
  const reserve = reader.read(directory, GAPS_RESERVE_FILE);
  return {
    ...reader.finish(),
    end: main.end,
    isTorn: main.isTorn,
    reserved: reserve.end === 0 ? "" : readStart(join(directory, GAPS_RESERVE_FILE), reserve.end),
    isUntidy: reader.isUntidy || main.size > main.end || main.isTorn || reserve.end > 0,
  };
}

/** What is wrong with a line, and where. */
export function describeDamage({ file, line, fault }: DamagedLine): string {
  return `Cannot read line ${line} of "${file}": ${fault}`;
}

/** What {@linkcode readGaps} found. */
export interface ReadGaps {
  /** The gaps, in the order in which they were first noted. */
  gaps: Gap[];
  /** The largest number of a gap; 0 for none. */
  lastId: number;
  /** How many lines cannot be read. */
  damagedLines: number;
  /** What is wrong with the first of them. */
  faults: string[];
}

/** Reads the gaps in `directory` without changing anything. */
export function readGaps(directory: string): ReadGaps {
  const { gaps, lastId, damagedLines, damages } = readGapFiles(directory);
  return { gaps, lastId, damagedLines, faults: damages.map(describeDamage) };
}

class GapReader {
  readonly #list = new GapList();
  readonly #damages: DamagedLine[] = [];
  readonly #doubtful: DoubtfulSpan[] = [];
  #damagedLines = 0;
  /** How many lines tell of gaps. */
  #entries = 0;
  #hasUnchecked = false;
  /** The last moment of which an intact line told. */
  #knownMs = 0;
  /** Set after a damaged line, until the next one that begins a gap: where what it told of may begin. */
  #doubtSinceMs: number | null = null;
  /** Whether an id is missing, so that the damaged line did begin a gap. */
  #isDoubtSure = false;

  /** Whether some lines have no checksums, some gaps were joined, or very many lines repeat what others say. */
  get isUntidy(): boolean {
    return this.#hasUnchecked || this.#list.isJoined || this.#entries > 2 * this.#list.size + REPEATS_LIMIT;
  }

  /** Reads one file. Returns where its last line ends, whether that has a line feed, and the file's size, in bytes. */
  read(directory: string, name: string): { end: number; isTorn: boolean; size: number } {
    using file = openIfThere(join(directory, name));
    if (file === null) return { end: 0, isTorn: false, size: 0 };
    const buffer = new Uint8Array(READ_BYTES);
    const decoder = new TextDecoder();
    let rest = "";
    let isTooLong = false;
    let line = 1;
    let size = 0;
    let end = 0;
    const take = (text: string): void => {
      if (isTooLong) this.#take(name, line, text.slice(0, GAP_LINE_LIMIT_BYTES));
      else if (text !== "") this.#take(name, line, text);
      isTooLong = false;
      line++;
    };
    for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
      let from = 0;
      if (rest === "" && !isTooLong) {
        while (from < count && buffer[from] === LINE_FEED) from++;
        line += from;
      }
      let to = count;
      while (to > from && buffer[to - 1] === LINE_FEED) to--;
      if (to > from || rest !== "" || isTooLong) {
        const lines = (rest + decoder.decode(buffer.subarray(from, count), { stream: true })).split("\n");
        rest = lines.pop()!;
        for (const text of lines) take(text);
        if (rest.length > GAP_LINE_LIMIT_BYTES) {
          isTooLong = true;
          rest = rest.slice(0, GAP_LINE_LIMIT_BYTES);
        }
      }
      // The text ends with the line feed that follows the last other byte. Those after it are room that is not used yet.
      if (to > from) end = size + to + 1;
      size += count;
    }
    rest += decoder.decode();
    if (isTooLong) take(rest);
    else if (rest !== "") this.#takeUnfinished(name, line, rest);
    return { end: Math.min(end, size), isTorn: end > size, size };
  }

  /** What was found in all files. */
  finish(): Pick<FoundGaps, "gaps" | "lastId" | "damages" | "damagedLines" | "doubtful"> {
    this.#endDoubt(null);
    const { lastId } = this.#list;
    const [damages, damagedLines, doubtful] = [this.#damages, this.#damagedLines, this.#doubtful];
    return { gaps: this.#list.gaps(), lastId, damages, damagedLines, doubtful };
  }

  #take(file: string, line: number, text: string): void {
    const fault = this.#add(text);
    if (fault === null) return;
    // Where only the line feed between two lines has changed, both are intact.
    const pair = /^(\{.*?\}).(\{"id":.*\})$/s.exec(text);
    const isMended = pair !== null && this.#addChecked(pair[1]!) && this.#addChecked(pair[2]!);
    this.#damage(file, line, isMended ? "it is two lines" : fault, text);
    const isOfZeros = /^\0*$/.test(text); // what a file that lost its power has where nothing was written yet
    if (!isMended && !isOfZeros && text.length >= GAP_LINE_LEAST_BYTES) this.#doubtSinceMs ??= this.#knownMs;
  }

  /**
   * The last line, without a line feed. The start of one was never on the disk: whoever wrote it ended then, and a later
   * gap tells of that. One with something else in place of its line feed was.
   */
  #takeUnfinished(file: string, line: number, text: string): void {
    if (this.#add(text) === null) return;
    const isMended = this.#addChecked(text.slice(0, -1));
    this.#damage(file, line, isMended ? "it does not end with a line feed" : "it has no end", text);
  }

  #addChecked(text: string): boolean {
    const entry = readGapLine(text);
    return typeof entry !== "string" && entry.isChecked && this.#add(text) === null;
  }

  /** Takes a line in; or tells why it cannot. */
  #add(text: string): string | null {
    const entry = readGapLine(text);
    if (typeof entry === "string") return entry;
    const { lastId } = this.#list;
    if (!this.#list.add(entry)) return "no line tells of the gap's beginning";
    const { id, sinceMs, untilMs } = entry;
    this.#entries++;
    if (!entry.isChecked) this.#hasUnchecked = true;
    const isNew = id > lastId;
    if (isNew) this.#lookAtDoubt(entry, id === lastId + 1);
    // A gap that is noted late, one of which something is found out later, and a part of one may be of last week: such a line does
    // not tell when the next one was written.
    const isLate = isNotedLate(entry.cause) ||
      (entry.healing !== undefined && (!isNew || isBefore(entry, this.#knownMs)));
    if (!isLate) this.#knownMs = untilMs ?? sinceMs ?? this.#knownMs;
    return null;
  }

  /** What the first line of a gap tells of the damaged one before it. Ids are given one after another. */
  #lookAtDoubt(entry: GapEntry, isNext: boolean): void {
    if (isNext && !this.#isDoubtSure) return this.#endDoubt("no gap"); // of which only the damaged line told
    const { sinceMs, cause, healing } = entry;
    const isLate = isNotedLate(cause) || (healing !== undefined && isBefore(entry, this.#doubtSinceMs));
    if (isLate) this.#isDoubtSure = true; // when it was noted is not known, so the doubt goes on
    else this.#endDoubt(sinceMs ?? null);
  }

  #damage(file: string, line: number, fault: string, text: string): void {
    this.#damagedLines++;
    if (this.#damages.length < DAMAGES_LIMIT) this.#damages.push({ file, line, fault, text });
  }

  #endDoubt(untilMs: number | null | "no gap"): void {
    const sinceMs = this.#doubtSinceMs;
    this.#doubtSinceMs = null;
    this.#isDoubtSure = false;
    if (sinceMs === null || untilMs === "no gap") return;
    const span = untilMs === null
      ? { sinceMs, untilMs }
      : { sinceMs: Math.min(sinceMs, untilMs), untilMs: Math.max(sinceMs, untilMs) };
    const last = this.#doubtful.at(-1);
    if (this.#doubtful.length < DAMAGES_LIMIT || last === undefined) this.#doubtful.push(span);
    else {
      last.sinceMs = Math.min(last.sinceMs, span.sinceMs);
      last.untilMs = last.untilMs === null || span.untilMs === null
        ? null
        : Math.max(last.untilMs, span.untilMs);
    }
  }
}

/** Whether the gap of a line begins before a moment; of no moment it does not. */
function isBefore({ sinceMs }: GapEntry, epochMs: number | null): boolean {
  return sinceMs !== undefined && epochMs !== null && sinceMs < epochMs;
}

/** The first bytes of a small file, as text that ends a line. */
function readStart(path: string, length: number): string {
  using file = Deno.openSync(path, { read: true });
  const text = new TextDecoder().decode(readAt(file, 0, Math.min(length, READ_BYTES)));
  return text.endsWith("\n") ? text : text + "\n";
}

function openIfThere(path: string): (Deno.FsFile & Disposable) | null {
  try {
    return Deno.openSync(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
