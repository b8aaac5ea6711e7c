/**
 * Promises what another recorder says is missing there, as spans of time, or an error that says why that cannot be told.
 *
 * @module
 */

import * as v from "valibot";
import type { Span } from "../../gaps/gap.ts";
import { joinSpans } from "../../gaps/spans.ts";
import { gapsSchema } from "../../../routes/wire/gaps.ts";
import { parseJson } from "../../json.ts";
import { PeerError } from "./peer_error.ts";

/**
 * The spans within `whole` of which `peer` may lack lines, by `text`, its answer to `GET /gaps`: its gaps that are not healed,
 * sorted, in whole milliseconds; those that touch are one. A gap that lasts goes on to the end, and one of no length takes a
 * millisecond.
 *
 * @throws {PeerError} `foreign` if it is no such answer.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const gap = { since: "2026-11-22T10:00:11.200Z", until: null, cause: "stall", state: "open", healed: null, reason: null };
 * const whole = { sinceMs: Date.parse("2026-11-22T10:00:00Z"), untilMs: Date.parse("2026-11-22T10:01:00Z") };
 * assert.deepEqual(readPeerGaps(JSON.stringify({ gaps: [gap] }), "http://b:8080", whole), [
 *   { sinceMs: Date.parse("2026-11-22T10:00:11.200Z"), untilMs: whole.untilMs },
 * ]);
 * ```
 */
export function readPeerGaps(text: string, peer: string, whole: Span): Span[] {
  const result = v.safeParse(gapsSchema, parseJson(text));
  const gaps = result.success ? result.output.gaps : [];
  const spans = gaps.filter(({ state }) => state !== "healed").map(({ since, until }) => {
    const sinceMs = Date.parse(since);
    return { sinceMs, untilMs: until === null ? Infinity : Math.max(Date.parse(until), sinceMs + 1) };
  });
  // A time such as that of a 99th of May has the right form, and is none.
  if (!result.success || spans.some(({ sinceMs, untilMs }) => Number.isNaN(sinceMs + untilMs))) {
    throw new PeerError(
      "foreign",
      `"${peer}" answers with no list of gaps of a Flightlog; check its address in PEERS, and that both are of one version`,
    );
  }
  return joinSpans(spans, whole);
}
