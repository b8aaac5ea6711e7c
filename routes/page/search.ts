/**
 * Promises the page of the lines that are asked for, each at its own address, and that it says whether any may
 * be missing.
 *
 * @module
 */

import type { Context } from "hono";
import { html } from "hono/html";
import { formatPlace } from "../../lib/archive/place.ts";
import { planRanges } from "../../lib/archive/read/plan.ts";
import { BROWSER_PAGE_BYTES } from "../../lib/machine/memory_budget.ts";
import { formatTimestamp } from "../../lib/timestamp.ts";
import { type Coverage, heldWords, measureCoverage } from "../coverage.ts";
import { curlCommand, formatSpan } from "../home.ts";
import { findHint } from "../hint.ts";
import { checkCursor } from "../cursor.ts";
import { gapsAmong, mayHint, spanOf } from "../line_answer.ts";
import { reserve } from "../reader_place.ts";
import { DEFAULT_TAIL, filterForm, SEARCH_PARAMETERS } from "./form.ts";
import type { Html, Page } from "./layout.ts";
import { lineList } from "./lines.ts";
import { firstLines, type FoundLines, lastLines } from "./placed_lines.ts";
import type { Parts } from "../parts.ts";
import { withinScope } from "../principal.ts";
import { type LineQuery, readLineQuery } from "../query.ts";

/** A page shows no more lines than this; more are for a terminal. */
export const SHOWN_LINES_LIMIT = 1000;

/**
 * The page for what `asked` has.
 *
 * @throws {Problem} 400 for a parameter that is wrong, 503 where too many are reading.
 */
export async function searchPage(c: Context, parts: Parts, asked: URLSearchParams): Promise<Page> {
  const { signal } = c.req.raw;
  const read = withinScope(c, readLineQuery(c.req.url, SEARCH_PARAMETERS, parts.clock.now()));
  const query = { ...read, cursor: await checkCursor(read.cursor, null, parts, signal) };
  const wanted = query.tail ?? query.limit ?? DEFAULT_TAIL;
  const limit = Math.min(wanted, SHOWN_LINES_LIMIT);
  const found = await find(parts, query, limit, signal);
  const ranges = planRanges(parts.archive.days(), query.filter, { day: null, start: query.cursor });
  const hint = found.lines.length > 0 || !mayHint(query)
    ? null
    : await findHint(parts, { filter: query.filter, ranges, isEmpty: true });
  const gaps = {
    gaps: await gapsAmong(parts, query, null),
    beginsWithLine: found.next === null && found.lines.length >= limit,
    endsWithLine: found.next !== null,
  };
  const coverage = measureCoverage(parts, ...spanOf(query, null, parts));
  const address = `/search?${asked}${asked.size === 0 ? "" : "&"}format=`;
  // Without a limit in the query, how many lines are shown is the page's choice, and they are an excerpt.
  const isExcerpt = query.tail === null && query.limit === null;
  const main = html`${filterForm(asked)}
<section aria-labelledby="found">
<h1 id="found">${foundWords(found, query, limit)}</h1>
<p class="facts">${coverageWords(coverage, asked)}${
    wanted > limit ? ` No more than ${limit} lines are shown.` : ""
  }</p>
<p class="pager">${morePages(found, query, asked, limit)} <a href="${address}text">As text</a>
<a href="${address}jsonl">As JSON lines</a> <a href="/tail?${tailQuery(asked)}">Follow</a></p>
${
    found.lines.length === 0
      ? html`<p class="empty">No line matches${hint === null ? "" : `: ${hint}`}.</p>`
      : null
  }
${
    found.lines.length === 0 && gaps.gaps.length === 0
      ? null
      : lineList(found.lines, { highlights: query.filter.texts, gaps })
  }
${found.next === null ? null : html`<p class="pager">${morePages(found, query, asked, limit)}</p>`}
<h2>${isExcerpt ? "All of them, in a terminal" : "In a terminal"}</h2>
<pre class="command">${curlCommand(c, parts, `${address}text`)}</pre>
</section>`;
  return { title: "Search", main };
}

async function find(
  parts: Parts,
  { filter, limit: wanted, cursor, tail }: LineQuery,
  limit: number,
  signal: AbortSignal,
): Promise<FoundLines> {
  const ranges = planRanges(parts.archive.days(), filter, { day: null, start: cursor });
  using _slot = await reserve(parts, signal, BROWSER_PAGE_BYTES);
  const find = wanted !== null || (cursor !== null && tail === null) ? firstLines : lastLines;
  return await find(parts.lines, { ranges, filter, limit }, signal);
}

function foundWords({ lines }: FoundLines, { tail, limit, cursor }: LineQuery, shownLimit: number): string {
  if (lines.length === 0) return "No lines";
  const count = lines.length === 1 ? "1 line" : `${lines.length} lines`;
  if (limit !== null || (cursor !== null && tail === null)) return `${count}, the oldest first`;
  return lines.length < shownLimit ? count : `The last ${count}`;
}

function coverageWords(coverage: Coverage, asked: URLSearchParams): Html | string {
  const { gaps, healed, missingMs, held, isFuture } = coverage;
  if (isFuture) return "None: this span of time is still to come.";
  if (held > 0) {
    const found = coverageWords({ ...coverage, held: 0 }, asked);
    const words = `${heldWords(held)} and cannot be found yet`;
    return html`<span class="partial">Partial: ${words}.</span> ${gaps === 0 ? null : found}`;
  }
  const span = new URLSearchParams([...asked].filter(([name]) => name === "since" || name === "until"));
  const healedGaps = html`<a href="/gaps?${span}">${gapsWords(healed)} of it ${
    healed === 1 ? "was" : "were"
  } healed</a>`;
  if (gaps === 0) {
    return html`Complete: nothing is known to be missing from this span of time${
      healed === 0 ? null : html`; ${healedGaps}`
    }.`;
  }
  const words = gapsWords(gaps);
  return html`<span class="partial">Partial: lines may be missing from ${
    formatSpan(missingMs)
  } of this span of time, in
<a href="/gaps?${span}">${words}</a>.</span>${
    healed === 0 ? null : html`
      ${healedGaps}.
    `
  }`;
}

function gapsWords(count: number): string {
  return count === 1 ? "1 gap" : `${count} gaps`;
}

function morePages(
  found: FoundLines,
  query: LineQuery,
  asked: URLSearchParams,
  limit: number,
): (Html | null)[] {
  if (found.next !== null) {
    const next = new URLSearchParams(asked);
    next.delete("tail");
    next.set("limit", String(limit));
    next.set("cursor", formatPlace(found.next));
    // As moments, since a duration such as 10m would count from a later moment when the next page is asked for.
    if (query.filter.since) next.set("since", formatTimestamp(query.filter.since));
    if (query.filter.until) next.set("until", formatTimestamp(query.filter.until));
    return [html`<a href="/search?${next}" rel="next">Next ${limit}</a>`];
  }
  if (found.lines.length < limit || limit === SHOWN_LINES_LIMIT) return [];
  const more = new URLSearchParams(asked);
  more.set("tail", String(Math.min(limit * 5, SHOWN_LINES_LIMIT)));
  return [html`<a href="/search?${more}">The last ${more.get("tail")!}</a>`];
}

function tailQuery(asked: URLSearchParams): URLSearchParams {
  const tail = new URLSearchParams(asked);
  for (const name of ["since", "until", "limit", "cursor"]) tail.delete(name);
  return tail;
}
