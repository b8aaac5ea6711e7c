/**
 * Promises lines as a list in which each has its own address, the cursor of its place in its day.
 *
 * @module
 */

import * as ansi from "ansi-sequence-parser";
import { html } from "hono/html";
import type { Html } from "./page_layout.ts";
import { viewLine } from "./page_line.js";

/** A line and where it is. */
export interface PlacedLine {
  /** Where it begins, `day:offset`. */
  cursor: string;
  /** Its JSON. */
  text: string;
}

/** What {@linkcode lineList} shows besides the lines. */
export interface LineListOptions {
  /** Texts to mark in the messages. */
  highlights?: readonly string[];
  /** The cursor of the line that it is about. */
  current?: string;
}

/** Writes lines as a list. */
export function lineList(lines: readonly PlacedLine[], options: LineListOptions = {}): Html {
  let lastDay = "";
  const rows: Html[] = [];
  for (const line of lines) {
    const view = viewLine(line.text, ansi, options.highlights);
    if (view.day !== "" && view.day !== lastDay) rows.push(html`<li class="day">${lastDay = view.day}</li>`);
    rows.push(lineRow(line.cursor, view, line.cursor === options.current));
  }
  return html`<ol class="lines">${rows}</ol>`;
}

function lineRow(cursor: string, view: ReturnType<typeof viewLine>, current: boolean): Html {
  const { className, timestamp, time, app, place, level } = view;
  const href = surroundings(cursor);
  return html`
    <li class="line ${className}" id="${cursor}" aria-current="${current ? "true" : "false"}">
      <a class="time" href="${href}" title="${timestamp}">${time}</a>
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
export function surroundings(cursor: string): string {
  return `/?around=${cursor}#${cursor}`;
}
