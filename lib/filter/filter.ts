/**
 * Promises one meaning of "which lines" for everything that records, reads, searches or follows: a filter says
 * the same of a line whether it sees it alone or in a block of many, scanned or parsed.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { FieldMatcher } from "./field_matcher.ts";
import { type FlyRecord, parseFlyRecord } from "../line/fly_log.ts";
import { compileGlob } from "./glob.ts";
import { foldCase, matchesAnyCase } from "./letter_case.js";
import { APP, INSTANCE, LEVEL, LineScanner, MESSAGE, REGION } from "../line/scanner.ts";
import { Needle } from "./needle.ts";
import {
  FIRST_SECOND,
  formatTimestamp,
  isBefore,
  LAST_SECOND,
  parseTimestamp,
  type Timestamp,
} from "../timestamp.ts";

/** The members of a record that are compared whole, as {@linkcode FilterSpec} calls them. */
export type FilterField = "apps" | "regions" | "instances" | "levels";

/**
 * Which lines. Values within one list are alternatives, and an empty list asks for nothing; what is asked for
 * must all hold. Values are compared in any case of letters, by `foldCase` in letter_case.js. May be used as a
 * structured clone.
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
  /** Values of `log.level`; see {@linkcode levelName}. */
  levels: string[];
  /** Values, for apps globs, that leave a line out. A line without the member has none of them, so it stays. */
  except?: Partial<Record<FilterField, string[]>>;
  /**
   * Parts of the message, all of which must be there. One without an uppercase letter is looked for in any
   * case, one with any in just its own. Empty ones ask for nothing.
   */
  texts?: string[];
  /** The same for parts none of which may be there. */
  notTexts?: string[];
  /** Whether a line without a time of its own is left out after all. */
  timedOnly?: boolean;
  /** The lines that the client may see: a line must match this as well. See `intersectFilters` in scope.ts; null for all. */
  scope?: FilterSpec | null;
}

/** Levels that are called something else besides. */
const LEVEL_NAMES: ReadonlyMap<string, string> = new Map([["err", "error"], ["warning", "warn"]]);

/**
 * What a level is compared as: in lower case, `err` as `error` and `warning` as `warn`.
 *
 * @example What programs write
 * ```ts
 * import assert from "node:assert/strict";
 * import { levelName } from "./filter.ts";
 *
 * assert.equal(levelName("WARNING"), "warn");
 * ```
 */
export function levelName(level: string): string {
  const folded = foldCase(level);
  return LEVEL_NAMES.get(folded) ?? folded;
}

/** What tells whether a value of `field` is the one that is asked for: for apps a glob. */
export function valueMatcher(field: FilterField, asked: string): (value: string) => boolean {
  return (field === "apps" ? anyGlob : field === "levels" ? anyLevel : anyOf)([asked]);
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
   * order, until it returns false. `bytes` are whole lines, no more than fit into a string.
   */
  matchingLines(bytes: Uint8Array, onLine: (start: number, end: number) => boolean | void): void;
  /** Whether a block may have a line that matches; false means that it need not be read. */
  mayMatchBlock(block: BlockContent): boolean;
}

/**
 * Compiles a filter. It holds buffers of its own, so it is used by one thread.
 *
 * @example Errors of two apps
 * ```ts
 * import assert from "node:assert/strict";
 * import { compileFilter } from "./filter.ts";
 *
 * const filter = compileFilter({ apps: ["web", "api-*"], regions: [], instances: [], levels: ["error"] });
 * const line = new TextEncoder().encode(
 *   '{"fly":{"app":{"name":"api-1"}},"log":{"level":"ERR"},"message":"timeout"}',
 * );
 * assert.ok(filter.matches(line, 0, line.length));
 * assert.ok(!filter.mayMatchBlock({ first: null, last: null, untimed: 9, apps: ["cron"] }));
 * ```
 */
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
  readonly #texts: readonly Text[];
  readonly #notTexts: readonly Text[];
  readonly #scope: Filter | null;
  /** What every line that matches has in one of its strings, if there is such a text. */
  readonly #anchor: Needle | null;
  readonly #scanner = new LineScanner();

  constructor(spec: FilterSpec) {
    this.#since = spec.since ?? null;
    this.#until = spec.until ?? null;
    this.#sinceText = this.#since === null ? "" : comparableText(this.#since);
    this.#untilText = this.#until === null ? "" : comparableText(this.#until);
    this.#timedOnly = spec.timedOnly ?? false;
    this.#app = fieldMatcher(spec, "apps", anyGlob);
    this.#region = fieldMatcher(spec, "regions", anyOf);
    this.#instance = fieldMatcher(spec, "instances", anyOf);
    this.#level = fieldMatcher(spec, "levels", anyLevel);
    this.#texts = textsOf(spec.texts);
    this.#notTexts = textsOf(spec.notTexts);
    this.#scope = spec.scope ? compileFilter(spec.scope) : null;
    this.#anchor = longestOf(this.#texts)?.needle ?? anchorOf(spec);
    this.matchesAll = (this.#scope?.matchesAll ?? true) && !this.#timedOnly && this.#since === null &&
      this.#until === null &&
      this.#app === null && this.#region === null && this.#instance === null && this.#level === null &&
      this.#texts.length === 0 && this.#notTexts.length === 0;
  }

  matches(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.matchesAll) return true;
    this.#scanner.scan(bytes, start, end);
    return this.matchesScanned(bytes, start, end, this.#scanner);
  }

  matchesScanned(bytes: Uint8Array, start: number, end: number, scanner: LineScanner): boolean {
    if (this.matchesAll) return true;
    if (this.#scope !== null && !this.#scope.matchesScanned(bytes, start, end, scanner)) return false;
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
    if (this.#texts.length === 0 && this.#notTexts.length === 0) return true;
    const { messageStart, messageEnd } = scanner;
    return this.#hasTexts(({ needle }) =>
      (escaped & MESSAGE) === 0
        ? needle.isInBytes(bytes, messageStart, messageEnd)
        : needle.isInEscaped(bytes, messageStart, messageEnd)
    );
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
    if (this.#scope !== null && !this.#scope.mayMatchBlock(block)) return false;
    if (block.untimed === 0 || this.#timedOnly) {
      if (block.first === null || block.last === null) return false;
      if (this.#since !== null && block.last < this.#sinceText) return false;
      if (this.#until !== null && block.first >= this.#untilText) return false;
    }
    const matcher = this.#app;
    // A list of apps does not tell whether there are lines without one, which stay where apps only leave out.
    if (matcher === null || matcher.absent || block.apps === null) return true;
    return block.apps.some((app) => matcher.matches(app));
  }

  #includes(time: Timestamp): boolean {
    if (this.#since !== null && isBefore(time, this.#since)) return false;
    return this.#until === null || isBefore(time, this.#until);
  }

  #matchesUnscanned(bytes: Uint8Array, start: number, end: number): boolean {
    const { record } = parseFlyRecord(bytes.subarray(start, end));
    if (record !== undefined) return this.#matchesRecord(record);
    const members = [this.#app, this.#region, this.#instance, this.#level];
    if (members.some((matcher) => matcher !== null && !matcher.absent)) return false;
    return !this.#timedOnly && this.#hasTexts(({ needle }) => needle.isInBytes(bytes, start, end));
  }

  #matchesRecord(record: FlyRecord): boolean {
    const time = record.timestamp === undefined ? null : parseTimestamp(record.timestamp);
    return (time === null ? !this.#timedOnly : this.#includes(time)) &&
      (this.#level === null || this.#level.matches(record.log?.level)) &&
      (this.#app === null || this.#app.matches(record.fly?.app?.name)) &&
      (this.#region === null || this.#region.matches(record.fly?.region)) &&
      (this.#instance === null || this.#instance.matches(record.fly?.app?.instance)) &&
      this.#hasTexts((text) => isInText(text, record.message));
  }

  #hasTexts(isThere: (text: Text) => boolean): boolean {
    return this.#texts.every(isThere) && !this.#notTexts.some(isThere);
  }
}

/** A part of a message. */
interface Text {
  needle: Needle;
  /** In lower case where the case does not matter. */
  value: string;
  anyCase: boolean;
}

function textsOf(texts: readonly string[] = []): Text[] {
  return texts.filter((text) => text !== "").map((text) => {
    const anyCase = matchesAnyCase(text);
    const value = anyCase ? foldCase(text.toWellFormed()) : text.toWellFormed();
    return { needle: new Needle(value, { anyCase }), value, anyCase };
  });
}

/** The text that is likely to be in the fewest lines. */
function longestOf(texts: readonly Text[]): Text | undefined {
  return texts.toSorted((a, b) => b.value.length - a.value.length)[0];
}

function isInText({ value, anyCase }: Text, message: string): boolean {
  return (anyCase ? foldCase(message) : message).includes(value);
}

/** A text that compares with the timestamps of an index, also for moments that none of them can be. */
function comparableText(time: Timestamp): string {
  if (time.seconds < FIRST_SECOND) return "";
  return time.seconds > LAST_SECOND ? "~" : formatTimestamp(time);
}

/** The one instance or the one app that is asked for, where every character of it stands for itself. */
function anchorOf(spec: FilterSpec): Needle | null {
  const values = spec.instances.length > 0 ? spec.instances : spec.apps;
  const [value] = values;
  if (values.length !== 1 || value === undefined || value === "" || !value.isWellFormed()) return null;
  if (spec.instances.length === 0 && /[*?]/.test(value)) return null;
  return new Needle(value, { anyCase: true, whole: true });
}

function fieldMatcher(
  spec: FilterSpec,
  field: FilterField,
  any: (values: readonly string[]) => (value: string) => boolean,
): FieldMatcher | null {
  const wanted = spec[field];
  const unwanted = spec.except?.[field] ?? [];
  if (wanted.length === 0 && unwanted.length === 0) return null;
  const isWanted = wanted.length === 0 ? () => true : any(wanted);
  const isUnwanted = any(unwanted);
  return new FieldMatcher((value) => isWanted(value) && !isUnwanted(value), wanted.length === 0);
}

function anyOf(values: readonly string[]): (value: string) => boolean {
  const wanted = new Set(values.map(foldCase));
  return (value) => wanted.has(foldCase(value));
}

function anyGlob(patterns: readonly string[]): (value: string) => boolean {
  const globs = patterns.map((pattern) => compileGlob(foldCase(pattern)));
  return (value) => {
    const folded = foldCase(value);
    return globs.some((glob) => glob.matches(folded));
  };
}

function anyLevel(levels: readonly string[]): (value: string) => boolean {
  const wanted = new Set(levels.map(levelName));
  return (value) => wanted.has(levelName(value));
}
