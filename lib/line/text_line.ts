/**
 * Promises that a record as text is one line, which a terminal shows as it is and does nothing else with.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { levelName } from "../filter/filter.ts";
import { type FlyRecord, parseFlyRecord } from "./fly_log.ts";
import { APP, INSTANCE, LEVEL, LineScanner, MESSAGE, PROVIDER, REGION } from "./scanner.ts";
import { formatTimestamp, parseTimestamp } from "../timestamp.ts";

/** A time is written with so many characters before its `Z`: to the millisecond, what is finer is cut off. */
const TIME_LENGTH = "2026-11-22T10:00:00.000".length;

/** Stands where a record does not say. */
const NOTHING = "-";

/** The provider of what an app itself prints, which needs no mention. */
const USUAL_PROVIDER = "app";

const ESCAPE = 0x1b;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const OPEN_BRACKET = 0x5b;
const RESET_COLOR = "\x1b[0m";

/** What a level is shown in, by what a filter calls it; others in no colour. */
const LEVEL_COLORS: ReadonlyMap<string, string> = new Map(Object.entries({
  fatal: "\x1b[1;31m",
  panic: "\x1b[1;31m",
  critical: "\x1b[1;31m",
  error: "\x1b[31m",
  warn: "\x1b[33m",
  info: "\x1b[32m",
  debug: "\x1b[2m",
  trace: "\x1b[2m",
}));

/** What apps are shown in, none of it the colour of a bad level. */
const APP_COLORS = ["36", "35", "34", "96", "95", "94"].map((number) => `\x1b[${number}m`);

/** A colour sequence longer than this is none. */
const COLOR_LENGTH_LIMIT = 64;

const NAMED_ESCAPES: Record<number, string> = { 0x0a: "\\n", 0x0d: "\\r" };

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const scanner = new LineScanner();

/** So many fields are remembered as they are shown, none longer than so many characters. */
const WORDS_LIMIT = 256;
const WORD_LENGTH_LIMIT = 64;
const words = new Map<string, string>();

/** How {@linkcode textLine} writes. */
export interface TextLineOptions {
  /**
   * Whether there are colours: those of the message, which a line that has any takes back at its end, one for
   * the level, and one for the app that is always the same.
   */
  color: boolean;
}

/** What a line of text says. */
interface Fields {
  /** To the millisecond in UTC where it is a time, else the record's own word. */
  time: string;
  app: string | undefined;
  provider: string | undefined;
  instance: string | undefined;
  region: string | undefined;
  level: string | undefined;
  message: string;
}

/**
 * Writes the line that is `bytes` from `start` to `end`, without its line feed, as text without one:
 *
 *     time app[instance] region [level] message
 *     2026-11-22T10:00:00.123Z web[0e286551c30586] fra [info] hello
 *     2026-11-22T10:00:00.456Z web/proxy[0e286551c30586] fra [error] no answer
 *
 * The provider stands after the app unless it is `app`. One space is between two fields and none within the
 * first four, so that the message is all that follows the fourth; `-` stands for what the record does not say. Line
 * ends at the end of the message are left out. A line that is no record is written as it stands. Whatever else
 * a terminal could act on is shown as {@linkcode visibleText} does.
 */
export function textLine(bytes: Uint8Array, start: number, end: number, options: TextLineOptions): string {
  const { color } = options;
  const line = decoder.decode(bytes.subarray(start, end));
  if (scanner.scan(bytes, start, end)) {
    // In a line of ASCII only, a byte's place is the character's place: one decoding does for all fields.
    const ascii = line.length === end - start;
    const { escaped } = scanner;
    const field = (from: number, to: number, isEscaped: boolean) => {
      if (from === -1) return undefined;
      const text = ascii ? line.slice(from - start, to - start) : decoder.decode(bytes.subarray(from, to));
      return isEscaped ? JSON.parse(`"${text}"`) : text;
    };
    const timestamp = field(scanner.timestampStart, scanner.timestampEnd, false);
    return join({
      time: scanner.timed ? timeText(timestamp, scanner) : noTime(timestamp),
      app: field(scanner.appStart, scanner.appEnd, (escaped & APP) !== 0),
      provider: field(scanner.providerStart, scanner.providerEnd, (escaped & PROVIDER) !== 0),
      instance: field(scanner.instanceStart, scanner.instanceEnd, (escaped & INSTANCE) !== 0),
      region: field(scanner.regionStart, scanner.regionEnd, (escaped & REGION) !== 0),
      level: field(scanner.levelStart, scanner.levelEnd, (escaped & LEVEL) !== 0),
      message: field(scanner.messageStart, scanner.messageEnd, (escaped & MESSAGE) !== 0),
    }, color);
  }
  const { record } = parseFlyRecord(bytes.subarray(start, end));
  return record === undefined ? visibleText(line, color) : join(fieldsOf(record), color);
}

function fieldsOf({ timestamp, fly, event, log, message }: FlyRecord): Fields {
  const time = timestamp === undefined ? null : parseTimestamp(timestamp);
  return {
    time: time === null ? noTime(timestamp) : timeText(timestamp!, time),
    app: fly?.app?.name,
    provider: event?.provider,
    instance: fly?.app?.instance,
    region: fly?.region,
    level: log?.level,
    message,
  };
}

/**
 * Writes a timestamp that is no time as it stands, but for a hyphen at its start: a line of text that begins with `---` tells
 * of a gap, and no record can make one.
 */
function noTime(timestamp: string | undefined): string {
  const text = word(timestamp);
  return text.startsWith("-") && text !== NOTHING ? `\\x2d${text.slice(1)}` : text;
}

/** Writes the moment that `timestamp` is. Nearly all have nine decimals and are in UTC: those are just cut. */
function timeText(timestamp: string, moment: { seconds: number; nanoseconds: number }): string {
  const isUsual = timestamp.length === 30 && timestamp.endsWith("Z") && timestamp[10] === "T" &&
    timestamp[17] !== "6";
  return `${(isUsual ? timestamp : formatTimestamp(moment)).slice(0, TIME_LENGTH)}Z`;
}

function join(fields: Fields, color: boolean): string {
  const { time, app, provider, instance, region, level, message } = fields;
  const name = word(app);
  const other = provider === undefined || provider === "" || provider === USUAL_PROVIDER ? "" : provider;
  let source = `${other === "" ? name : `${name}/${word(other)}`}[${word(instance)}]`;
  let grade = word(level);
  if (color) {
    source = `${appColor(name)}${source}${RESET_COLOR}`;
    const levelColor = LEVEL_COLORS.get(levelName(grade));
    if (levelColor !== undefined) grade = `${levelColor}${grade}${RESET_COLOR}`;
  }
  const shown = visibleText(withoutLineEnds(message), color);
  return `${time} ${source} ${word(region)} [${grade}] ${shown}`;
}

/** A field in which nothing looks like the space between two fields. The same few come line after line. */
function word(field: string | undefined): string {
  if (field === undefined || field === "") return NOTHING;
  const known = words.get(field);
  if (known !== undefined) return known;
  const shown = visibleText(field, false).replaceAll(" ", "\\x20").replaceAll("\t", "\\t");
  if (field.length > WORD_LENGTH_LIMIT) return shown;
  if (words.size === WORDS_LIMIT) words.clear();
  // A piece of a string keeps all of that string in memory; what is remembered is a copy.
  words.set(copyOf(field), copyOf(shown));
  return shown;
}

function copyOf(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}

function appColor(app: string): string {
  let hash = 0;
  for (let i = 0; i < app.length; i++) hash = (Math.imul(hash, 31) + app.charCodeAt(i)) | 0;
  return APP_COLORS[(hash >>> 0) % APP_COLORS.length]!;
}

function withoutLineEnds(message: string): string {
  let end = message.length;
  while (
    end > 0 && (message.charCodeAt(end - 1) === LINE_FEED || message.charCodeAt(end - 1) === CARRIAGE_RETURN)
  ) {
    end--;
  }
  return end === message.length ? message : message.slice(0, end);
}

/**
 * Shows as plain ASCII what a terminal acts on or a reader cannot see: controls other than tab (`\x1b`, `\n`),
 * line and paragraph separators, what turns the direction of writing, lone surrogates (`\u202e`). Colours, that
 * is the sequences of ECMA-48 section 8.3.117 (SGR), are left out, or stay if `color` is true.
 */
export function visibleText(text: string, color: boolean): string {
  let written = "";
  let plainFrom = 0;
  let colored = false;
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at);
    if (!isHidden(unit, text, at)) {
      at += isHighSurrogate(unit) ? 2 : 1;
      continue;
    }
    written += text.slice(plainFrom, at);
    const colorEnd = unit === ESCAPE ? endOfColor(text, at) : at;
    if (colorEnd > at) {
      if (color) written += text.slice(at, colorEnd);
      colored = color;
      at = colorEnd;
    } else {
      written += NAMED_ESCAPES[unit] ?? hexEscape(unit);
      at++;
    }
    plainFrom = at;
  }
  return written + text.slice(plainFrom) + (colored ? RESET_COLOR : "");
}

/** Whether the character at `at` is to be shown as something else. */
function isHidden(unit: number, text: string, at: number): boolean {
  if (unit < 0x20) return unit !== 0x09;
  if (unit < 0x7f) return false;
  if (unit < 0xa0) return true;
  if (unit < 0x2028) return false;
  if (unit <= 0x202e) return true;
  if (unit >= 0x2066 && unit <= 0x2069) return true;
  if (isHighSurrogate(unit)) return (text.charCodeAt(at + 1) & 0xfc00) !== 0xdc00;
  return (unit & 0xfc00) === 0xdc00;
}

function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

/** The position after the colour sequence that begins at `at`, or `at` if there is none. */
function endOfColor(text: string, at: number): number {
  if (text.charCodeAt(at + 1) !== OPEN_BRACKET) return at;
  const limit = Math.min(text.length, at + COLOR_LENGTH_LIMIT);
  for (let i = at + 2; i < limit; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0x6d) return i + 1;
    const isParameter = unit >= 0x30 && unit <= 0x3b;
    if (!isParameter) return at;
  }
  return at;
}

function hexEscape(unit: number): string {
  return unit < 0x100
    ? `\\x${unit.toString(16).padStart(2, "0")}`
    : `\\u${unit.toString(16).padStart(4, "0")}`;
}
