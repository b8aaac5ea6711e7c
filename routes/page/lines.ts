/**
 * Promises lines as a list in which each has its own address, made of its place.
 *
 * @module
 */

import * as ansi from "ansi-sequence-parser";
import { html } from "hono/html";
import { formatPlace, type Place } from "../../lib/archive/place.ts";
import type { Gap } from "../../lib/gaps/gap.ts";
import { parseTimestamp, timestampMs } from "../../lib/timestamp.ts";
import { gapWords } from "../gap_words.ts";
import type { Html } from "./layout.ts";
import { viewLine } from "./line.js";
import type { PlacedLine } from "./placed_lines.ts";

/** What {@linkcode lineList} shows besides the lines. */
export interface LineListOptions {
  /** Texts to mark in the messages. */
  highlights?: readonly string[];
  /** Where the line begins that it is about. */
  current?: Place;
  /** The place in it by which it was asked for, which leads there as well, although it may be of before lines were inserted. */
  asked?: Place;
  /** The gaps among them. */
  gaps?: ListedGaps;
}

/** Gaps that are shown as rows among lines, each before the first line that is not older than its end. */
export interface ListedGaps {
  /** The gaps; those that are healed are rows that do not call for attention. */
  gaps: readonly Gap[];
  /** Whether what lies before the first line belongs to others, as with the last so many lines. */
  beginsWithLine: boolean;
  /** Whether what lies after the last line belongs to others, as with a full page. */
  endsWithLine: boolean;
}

/** No more rows than this are of gaps; `/gaps` has all. */
export const GAP_ROWS_LIMIT = 100;

/** Writes lines as a list. */
export function lineList(lines: readonly PlacedLine[], options: LineListOptions = {}): Html {
  let lastDay = "";
  const rows: Html[] = [];
  const views = lines.map((line) => ({ line, view: viewLine(line.text, ansi, options.highlights) }));
  const current = options.current === undefined ? null : formatPlace(options.current);
  const gaps = gapRows(options.gaps, views.map(({ view }) => view.timestamp));
  for (const [number, { line, view }] of views.entries()) {
    rows.push(...gaps[number]!);
    if (view.day !== "" && view.day !== lastDay) rows.push(html`<li class="day">${lastDay = view.day}</li>`);
    rows.push(lineRow(line.place, view, current, options.asked));
  }
  rows.push(...gaps[lines.length]!);
  return html`<ol class="lines">${rows}</ol>`;
}

/** The rows of gaps that belong before each of the lines with these timestamps, and after the last of them. */
function gapRows(listed: ListedGaps | undefined, timestamps: readonly string[]): Html[][] {
  const rows: Html[][] = Array.from({ length: timestamps.length + 1 }, () => []);
  if (listed === undefined) return rows;
  const times = timestamps.map((text) => parseTimestamp(text)).map((time) => time && timestampMs(time));
  const firstMs = times.find((time) => time !== null) ?? -Infinity;
  let shown = 0;
  for (const gap of listed.gaps) {
    const endMs = gap.untilMs ?? Infinity;
    if (listed.beginsWithLine && endMs <= firstMs) continue;
    const found = times.findIndex((time) => time !== null && time >= endMs);
    const place = found === -1 ? timestamps.length : found;
    if (place === timestamps.length && listed.endsWithLine) continue;
    if (++shown > GAP_ROWS_LIMIT) break;
    rows[place]!.push(shown === GAP_ROWS_LIMIT ? moreGaps() : gapRow(gap));
  }
  return rows;
}

function gapRow(gap: Gap): Html {
  return html`<li class="mark gap ${gap.state}">${gapWords(gap)}</li>`;
}

function moreGaps(): Html {
  return html`<li class="mark gap">There are more gaps than are shown: <a href="/gaps">all of them</a></li>`;
}

function lineRow(
  where: Place,
  view: ReturnType<typeof viewLine>,
  current: string | null,
  asked: Place | undefined,
): Html {
  const { className, timestamp, time, app, place, level } = view;
  const id = formatPlace(where);
  const askedId = id === current && asked !== undefined ? formatPlace(asked) : id;
  return html`
    <li class="line ${className}" id="${id}" aria-current="${id === current ? "true" : "false"}">
      <a class="time" ${askedId === id ? "" : html`
        id="${askedId}"
      `} href="${surroundings(where)}" title="${timestamp}">${time}</a>
      <span class="app" title="${app} ${place}">${app}</span>
      <span class="place">${place}</span>
      <span class="level">${level}</span>
      <span class="message">${message(view)}</span>
    </li>
  `;
}

function message({ pieces, hiddenLength }: ReturnType<typeof viewLine>): (Html | string)[] {
  const shown = pieces.map(({ text, className }) =>
    className === "" ? text : html`<span class="${className}">${text}</span>`
  );
  if (hiddenLength > 0) shown.push(html`<span class="cut">… ${hiddenLength} more characters</span>`);
  return shown;
}

/** The address of the page that shows what is around a line. */
export function surroundings(place: Place): string {
  const text = formatPlace(place);
  return `/?around=${text}#${text}`;
}
