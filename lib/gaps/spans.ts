/**
 * Promises what several spans of time are together, what they have in common, and what lies in none of them: sorted, none empty,
 * and none touching the next one.
 *
 * @module
 */

import type { Span } from "./gap.ts";

/**
 * What `spans`, in any order, are within `whole`. Those that overlap or touch become one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const spans = [{ sinceMs: 70, untilMs: 200 }, { sinceMs: 10, untilMs: 20 }, { sinceMs: 20, untilMs: 30 }];
 * assert.deepEqual(joinSpans(spans, { sinceMs: 15, untilMs: 100 }), [
 *   { sinceMs: 15, untilMs: 30 },
 *   { sinceMs: 70, untilMs: 100 },
 * ]);
 * ```
 */
export function joinSpans(spans: readonly Span[], whole: Span): Span[] {
  const joined: { sinceMs: number; untilMs: number }[] = [];
  for (const span of spans.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
    const sinceMs = Math.max(span.sinceMs, whole.sinceMs);
    const untilMs = Math.min(span.untilMs, whole.untilMs);
    if (sinceMs >= untilMs) continue;
    const last = joined.at(-1);
    if (last !== undefined && sinceMs <= last.untilMs) last.untilMs = Math.max(last.untilMs, untilMs);
    else joined.push({ sinceMs, untilMs });
  }
  return joined;
}

/**
 * What of `whole` lies in none of `spans`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(outsideSpans([{ sinceMs: 40, untilMs: 45 }], { sinceMs: 0, untilMs: 100 }), [
 *   { sinceMs: 0, untilMs: 40 },
 *   { sinceMs: 45, untilMs: 100 },
 * ]);
 * ```
 */
export function outsideSpans(spans: readonly Span[], whole: Span): Span[] {
  const outside: Span[] = [];
  let sinceMs = whole.sinceMs;
  for (const span of joinSpans(spans, whole)) {
    if (sinceMs < span.sinceMs) outside.push({ sinceMs, untilMs: span.sinceMs });
    sinceMs = span.untilMs;
  }
  if (sinceMs < whole.untilMs) outside.push({ sinceMs, untilMs: whole.untilMs });
  return outside;
}

/**
 * What lies in some of `a` and in some of `b`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const a = [{ sinceMs: 0, untilMs: 10 }, { sinceMs: 50, untilMs: 60 }];
 * assert.deepEqual(commonSpans(a, [{ sinceMs: 8, untilMs: 50 }]), [{ sinceMs: 8, untilMs: 10 }]);
 * ```
 */
export function commonSpans(a: readonly Span[], b: readonly Span[]): Span[] {
  const everything = { sinceMs: -Infinity, untilMs: Infinity };
  return joinSpans(b.flatMap((span) => joinSpans(a, span)), everything);
}
