/**
 * Promises `POST /heal`: what is missing in a span of time is looked for now, whenever that was done last, and who asked
 * hears what came of it as it comes. It changes the archive, so it is for those who may see all of it, and for no page of
 * another site.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { Span } from "../lib/gaps/gap.ts";
import { PEERS_LIMIT_MS } from "../lib/heal/heal_plan.ts";
import { HealerBusy } from "../lib/heal/healer.ts";
import { timestampMs, timestampMsUp } from "../lib/timestamp.ts";
import { hasNoBeginning } from "./gap_words.ts";
import type { Parts } from "./parts.ts";
import { Problem } from "./problem.ts";
import { readLineQuery } from "./query.ts";
import { addAction } from "./resource.ts";
import { doneLine, type HealLine } from "./wire/heal.ts";

/** While nothing is found out, what is being done is said again this often, in milliseconds, so that nobody gives up waiting. */
const WORKING_MS = 10_000;

/** At most so many lines wait for a client that does not read; those after them are left out, but for the last one. */
const WAITING_LIMIT = 1000;

const encoder = new TextEncoder();

/** The route `/heal`. */
export function createHealRoutes(parts: Parts): Hono {
  const app = new Hono();
  addAction(app, "/heal", (c) => {
    refuseForeignPage(c);
    const span = readSpan(c.req.url, parts);
    if (!parts.healer.hasSource) {
      throw new Problem(
        "no-source",
        "Set PEERS to the addresses of other recorders of this stream, or on Fly HEAL_FROM_FLY=on, and start again",
      );
    }
    c.header("Content-Type", "application/x-ndjson");
    c.header("Cache-Control", "no-store");
    return c.body(healStream(span, parts));
  });
  return app;
}

/**
 * A span without a beginning begins where no source has anything any more, or where the time ends of which nothing was ever
 * recorded: that is not what somebody means who asks for all that is missing.
 */
function readSpan(url: string, { clock, gaps }: Pick<Parts, "clock" | "gaps">): Span {
  const nowMs = clock.now();
  const { since, until } = readLineQuery(url, ["since", "until"], nowMs).filter;
  const untilMs = until ? Math.ceil(timestampMsUp(until)) : nowMs;
  const unrecorded = gaps.touching(-Infinity, untilMs).find(hasNoBeginning);
  const firstMs = Math.max(nowMs - PEERS_LIMIT_MS, unrecorded?.untilMs ?? -Infinity);
  const sinceMs = since ? Math.floor(timestampMs(since)) : Math.min(firstMs, untilMs - 1);
  if (sinceMs < untilMs) return { sinceMs, untilMs };
  throw new Problem("bad-parameter", "since must be before now: what is to come cannot be missing", {
    param: "since",
  });
}

/**
 * A browser sends the password of Basic authentication with a form of any site. Only what it says of the page tells them
 * apart (Fetch Metadata, RFC 6454 for Origin).
 *
 * @throws {Problem} 403 where the page is of another site.
 */
function refuseForeignPage(c: Context): void {
  const origin = c.req.header("Origin");
  const site = c.req.header("Sec-Fetch-Site");
  const isOwn = origin === undefined ||
    (URL.canParse(origin) && new URL(origin).host === new URL(c.req.url).host);
  if (isOwn && (site === undefined || site === "same-origin" || site === "none")) return;
  throw new Problem("foreign-page", 'Ask from a terminal: curl -X POST with "Authorization: Bearer TOKEN"');
}

/** Begins to heal, and tells of it. Who goes away ends it: what was inserted by then stays. */
function healStream(span: Span, { healer, clock }: Parts): ReadableStream<Uint8Array<ArrayBuffer>> {
  const gone = new AbortController();
  let end: () => void = () => {};
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      const send = (line: HealLine): void => controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
      const tell = (what: string): void => {
        if (!gone.signal.aborted && (controller.desiredSize ?? 0) > -WAITING_LIMIT) {
          send({ event: "progress", what });
        }
      };
      const cancel = clock.every(WORKING_MS, () => {
        const { working } = healer.status();
        if (working !== null) tell(`Still working on ${working}`);
      });
      end = cancel;
      startHealing(() => healer.healNow(span, tell, gone.signal), cancel).then(
        ({ lines, gaps }) => send(doneLine(lines, gaps)),
        (error: Error) => {
          if (!gone.signal.aborted) send({ event: "failed", reason: error.message });
        },
      ).finally(() => {
        cancel();
        if (!gone.signal.aborted) controller.close();
      });
    },
    cancel() {
      end();
      gone.abort(new Error("Cannot go on healing: who asked for it has gone"));
    },
  }, { highWaterMark: 0 });
}

/**
 * Calls `start`, and `onRefused` where that throws.
 *
 * @throws {Problem} 409 where somebody has asked already.
 */
function startHealing<Result>(start: () => Promise<Result>, onRefused: () => void): Promise<Result> {
  try {
    return start();
  } catch (error) {
    onRefused();
    if (!(error instanceof HealerBusy)) throw error;
    throw new Problem("already-healing", error.message, { headers: [["Retry-After", "60"]] });
  }
}
