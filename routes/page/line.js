/**
 * Promises what a line looks like to people, as pieces of text with the names of their classes: neither this
 * nor those who show the pieces ever read markup out of a line. Runs on the server and, as it stands here, in
 * the browser, so that both show the same.
 *
 * @module
 */

// @ts-check

import { foldCase, matchesAnyCase } from "../../lib/filter/letter_case.js";

/**
 * A stretch of text that looks the same all through.
 *
 * @typedef {{ text: string, className: string }} Piece
 */

/**
 * A line as it is shown. Everything in it may be text of anybody's making, but for the two class names, which
 * are this module's.
 *
 * @typedef {object} LineView
 * @property {string} timestamp The record's own, for a closer look.
 * @property {string} day The UTC day of it, or nothing.
 * @property {string} time The UTC time of day, to the millisecond.
 * @property {string} app With the provider after it, unless that is the app itself, as in the text form.
 * @property {string} place The instance and the region.
 * @property {string} level
 * @property {string} className The class of the level.
 * @property {Piece[]} pieces The message.
 * @property {number} hiddenLength How many characters of the message are left out at its end.
 */

/**
 * What is used of the library that reads colours: ansi-sequence-parser.
 *
 * @typedef {Pick<typeof import("ansi-sequence-parser"), "createAnsiSequenceParser" | "createColorPalette">} Ansi
 */

/** More characters than this of a message are not shown in a list. */
export const MESSAGE_LIMIT = 4096;

/** A message may change its colour so often; from then on it keeps the last one. */
export const PIECES_LIMIT = 100;

/** More characters than this of any other field are not shown. */
const FIELD_LIMIT = 64;

/** Stands where a record does not say. */
const NOTHING = "-";

/** The levels that have a look of their own, and what else they are called. */
const LEVEL_CLASSES = new Map(Object.entries({
  fatal: "level-error",
  panic: "level-error",
  critical: "level-error",
  crit: "level-error",
  error: "level-error",
  err: "level-error",
  warning: "level-warn",
  warn: "level-warn",
  info: "level-info",
  notice: "level-info",
  debug: "level-debug",
  trace: "level-debug",
}));

/**
 * A colour sequence, or else a character that is not to be seen as it is; the same ones as in the text form of
 * a line, but for line feeds, which make a message longer here and cannot make it look like two.
 */
const HIDDEN =
  // deno-lint-ignore no-control-regex
  /(\x1b\[[0-9:;]{0,60}m)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/**
 * Reads a stored line. What is no record is shown as it stands. `highlights` are texts to mark in the message,
 * found as a search finds them.
 *
 * @param {string} line
 * @param {Ansi} ansi
 * @param {readonly string[]} [highlights]
 * @returns {LineView}
 */
export function viewLine(line, ansi, highlights = []) {
  const record = readObject(line);
  const message = typeof record.message === "string" ? record.message : line;
  const fly = memberOf(record, "fly");
  const app = memberOf(fly, "app");
  const level = typeof memberOf(record, "log").level === "string" ? memberOf(record, "log").level : "";
  const shown = cut(message, MESSAGE_LIMIT);
  return {
    ...viewTimestamp(record.timestamp),
    app: source(app.name, memberOf(record, "event").provider),
    place: `${field(app.instance)} ${field(fly.region)}`,
    level: field(level),
    className: LEVEL_CLASSES.get(level.toLowerCase()) ?? "level-other",
    pieces: readPieces(shown, ansi, highlights),
    hiddenLength: message.length - shown.length,
  };
}

/**
 * Shows what a reader cannot see, but for line feeds and tabs, as `\x1b` or `\u202e`. Colour sequences stay.
 *
 * @param {string} text
 * @returns {string}
 */
export function showHidden(text) {
  return text.replace(HIDDEN, (hidden, color) => color ?? escaped(hidden));
}

/**
 * @param {string} character
 * @returns {string}
 */
function escaped(character) {
  const code = character.charCodeAt(0);
  if (code === 0x0d) return "\\r";
  const digits = code.toString(16);
  return code < 0x100 ? `\\x${digits.padStart(2, "0")}` : `\\u${digits.padStart(4, "0")}`;
}

/**
 * @param {string} message
 * @param {Ansi} ansi
 * @param {readonly string[]} highlights
 * @returns {Piece[]}
 */
function readPieces(message, ansi, highlights) {
  /** @type {Piece[]} */
  const pieces = [];
  const palette = ansi.createColorPalette();
  for (const token of ansi.createAnsiSequenceParser().parse(showHidden(message))) {
    /** @type {string[]} */
    const classes = [...token.decorations].filter((name) => name !== "hidden");
    classes.push(colorClass("front", token.foreground && palette.value(token.foreground)));
    classes.push(colorClass("back", token.background && palette.value(token.background)));
    addPieces(pieces, token.value, classes.filter(Boolean).join(" "), highlights);
  }
  return pieces;
}

/**
 * @param {Piece[]} pieces
 * @param {string} text
 * @param {string} className
 * @param {readonly string[]} highlights
 */
function addPieces(pieces, text, className, highlights) {
  let at = 0;
  for (const [start, end] of findAll(text, highlights)) {
    if (start > at) addPiece(pieces, text.slice(at, start), className);
    addPiece(pieces, text.slice(start, end), `${className} match`.trim());
    at = end;
  }
  if (at < text.length) addPiece(pieces, text.slice(at), className);
}

/**
 * Where the highlights are, in order; those that touch each other as one.
 *
 * @param {string} text
 * @param {readonly string[]} highlights
 * @returns {[start: number, end: number][]}
 */
function findAll(text, highlights) {
  /** @type {[start: number, end: number][]} */
  const found = [];
  for (const highlight of highlights) {
    if (highlight === "") continue;
    const anyCase = matchesAnyCase(highlight);
    const wanted = anyCase ? foldCase(highlight) : highlight;
    // Folding keeps lengths, so a place in one is a place in the other.
    const searched = anyCase ? foldCase(text) : text;
    for (let at = searched.indexOf(wanted); at !== -1; at = searched.indexOf(wanted, at + wanted.length)) {
      found.push([at, at + wanted.length]);
    }
  }
  found.sort(([a], [b]) => a - b);
  /** @type {[start: number, end: number][]} */
  const merged = [];
  for (const [start, end] of found) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

/**
 * @param {Piece[]} pieces
 * @param {string} text
 * @param {string} className
 */
function addPiece(pieces, text, className) {
  const last = pieces.at(-1);
  if (last !== undefined && (pieces.length === PIECES_LIMIT || last.className === className)) {
    last.text += text;
  } else {
    pieces.push({ text, className });
  }
}

/**
 * The class of a colour, the nearest of six hues and a grey. Black and white are the page's own business: one
 * of them could not be read.
 *
 * @param {"front" | "back"} side
 * @param {string | null | undefined} color `#rrggbb`
 * @returns {string}
 */
function colorClass(side, color) {
  if (!color) return "";
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  if (most - least < 0x30) {
    if (side === "back") return "back-gray";
    return most > 0x40 && most < 0xa0 ? "front-gray" : "";
  }
  const middle = (most + least) / 2;
  const hue = (red > middle ? 1 : 0) + (green > middle ? 2 : 0) + (blue > middle ? 4 : 0);
  return `${side}-${["gray", "red", "green", "yellow", "blue", "magenta", "cyan", "gray"][hue]}`;
}

/**
 * @param {unknown} timestamp
 * @returns {{ timestamp: string, day: string, time: string }}
 */
function viewTimestamp(timestamp) {
  const shown = field(timestamp);
  const epochMs = /^\d{4}-\d\d-\d\d[Tt ]/.test(shown) ? Date.parse(shown) : NaN;
  if (Number.isNaN(epochMs)) return { timestamp: shown, day: "", time: shown };
  const iso = new Date(epochMs).toISOString();
  return { timestamp: shown, day: iso.slice(0, -14), time: iso.slice(-13, -1) };
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function field(value) {
  if (typeof value !== "string" || value === "") return NOTHING;
  const shown = cut(value, FIELD_LIMIT);
  return escapeAll(shown) + (shown.length < value.length ? "…" : "");
}

/**
 * @param {unknown} app
 * @param {unknown} provider
 * @returns {string}
 */
function source(app, provider) {
  const isOther = typeof provider === "string" && provider !== "" && provider !== "app";
  return isOther ? `${field(app)}/${field(provider)}` : field(app);
}

/**
 * @param {string} text
 * @returns {string}
 */
function escapeAll(text) {
  return text
    .replace(HIDDEN, (hidden, color) => escaped(hidden) + (color === undefined ? "" : color.slice(1)))
    .replace(/[\t\n]/g, " ");
}

/**
 * Cuts off what is beyond the limit, and never half of a character.
 *
 * @param {string} text
 * @param {number} limit
 * @returns {string}
 */
function cut(text, limit) {
  if (text.length <= limit) return text;
  return text.slice(0, /[\ud800-\udbff]/.test(text.charAt(limit - 1)) ? limit - 1 : limit);
}

/**
 * @param {string} line
 * @returns {Record<string, unknown>}
 */
function readObject(line) {
  try {
    return asObject(JSON.parse(line));
  } catch {
    return {};
  }
}

/**
 * @param {Record<string, unknown>} object
 * @param {string} name
 * @returns {Record<string, any>}
 */
function memberOf(object, name) {
  return asObject(object[name]);
}

/**
 * @param {unknown} value
 * @returns {Record<string, any>}
 */
function asObject(value) {
  return typeof value === "object" && value !== null ? /** @type {Record<string, any>} */ (value) : {};
}
