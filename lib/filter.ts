/**
 * Promises one meaning of "which lines" for everything that records, reads, searches or follows: a filter says
 * the same of a line whether it sees it alone or in a block of many, scanned or parsed.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { FieldMatcher } from "./field_matcher.ts";
import { type FlyRecord, parseFlyRecord } from "./fly_log.ts";
import { compileGlob } from "./glob.ts";
import { APP, INSTANCE, LEVEL, LineScanner, MESSAGE, REGION } from "./line_scanner.ts";
import { Needle } from "./needle.ts";
import { FIRST_SECOND, formatTimestamp, LAST_SECOND, parseTimestamp, type Timestamp } from "./timestamp.ts";

/**
 * Which lines. Values within one list are alternatives, and an empty list asks for nothing; what is asked for
 * must all hold. May be used as a structured clone.
 */
export interface FilterSpec {
  /** The first moment that is in. A line without a time of its own is not left out by it. */
  since?: Timestamp | null;
  /** The first moment that is out. */
  until?: Timestamp | null;
  /** Globs for `fly.app.name`. A line without the member is none of them; so for the next three. */
  apps: string[];
  /** Values of `fly.region`. */
  regions: string[];
  /** Values of `fly.app.instance`. */
  instances: string[];
  /** Values of `log.level`, ASCII letters in either case. */
  levels: string[];
  /** A part of the message, in its case. Null, missing or empty asks for nothing. */
  text?: string | null;
  /** Whether a line without a time of its own is left out after all. */
  timedOnly?: boolean;
}

/** What of the index entry of a block tells whether it has to be read; see `BlockEntry` in archive/format.ts. */
export interface BlockContent {
  /** The smallest timestamp, as `formatTimestamp` writes it; null where no line has one. */
  first: string | null;
  /** The largest timestamp. */
  last: string | null;
  /** How many lines have none. */
  untimed: number;
  /** The apps; null for any. */
  apps: string[] | null;
}

/**
 * A compiled {@linkcode FilterSpec}. A line that is no record is damage, which a search should rather find: it
 * has no time and none of the members, and its message is its bytes.
 */
export interface Filter {
  /** Whether every line matches. */
  readonly matchesAll: boolean;
  /** Whether the line that is `bytes` from `start` to `end`, without its line feed, matches. */
  matches(bytes: Uint8Array, start: number, end: number): boolean;
  /** The same, of a line that `scanner` was used on last, whatever came of it. */
  matchesScanned(bytes: Uint8Array, start: number, end: number, scanner: LineScanner): boolean;
  /**
   * Calls `onLine` with the start and the end, without its line feed, of every line in `bytes` that matches, in
   * order, until it gives false. `bytes` are whole lines, no more than fit into a string.
   */
  matchingLines(bytes: Uint8Array, onLine: (start: number, end: number) => boolean | void): void;
  /** Whether a block may have a line that matches; false means that it need not be read. */
  mayMatchBlock(block: BlockContent): boolean;
}

/** Compiles a filter. It holds buffers of its own, so it is used by one thread. */
export function compileFilter(spec: FilterSpec): Filter {
  return new LineFilter(spec);
}

class LineFilter implements Filter {
  readonly matchesAll: boolean;
  readonly #since: Timestamp | null;
  readonly #until: Timestamp | null;
  readonly #sinceText: string;
  readonly #untilText: string;
  readonly #timedOnly: boolean;
  readonly #app: FieldMatcher | null;
  readonly #region: FieldMatcher | null;
  readonly #instance: FieldMatcher | null;
  readonly #level: FieldMatcher | null;
  readonly #text: Needle | null;
  readonly #textValue: string;
  /** What every line that matches has in one of its strings, if there is such a text. */
  readonly #anchor: Needle | null;
  readonly #scanner = new LineScanner();

  constructor(spec: FilterSpec) {
    this.#since = spec.since ?? null;
    this.#until = spec.until ?? null;
    this.#sinceText = this.#since === null ? "" : comparableText(this.#since);
    this.#untilText = this.#until === null ? "" : comparableText(this.#until);
    this.#timedOnly = spec.timedOnly ?? false;
    this.#app = spec.apps.length === 0 ? null : new FieldMatcher(anyGlob(spec.apps));
    this.#region = spec.regions.length === 0 ? null : new FieldMatcher(anyOf(spec.regions));
    this.#instance = spec.instances.length === 0 ? null : new FieldMatcher(anyOf(spec.instances));
    this.#level = spec.levels.length === 0 ? null : new FieldMatcher(anyLevel(spec.levels));
    this.#textValue = (spec.text ?? "").toWellFormed();
    this.#text = this.#textValue === "" ? null : new Needle(this.#textValue);
    this.#anchor = this.#text ?? anchorOf(spec);
    this.matchesAll = !this.#timedOnly && this.#since === null && this.#until === null &&
      this.#app === null &&
      this.#region === null && this.#instance === null && this.#level === null && this.#text === null;
  }

  matches(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.matchesAll) return true;
    this.#scanner.scan(bytes, start, end);
    return this.matchesScanned(bytes, start, end, this.#scanner);
  }

  matchesScanned(bytes: Uint8Array, start: number, end: number, scanner: LineScanner): boolean {
    if (this.matchesAll) return true;
    if (!scanner.recognized) return this.#matchesUnscanned(bytes, start, end);
    const { escaped } = scanner;
    if (scanner.timed ? !this.#includes(scanner) : this.#timedOnly) return false;
    if (this.#level !== null) {
      if (!this.#level.matchesBytes(bytes, scanner.levelStart, scanner.levelEnd, (escaped & LEVEL) !== 0)) {
        return false;
      }
    }
    if (this.#app !== null) {
      if (!this.#app.matchesBytes(bytes, scanner.appStart, scanner.appEnd, (escaped & APP) !== 0)) {
        return false;
      }
    }
    if (this.#region !== null) {
      if (
        !this.#region.matchesBytes(bytes, scanner.regionStart, scanner.regionEnd, (escaped & REGION) !== 0)
      ) {
        return false;
      }
    }
    if (this.#instance !== null) {
      const { instanceStart, instanceEnd } = scanner;
      if (!this.#instance.matchesBytes(bytes, instanceStart, instanceEnd, (escaped & INSTANCE) !== 0)) {
        return false;
      }
    }
    if (this.#text === null) return true;
    return (escaped & MESSAGE) === 0
      ? this.#text.isInBytes(bytes, scanner.messageStart, scanner.messageEnd)
      : this.#text.isInEscaped(bytes, scanner.messageStart, scanner.messageEnd);
  }

  matchingLines(bytes: Uint8Array, onLine: (start: number, end: number) => boolean | void): void {
    // Searching in a string of one character a byte is native code; searching in bytes is ten times slower.
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    const onCandidate = (start: number, end: number) =>
      !this.matches(bytes, start, end) || onLine(start, end) !== false;
    if (this.#anchor !== null) return this.#anchor.forEachCandidate(text, onCandidate);
    for (let start = 0; start < text.length;) {
      const newline = text.indexOf("\n", start);
      const end = newline === -1 ? text.length : newline;
      if (!onCandidate(start, end)) return;
      start = end + 1;
    }
  }

  mayMatchBlock(block: BlockContent): boolean {
    if (block.untimed === 0 || this.#timedOnly) {
      if (block.first === null || block.last === null) return false;
      if (this.#since !== null && block.last < this.#sinceText) return false;
      if (this.#until !== null && block.first >= this.#untilText) return false;
    }
    const matcher = this.#app;
    return matcher === null || block.apps === null || block.apps.some((app) => matcher.matches(app));
  }

  #includes(time: Timestamp): boolean {
    const { seconds, nanoseconds } = time;
    if (this.#since !== null && isBefore(seconds, nanoseconds, this.#since)) return false;
    return this.#until === null || isBefore(seconds, nanoseconds, this.#until);
  }

  #matchesUnscanned(bytes: Uint8Array, start: number, end: number): boolean {
    const { record } = parseFlyRecord(bytes.subarray(start, end));
    if (record !== undefined) return this.#matchesRecord(record);
    if (this.#app !== null || this.#region !== null || this.#instance !== null || this.#level !== null) {
      return false;
    }
    if (this.#timedOnly) return false;
    return this.#text === null || this.#text.isInBytes(bytes, start, end);
  }

  #matchesRecord(record: FlyRecord): boolean {
    const time = record.timestamp === undefined ? null : parseTimestamp(record.timestamp);
    return (time === null ? !this.#timedOnly : this.#includes(time)) &&
      holds(this.#level, record.log?.level) &&
      holds(this.#app, record.fly?.app?.name) &&
      holds(this.#region, record.fly?.region) &&
      holds(this.#instance, record.fly?.app?.instance) &&
      record.message.includes(this.#textValue);
  }
}

function holds(matcher: FieldMatcher | null, value: string | undefined): boolean {
  return matcher === null || (value !== undefined && matcher.matches(value));
}

function isBefore(seconds: number, nanoseconds: number, limit: Timestamp): boolean {
  return seconds < limit.seconds || (seconds === limit.seconds && nanoseconds < limit.nanoseconds);
}

/** A text that compares with the timestamps of an index, also for moments that none of them can be. */
function comparableText(time: Timestamp): string {
  if (time.seconds < FIRST_SECOND) return "";
  return time.seconds > LAST_SECOND ? "~" : formatTimestamp(time);
}

/** The one instance or the one app that is asked for, where every character of it stands for itself. */
function anchorOf(spec: FilterSpec): Needle | null {
  const values = spec.instances.length > 0 ? spec.instances : spec.apps.filter((glob) => !/[*?]/.test(glob));
  const others = spec.instances.length > 0 ? spec.instances : spec.apps;
  const [value] = values;
  if (others.length !== 1 || value === undefined || value === "" || !value.isWellFormed()) return null;
  return new Needle(value);
}

function anyOf(values: string[]): (value: string) => boolean {
  const wanted = new Set(values);
  return (value) => wanted.has(value);
}

function anyGlob(patterns: string[]): (value: string) => boolean {
  const globs = patterns.map(compileGlob);
  return (value) => globs.some((glob) => glob.matches(value));
}

function anyLevel(levels: string[]): (value: string) => boolean {
  const wanted = new Set(levels.map(lowerAscii));
  return (value) => wanted.has(lowerAscii(value));
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
