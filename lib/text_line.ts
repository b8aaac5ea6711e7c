/**
 * Promises that a record as text is one line, which a terminal shows as it is and does nothing else with.
 *
 * @module
 */

import { parseFlyRecord } from "./fly_log.ts";
import { INSTANCE, LEVEL, LineScanner, MESSAGE, REGION } from "./line_scanner.ts";

/** The timestamp is filled up to this many characters: as many as Fly's own have. */
const TIMESTAMP_WIDTH = 30;

/** Stands where a record does not say. */
const NOTHING = "-";

const ESCAPE = 0x1b;
const OPEN_BRACKET = 0x5b;
const RESET_COLOR = "\x1b[0m";

/** A colour sequence longer than this is none. */
const COLOR_LENGTH_LIMIT = 64;

const NAMED_ESCAPES: Record<number, string> = { 0x0a: "\\n", 0x0d: "\\r" };

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const scanner = new LineScanner();

/** How {@linkcode textLine} writes. */
export interface TextLineOptions {
  /** Whether colours stay. A line that has any then ends by taking them back. */
  color: boolean;
}

/**
 * Writes the line that is `bytes` from `start` to `end`, without its line feed, as text without one:
 * `timestamp [instance] region [level] message`, with `-` for what the record does not say. A line that is no
 * record is written as it stands. Whatever else a terminal could act on is shown as {@linkcode visibleText}.
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
    return join(
      field(scanner.timestampStart, scanner.timestampEnd, false),
      field(scanner.instanceStart, scanner.instanceEnd, (escaped & INSTANCE) !== 0),
      field(scanner.regionStart, scanner.regionEnd, (escaped & REGION) !== 0),
      field(scanner.levelStart, scanner.levelEnd, (escaped & LEVEL) !== 0),
      field(scanner.messageStart, scanner.messageEnd, (escaped & MESSAGE) !== 0),
      color,
    );
  }
  const { record } = parseFlyRecord(bytes.subarray(start, end));
  if (record === undefined) return visibleText(line, color);
  const { timestamp, fly, log, message } = record;
  return join(timestamp, fly?.app?.instance, fly?.region, log?.level, message, color);
}

function join(
  timestamp: string | undefined,
  instance: string | undefined,
  region: string | undefined,
  level: string | undefined,
  message: string,
  color: boolean,
): string {
  const time = visibleText(timestamp || NOTHING, false).padEnd(TIMESTAMP_WIDTH);
  const place = `[${visibleText(instance || NOTHING, false)}] ${visibleText(region || NOTHING, false)}`;
  return `${time} ${place} [${visibleText(level || NOTHING, false)}] ${visibleText(message, color)}`;
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

/** The position behind the colour sequence that begins at `at`, or `at` if there is none. */
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
