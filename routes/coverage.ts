/**
 * Promises that an answer with lines says whether lines may be missing from it: absence of lines must never
 * look like absence of events.
 *
 * @module
 */

import type { Gap } from "../lib/gap.ts";
import type { Parts } from "./parts.ts";

/** The header that every answer with lines carries. */
export const COVERAGE_HEADER = "Log-Coverage";

/** How much of a span was recorded. */
export interface Coverage {
  /** How many gaps touch the span that are not healed. */
  gaps: number;
  /** How much of the span lies in them, in milliseconds; where they overlap it counts once. */
  missingMs: number;
}

/** Measures `[sinceMs, untilMs)`; what lies behind now cannot be missing yet. */
export function measureCoverage(
  parts: Pick<Parts, "gaps" | "clock">,
  sinceMs: number,
  untilMs: number,
): Coverage {
  const endMs = Math.min(untilMs, parts.clock.now());
  const open = parts.gaps.touching(sinceMs, untilMs).filter((gap) => gap.state !== "healed");
  return { gaps: open.length, missingMs: missingMs(open, sinceMs, endMs) };
}

function missingMs(gaps: readonly Gap[], sinceMs: number, endMs: number): number {
  let missing = 0;
  let countedMs = sinceMs;
  for (const gap of gaps.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
    const fromMs = Math.max(gap.sinceMs, countedMs);
    const toMs = Math.min(gap.untilMs ?? endMs, endMs);
    if (toMs <= fromMs) continue;
    missing += toMs - fromMs;
    countedMs = toMs;
  }
  return missing;
}

/** The value of {@linkcode COVERAGE_HEADER}. A part of a second counts as one. */
export function formatCoverage(coverage: Coverage): string {
  if (coverage.gaps === 0) return "complete";
  return `partial; gaps=${coverage.gaps}; seconds=${Math.ceil(coverage.missingMs / 1000)}`;
}

/** A gap as answers show it. Field names and words are part of the API. */
export interface GapAnswer {
  /** The last moment that is known good, RFC 3339 UTC. */
  since: string;
  /** The first moment that is known good again; null while the gap lasts. */
  until: string | null;
  /** Why nobody recorded. */
  cause: Gap["cause"];
  /** What has become of it. */
  state: Gap["state"];
}

/** Writes a gap as answers show it. */
export function gapAnswer(gap: Gap): GapAnswer {
  return {
    since: new Date(gap.sinceMs).toISOString(),
    until: gap.untilMs === null ? null : new Date(gap.untilMs).toISOString(),
    cause: gap.cause,
    state: gap.state,
  };
}
