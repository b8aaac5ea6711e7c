/**
 * Promises what was recorded right before and right after a line, of whatever app, also across midnight.
 *
 * @module
 */

import { html } from "hono/html";
import { BROWSER_PAGE_BYTES } from "../../lib/machine/memory_budget.ts";
import type { FilterSpec } from "../../lib/filter/filter.ts";
import { intersectFilters } from "../../lib/filter/scope.ts";
import { formatPlace, type Place } from "../../lib/archive/place.ts";
import { EVERY_LINE } from "../../lib/archive/read/line_chunk.ts";
import { lineTime } from "../../lib/archive/read/line_times.ts";
import { firstBytes, lastBytes, planRanges, rangesBefore, rangesFrom } from "../../lib/archive/read/plan.ts";
import { dayName } from "../../lib/day.ts";
import { currentPlace } from "../cursor.ts";
import { unreadableDay } from "../day_name.ts";
import { filterForm } from "./form.ts";
import type { Page } from "./layout.ts";
import { reserve } from "../reader_place.ts";
import { lineList, type ListedGaps, surroundings } from "./lines.ts";
import { firstLines, lastLines, type PlacedLine } from "./placed_lines.ts";
import { showHidden } from "./line.js";
import type { Parts } from "../parts.ts";
import { gapWithin } from "../principal.ts";
import { Problem } from "../problem.ts";

/** So many lines are shown on either side. */
export const CONTEXT_LINES = 50;

/** At most so many bytes are read on either side; longer lines make fewer. */
export const CONTEXT_BYTES = 1024 * 1024;

/** More characters than this of a record are not shown. */
const RECORD_LIMIT = 256 * 1024;

const encoder = new TextEncoder();

/**
 * The page around a line. The cursor may point to anywhere in it, its line feed included. Lines outside of `scope` are
 * left out.
 *
 * @throws {Problem} 404 or 410 if there is no such line, 500 if the files of its day cannot be read.
 */
export async function aroundPage(
  parts: Parts,
  asked: Place,
  signal: AbortSignal,
  scope: FilterSpec | null,
): Promise<Page> {
  const { archive } = parts;
  const { day } = asked;
  const name = dayName(day);
  if (archive.wasRemoved(day)) {
    throw new Problem("removed-day", `${name} was removed to make room; there is no copy here`);
  }
  const reason = archive.untouched.get(day);
  if (reason !== undefined) throw unreadableDay(day, reason);
  const { offset, edition } = await currentPlace(asked, "start", parts, "around");
  const bytes = archive.day(day)?.bytes ?? 0;
  if (offset >= bytes) {
    throw new Problem("not-found", `${name} has ${bytes} bytes of lines, and none at ${offset}`);
  }

  using _slot = await reserve(parts, signal, BROWSER_PAGE_BYTES);
  const { current, before, after } = await linesAround(parts, { day, offset, edition }, scope, signal);
  const isThere = after[0]?.place.day === day && after[0].place.offset === current.offset;
  if (scope !== null && !isThere) {
    throw new Problem("not-found", `${name} has no line at ${offset} that this token may see`);
  }
  const currentName = formatPlace(current);
  const [line] = after;
  const earlier = before[0]?.place;
  const later = after.length > 1 ? after.at(-1)!.place : undefined;
  const main = html`${filterForm(new URLSearchParams())}
<section aria-labelledby="around">
<h1 id="around">Around a line</h1>
<p class="facts">${before.length} lines before it and ${
    Math.max(0, after.length - 1)
  } behind it, of every app, in
the order of their arrival. Its place is <code>${currentName}</code>.</p>
<p class="pager">${earlier && html`<a href="${surroundings(earlier)}">↑ Earlier</a>`}
<a href="#${currentName}">The line</a>
${later && html`<a href="${surroundings(later)}">↓ Later</a>`}</p>
${lineList([...before, ...after], { current, asked, gaps: gapsAround(parts, before, after, scope) })}
<p class="pager">${earlier && html`<a href="${surroundings(earlier)}">↑ Earlier</a>`}
${later && html`<a href="${surroundings(later)}">↓ Later</a>`}</p>
<h2>Its record</h2>
<pre class="record">${line === undefined ? "longer than is shown" : recordText(line.text)}</pre>
</section>`;
  return { title: `Around ${currentName}`, main };
}

/** Where the line at `place` begins, the lines that end there, and those from there on; also of other days. */
async function linesAround(
  { archive, lines }: Parts,
  place: Place,
  scope: FilterSpec | null,
  signal: AbortSignal,
): Promise<{ current: Place; before: PlacedLine[]; after: PlacedLine[] }> {
  const filter = intersectFilters(EVERY_LINE, scope);
  while (true) {
    const current = await lines.lineStart(place);
    const all = planRanges(archive.days(), filter, { day: null, start: null });
    const before = lastBytes(rangesBefore(all, current), CONTEXT_BYTES);
    const after = firstBytes(rangesFrom(all, current), CONTEXT_BYTES);
    const [earlier, later] = await Promise.all([
      lastLines(lines, { ranges: before, filter, limit: CONTEXT_LINES }, signal),
      firstLines(lines, { ranges: after, filter, limit: CONTEXT_LINES + 1 }, signal),
    ]);
    const first = later.lines[0]?.place;
    // Lines that were inserted between the reads may stand before the line that is meant, so all of it is read anew.
    if (first?.day === current.day && first.edition !== current.edition) continue;
    return { current, before: earlier.lines, after: later.lines };
  }
}

/** The gaps among the lines, and where these are the first or the last of all, those on the other side of them. */
function gapsAround(
  parts: Parts,
  before: readonly PlacedLine[],
  after: readonly PlacedLine[],
  scope: FilterSpec | null,
): ListedGaps {
  const times = [...before, ...after]
    .map(({ text }) => lineTime(encoder.encode(text)))
    .filter((timeMs) => timeMs !== null);
  const beginsWithLine = before.length === CONTEXT_LINES;
  const endsWithLine = after.length > CONTEXT_LINES;
  const nowMs = parts.clock.now();
  const sinceMs = beginsWithLine ? Math.min(nowMs, ...times) : -Infinity;
  const untilMs = endsWithLine ? Math.max(...times) + 1 : nowMs;
  const gaps = parts.gaps.touching(sinceMs, untilMs).map((gap) => gapWithin(scope, gap));
  return { gaps, beginsWithLine, endsWithLine };
}

/** The line as it is stored: laid out anew, its long numbers would be others. */
function recordText(line: string): string {
  const shown = line.slice(0, RECORD_LIMIT);
  return showHidden(shown) + (shown === line ? "" : `\n… ${line.length - shown.length} more characters`);
}
