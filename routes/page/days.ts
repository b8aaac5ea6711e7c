/**
 * Promises the list of the days as a page: what there is of each, how to get it, and when nobody recorded.
 *
 * @module
 */

import { html } from "hono/html";
import type { DayInfo } from "../../lib/archive/archive.ts";
import { DAY_MS, dayName, type DayNumber, dayOf, dayStartMs } from "../../lib/day.ts";
import type { Gap } from "../../lib/gaps/gap.ts";
import { type Coverage, measureCoverage } from "../coverage.ts";
import { gapWords, hasNoBeginning } from "../gap_words.ts";
import { formatSize, healedWords, missingWords } from "../home.ts";
import { DAYS_LIMIT, listedDays } from "../listed_days.ts";
import { filterForm } from "./form.ts";
import type { Html, Page } from "./layout.ts";
import type { Parts } from "../parts.ts";

/** A bar is so many units wide, one for each minute. */
const BAR_UNITS = 1440;

/** A gap is drawn at least so many units wide, so that one of a second is seen. */
const GAP_UNITS_MIN = 6;

/** So many healed gaps of a day are told one by one. */
const HEALED_LIMIT = 20;

/** The first page. */
export async function daysPage(parts: Parts): Promise<Page> {
  const infos = parts.archive.days();
  const numbers = listedDays(parts.archive, dayOf(parts.clock.now()));
  const usage = await volumeWords(parts);
  const main = html`${notReady(parts)}
${filterForm(new URLSearchParams())}
<section aria-labelledby="days">
<h1 id="days">Days</h1>
<p class="facts">${totals(infos)}${usage}</p>
${beforeProgress(parts)}
${
    numbers.length === 0
      ? html`<p class="empty">No lines yet: ${beginningWords(parts)}</p>`
      : dayTable(numbers, parts)
  }
</section>`;
  return { title: "Days", here: "/", main };
}

/** From when on there would be lines. */
function beginningWords(parts: Parts): string {
  const before = parts.gaps.touching(-Infinity, Infinity).find(hasNoBeginning);
  return before === undefined ? "they come here as they are printed." : `${gapWords(before)}.`;
}

/** Up to where a gap was looked through, in milliseconds since 1970; null where it was not begun with, or is done. */
function doneBefore({ untilMs, healing }: Gap): number | null {
  const doneMs = healing?.doneUntilMs ?? null;
  return doneMs === null || doneMs >= untilMs! ? null : doneMs;
}

/** How far the days before the first start were looked through, while others are asked for their lines. */
function beforeProgress(parts: Parts): Html | null {
  const gap = parts.gaps.touching(-Infinity, Infinity)
    .find((gap) =>
      gap.cause === "before" && !hasNoBeginning(gap) && gap.state !== "healed" && doneBefore(gap) !== null
    );
  if (gap === undefined) return null;
  const doneMs = doneBefore(gap)!;
  const [spanMs, foundMs] = [gap.untilMs! - gap.sinceMs, doneMs - gap.sinceMs];
  const percent = Math.floor(Math.min(Math.max(foundMs / spanMs, 0), 1) * 100);
  return html`
    <p class="facts">
      <label>Before the first start: <progress max="100" value="${percent}"></progress></label>
      ${percent} %. ${gapWords(gap)}.
    </p>
  `;
}

function notReady(parts: Parts): Html | null {
  const { ready, reasons } = parts.recorder.readiness();
  if (ready) return null;
  return html`
    <div class="notice" role="alert">
      <p>Nothing is being recorded.</p>
      <ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>
    </div>
  `;
}

function totals(infos: readonly DayInfo[]): string {
  const sum = (of: (info: DayInfo) => number) => infos.reduce((total, info) => total + of(info), 0);
  const days = `${infos.length} ${infos.length === 1 ? "day" : "days"}`;
  return `${days}, ${count(sum((info) => info.lines))} lines, ${
    formatSize(sum((info) => info.bytes))
  } of text`;
}

async function volumeWords(parts: Parts): Promise<string> {
  try {
    const { totalBytes, usedPercent } = await parts.volumeUsage();
    return `; ${Math.round(usedPercent)} % of the volume’s ${formatSize(totalBytes)} used`;
  } catch {
    return ""; // the days can be had all the same
  }
}

function dayTable(numbers: readonly DayNumber[], parts: Parts): Html {
  return html`
    <svg class="patterns" width="0" height="0" aria-hidden="true">
      <pattern id="before" width="24" height="12" patternUnits="userSpaceOnUse">
        <rect class="hatch-ground" width="24" height="12" />
        <rect class="hatch" width="8" height="12" />
      </pattern>
    </svg>
    <table class="days">
      <thead>
        <tr>
          <th>Day</th>
          <th class="scale"><span>0</span><span>6</span><span>12</span><span>18</span><span
    >24 UTC</span></th>
          <th>Missing</th>
          <th class="number">Lines</th>
          <th class="number">Text</th>
          <th
            class="number">Gzip</th>
          <th>Download</th>
        </tr>
      </thead>
      <tbody>
    ${numbers.slice(0, DAYS_LIMIT).map((day) => dayRow(day, parts))}
      </tbody>
    </table>
    ${numbers.length > DAYS_LIMIT
      ? html`<p class="facts">Older days are in <a href="/logs">/logs</a>.</p>`
      : null}
  `;
}

function dayRow(day: DayNumber, parts: Parts): Html {
  const name = dayName(day);
  const info = parts.archive.day(day);
  const coverage = measureCoverage(parts, dayStartMs(day), dayStartMs(day) + DAY_MS);
  const missing = missingWords(coverage);
  const span = `since=${name}&until=${dayName(day + 1)}`;
  return html`
    <tr>
    <th scope="row"><a href="/search?${span}">${name}</a></th>
    <td class="bar">${coverageBar(day, parts, missing ?? "nothing")}</td>
    <td class="missing">${missing === null
      ? coverage.healed > 0 ? null : html`<span class="none">–</span>`
      : coverage.isFuture
      ? missing
      : html`<a href="/gaps?${span}">${missing}</a>`}${healedGaps(day, coverage, parts)}</td>
    ${info === undefined ? absentCells(day, parts) : presentCells(info)}
    </tr>
  `;
}

/** What can be unfolded to see who has healed the gaps of a day; at most so many of them, `/gaps` has all. */
function healedGaps(day: DayNumber, coverage: Coverage, parts: Parts): Html | null {
  const words = healedWords(coverage);
  if (words === null) return null;
  const healed = parts.gaps.touching(dayStartMs(day), dayStartMs(day + 1))
    .filter(({ state }) => state === "healed")
    .map(gapWords);
  const shown = healed.slice(0, HEALED_LIMIT);
  const more = healed.length > shown.length
    ? html`<li><a href="/gaps?since=${dayName(day)}&until=${dayName(day + 1)}">all of them</a></li>`
    : null;
  return html`
    <details class="healed">
      <summary title="${shown.join("\n")}">${words}</summary>
      <ul>${shown.map((gap) => html`<li>${gap}</li>`)}${more}</ul>
    </details>
  `;
}

function absentCells(day: DayNumber, parts: Parts): Html {
  const why = parts.archive.wasRemoved(day)
    ? "removed by retention"
    : parts.archive.untouched.has(day)
    ? "its files cannot be read, see /status"
    : "no lines";
  return html`<td colspan="4" class="absent">${why}</td>`;
}

function presentCells({ day, lines, bytes, gzBytes, sealed, held }: DayInfo): Html {
  const name = dayName(day);
  const link = (ending: string, what: string) =>
    html`<a href="/logs/${name}.${ending}" download aria-label="${name} ${what}">.${ending}</a>`;
  const waiting = held === 0 ? null : html`
    <span class="partial">+ ${count(held)} wait for the disk</span>
  `;
  return html`<td class="number">${count(lines)}<span class="unit"> lines</span>${waiting}</td>
<td class="number">${formatSize(bytes)}</td>
<td class="number">${gzipWords(gzBytes, sealed)}</td>
<td class="downloads">${link("jsonl", "as JSON lines")} ${link("jsonl.gz", "as gzip")} ${
    link("log", "as text")
  }</td>`;
}

/** How large the gzip file is; while the day goes on, only a part of it is made. */
function gzipWords(gzBytes: number, sealed: boolean): Html {
  if (!sealed) return html`<span class="unfinished">not sealed</span>`;
  return html`${formatSize(gzBytes)}<span class="unit"> gzip</span>`;
}

/** Draws when there was a recorder on a day: what is not known to be missing, up to now, and the gaps. */
function coverageBar(day: DayNumber, parts: Parts, missing: string): Html {
  const startMs = dayStartMs(day);
  const nowMs = parts.clock.now();
  const known = unit(Math.min(nowMs, startMs + DAY_MS) - startMs);
  const gaps = parts.gaps.touching(startMs, startMs + DAY_MS);
  return html`
    <svg
      class="coverage"
      viewBox="0 0 ${BAR_UNITS} 12"
      preserveAspectRatio="none"
      role="img"
      aria-label="Missing: ${missing}"
    >
      <rect class="future" width="${BAR_UNITS}" height="12" />
      <rect class="covered" width="${known}" height="12" />
      <path class="hours" d="M360 0V12M720 0V12M1080 0V12" />
      ${gaps.map((gap) => gapMark(gap, startMs, nowMs))}
    </svg>
  `;
}

function gapMark(gap: Gap, startMs: number, nowMs: number): Html {
  const from = unit(gap.sinceMs - startMs);
  const to = unit(Math.min(gap.untilMs ?? nowMs, nowMs) - startMs);
  const width = Math.max(to - from, GAP_UNITS_MIN);
  const x = Math.min(from, BAR_UNITS - width);
  // What was before the first start is no fault: it is hatched, by a pattern that the page has once, until it is healed.
  const kind = gap.cause === "before" && gap.state !== "healed" ? "before" : gap.state;
  const done = gap.state === "healed" ? 0 : unit((gap.healing?.doneUntilMs ?? 0) - startMs) - x;
  return html`
    <rect class="gap ${kind}" x="${x}" width="${width}" height="12" fill="url(#before)">
      <title>${gapWords(gap)}</title>
    </rect>
    ${done <= 0 ? null : html`
      <rect class="gap done" x="${x}" width="${Math.min(done, width)}" height="12">
        <title>${gapWords(gap)}</title>
      </rect>
    `}
  `;
}

/** Milliseconds since midnight as units of the bar. */
function unit(sinceMidnightMs: number): number {
  const minutes = Math.min(Math.max(sinceMidnightMs, 0), DAY_MS) / DAY_MS * BAR_UNITS;
  return Math.round(minutes * 10) / 10;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
