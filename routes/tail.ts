/**
 * Promises `/tail`: first some lines of context, then each line as it is recorded, with no seam between them.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { HeldLines } from "../lib/archive/archive.ts";
import { planRanges } from "../lib/archive/read/plan.ts";
import { dayName, dayOf, dayStartMs } from "../lib/day.ts";
import { namedEvent } from "../lib/follow/events.ts";
import { type FollowContext, FollowersBusy } from "../lib/follow/followers.ts";
import { type EventId, parseEventId } from "../lib/follow/positions.ts";
import type { FilterSpec } from "../lib/filter/filter.ts";
import type { Gap } from "../lib/gaps/gap.ts";
import { timestampMs } from "../lib/timestamp.ts";
import { acceptsByName } from "./accept.ts";
import { COVERAGE_HEADER, formatCoverage, heldLine, measureCoverage } from "./coverage.ts";
import { withGapLines } from "./gap_lines.ts";
import { gapLine } from "./gap_words.ts";
import { findHint, HINT_HEADER, hintLine } from "./hint.ts";
import { beginWith } from "./hint_stream.ts";
import { checkLineStart, currentPlace } from "./cursor.ts";
import { contentTypeOf, styleOf } from "./line_answer.ts";
import type { Parts } from "./parts.ts";
import { gapWithin, withinScope } from "./principal.ts";
import { Problem, show } from "./problem.ts";
import { type LineQuery, type Parameter, readLineQuery } from "./query.ts";
import { addResource } from "./resource.ts";
import { gapAnswer } from "./wire/gaps.ts";
import { heldAnswer } from "./wire/held.ts";

/** What `/tail` can be asked. There is no end to it, so neither `until` nor `limit`. */
export const TAIL_PARAMETERS: readonly Parameter[] = [
  "since",
  "app",
  "region",
  "instance",
  "machine",
  "level",
  "q",
  "not",
  "tail",
  "cursor",
  "format",
  "color",
];

/** So many lines are shown first when nothing is said about that, as `tail -f` does ... */
export const DEFAULT_CONTEXT_LINES = 10;

/** ... and they are looked for among the last so many bytes, so that a rare text does not keep one waiting. */
export const DEFAULT_CONTEXT_BYTES = 16 * 1024 * 1024;

/** So many gaps of the past, the newest, are put among the lines that come first: some 50 KB for each follower. */
const PAST_GAPS_LIMIT = 256;

/** A client that is turned away is told to come back after so many seconds. */
const RETRY_SECONDS = "30";

/** Where a client that lost its connection has got to (HTML standard, section 9.2.4). */
const LAST_ID_HEADER = "Last-Event-ID";

/** The route `/tail`. */
export function createTailRoutes(parts: Parts): Hono {
  const app = new Hono();
  addResource(app, "/tail", async (c) => {
    const query = withinScope(c, readLineQuery(c.req.url, TAIL_PARAMETERS, parts.clock.now()));
    const context = contextOf(query, c.req.header(LAST_ID_HEADER));
    if (context.kind === "resume") await checkResumed(c, parts, query, context.id);
    const hint = c.req.method === "HEAD" ? null : await findTailHint(parts, query.filter);
    if (hint !== null) c.header(HINT_HEADER, hint);
    const response = answerTail(c, parts, query, context);
    const isText = hint !== null && query.format === "text" && !acceptsEvents(c.req.header("Accept"));
    return isText ? new Response(beginWith(hintLine(hint), response.body!), response) : response;
  });
  return app;
}

/** What to tell about apps of which there never was a line: somebody who follows them may wait for ever. */
export function findTailHint(parts: Parts, filter: FilterSpec): Promise<string | null> {
  const asked = { ...filter, since: null, until: null };
  const ranges = planRanges(parts.archive.days(), asked, { day: null, start: null });
  return findHint(parts, { filter: asked, ranges, isEmpty: false, scope: "so far" });
}

/**
 * Makes sure that the places to go on from, of an address or of an event, can be followed, and that the last line's own cuts
 * no line in two. One beyond the end of its day is taken for the end: the day was longer once, and what was lost since is a
 * gap.
 *
 * @throws {Problem} 400 where one cannot be followed or cuts a line.
 */
async function checkResumed(c: Context, parts: Parts, query: LineQuery, id: EventId): Promise<void> {
  const param = query.cursor === null ? LAST_ID_HEADER : "cursor";
  const own = await currentPlace(id.own, "end", parts, param);
  for (const other of id.others ?? []) {
    if (parts.archive.day(other.day) !== undefined) await currentPlace(other, "end", parts, param);
  }
  if ((parts.archive.day(own.day)?.bytes ?? 0) < own.offset) return;
  await checkLineStart(own, parts, c.req.raw.signal, param);
}

function answerTail(c: Context, parts: Parts, query: LineQuery, context: FollowContext): Response {
  const isEvents = acceptsEvents(c.req.header("Accept"));
  const nowMs = parts.clock.now();
  const sinceMs = startOf(query, context) ?? nowMs;
  c.header("Content-Type", isEvents ? "text/event-stream" : contentTypeOf(query.format));
  c.header("Vary", "Accept");
  c.header("Cache-Control", "no-store");
  // nginx gathers an answer before it hands it on, unless it is told not to.
  c.header("X-Accel-Buffering", "no");
  const coverage = measureCoverage(parts, sinceMs, Math.max(nowMs, sinceMs + 1));
  // Lines that are held now will be in this answer, as soon as the disk takes them. So all of them count.
  const held = parts.archive.held()?.lines ?? 0;
  c.header(COVERAGE_HEADER, formatCoverage({ ...coverage, held }));
  if (c.req.method === "HEAD") return c.body(null);
  try {
    const body = parts.followers.follow({
      filter: { ...query.filter, since: null },
      style: styleOf(query),
      isEvents,
      context,
      gapNotice: (gap, isNews) => {
        const seen = gapWithin(query.filter.scope, gap);
        if (isEvents) return namedEvent(isNews && isBack(gap) ? "healed" : "gap", gapAnswer(seen));
        const isResumed = context.kind === "resume" && gap.state !== "healed";
        const isShown = isNews || gap.untilMs === null || isResumed;
        if (query.format !== "text" || !isShown) return null;
        return new TextEncoder().encode(gapLine(seen, dayName(dayOf(parts.clock.now()))));
      },
      heldNotice: (held) => heldNotice(held, isEvents, query.format),
    });
    const isText = !isEvents && query.format === "text" && context.kind !== "resume";
    return c.body(isText ? withPastGaps(body, parts, query.filter) : body);
  } catch (error) {
    if (!(error instanceof FollowersBusy)) throw error;
    throw new Problem("too-many-followers", "Ask again later, when others have gone", {
      headers: [["Retry-After", RETRY_SECONDS]],
    });
  }
}

/** Whether lines of a gap were brought back. */
function isBack({ state }: Gap): boolean {
  return state === "healed" || state === "partial";
}

/** Puts the gaps that are over among the lines that come first, of which those that are not are told at once. */
function withPastGaps(
  body: ReadableStream<Uint8Array>,
  parts: Parts,
  { since = null, scope }: FilterSpec,
): ReadableStream<Uint8Array> {
  const nowMs = parts.clock.now();
  const gaps = parts.gaps.touching(since === null ? -Infinity : timestampMs(since), nowMs)
    .filter(({ untilMs, state }) => untilMs !== null && state !== "healed")
    .slice(-PAST_GAPS_LIMIT)
    .map((gap) => gapWithin(scope, gap));
  return withGapLines(body, { gaps, day: "", beginsWithLine: since === null, endsWithLine: true });
}

/** What a follower is told of lines that are held: an event, or a line among those of a text while there are some. */
function heldNotice(held: HeldLines, isEvents: boolean, format: LineQuery["format"]): Uint8Array | null {
  if (isEvents) return namedEvent("held", heldAnswer(held));
  return format === "text" && held.lines > 0 ? new TextEncoder().encode(heldLine(held)) : null;
}

/**
 * From when on an answer may lack lines, in milliseconds since 1970; null for from now on. Of a place to resume
 * from only the day is known without reading, as in a search.
 */
function startOf({ filter }: LineQuery, context: FollowContext): number | null {
  if (context.kind === "resume") return dayStartMs(context.id.own.day);
  return filter.since ? timestampMs(filter.since) : null;
}

/** What comes first. An event's id is newer than the address, which a browser asks again as it is. */
function contextOf(query: LineQuery, lastEventId: string | undefined): FollowContext {
  if (lastEventId !== undefined && lastEventId !== "") {
    const id = parseEventId(lastEventId);
    if (id !== null) return { kind: "resume", id };
    throw new Problem(
      "bad-parameter",
      `${LAST_ID_HEADER} must be the id of an event of /tail, not ${show(lastEventId)}`,
      { param: LAST_ID_HEADER },
    );
  }
  if (query.cursor !== null) {
    if (query.tail === null && !query.filter.since) {
      return { kind: "resume", id: { own: query.cursor, others: null } };
    }
    throw new Problem("bad-parameter", "cursor excludes since and tail: it says itself where to begin", {
      param: "cursor",
    });
  }
  const since = query.filter.since ?? null;
  if (query.tail !== null) return { kind: "tail", lines: query.tail, since, withinBytes: null };
  if (since !== null) return { kind: "since", since };
  return { kind: "tail", lines: DEFAULT_CONTEXT_LINES, since, withinBytes: DEFAULT_CONTEXT_BYTES };
}

/** Whether a client asks for events: by name, as EventSource does, since `*` means whatever is usual. */
function acceptsEvents(accept: string | undefined): boolean {
  return acceptsByName(accept, "text/event-stream");
}
