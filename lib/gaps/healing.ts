/**
 * Promises that what is remembered of the healing of a gap stays small, whatever a source calls itself or says, and is
 * one account where several become one.
 *
 * @module
 */

import type { GapHealing, HealingSource } from "./gap.ts";

/** At most so many sources of one gap are told apart; the lines of further ones are counted together. */
export const HEALING_SOURCES_LIMIT = 8;

/** A source's name is never longer than this, in characters, which are printable ASCII. */
export const SOURCE_NAME_LIMIT = 200;

/** A reason is never longer than this, in UTF-16 code units. */
export const HEALING_REASON_LIMIT = 300;

/** Stands for all sources that brought fewer lines than the {@linkcode HEALING_SOURCES_LIMIT} that are told apart. */
const OTHERS = "others";

/**
 * The same within the limits: what is too long is cut, what is no printable character, as what steers a terminal, becomes a
 * question mark in a name and a space in a reason, and the sources with the fewest lines become one, named `others`, where there are too many.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const sources = [{ name: "fly", lines: 3 }, { name: "http://\n", lines: 1 }, { name: "fly", lines: 2 }];
 * assert.deepEqual(fitHealing({ sources, atMs: 5, doneUntilMs: null, reason: "a\nb" }), {
 *   sources: [{ name: "fly", lines: 5 }, { name: "http://?", lines: 1 }],
 *   atMs: 5,
 *   doneUntilMs: null,
 *   reason: "a b",
 * });
 * ```
 */
export function fitHealing({ sources, atMs, doneUntilMs, reason }: GapHealing): GapHealing {
  return {
    sources: fitSources(sources),
    atMs: Math.floor(atMs),
    doneUntilMs: doneUntilMs === null ? null : Math.floor(doneUntilMs),
    // Cut first: a cut in the middle of a character leaves half of one, which becomes a replacement character.
    reason: reason === null
      ? null
      : reason.slice(0, HEALING_REASON_LIMIT).toWellFormed().replace(/[\p{Cc}\p{Cf}]+/gu, " "),
  };
}

/**
 * What is known of the healing of two gaps that become one, or of two looks at the same gap: the lines of each source
 * together, the later moment, and the first reason that there is. How far they were looked through is told only where both
 * were, as far as both.
 *
 * @example Two looks at one gap
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const peer = { sources: [{ name: "http://b:8080", lines: 7 }], atMs: 1000, doneUntilMs: null, reason: "not all came" };
 * const fly = { sources: [{ name: "fly", lines: 2 }], atMs: 9000, doneUntilMs: null, reason: null };
 * assert.deepEqual(joinHealings(peer, fly), {
 *   sources: [{ name: "http://b:8080", lines: 7 }, { name: "fly", lines: 2 }],
 *   atMs: 9000,
 *   doneUntilMs: null,
 *   reason: "not all came",
 * });
 * ```
 */
export function joinHealings(a: GapHealing, b: GapHealing): GapHealing {
  return {
    sources: fitSources([...a.sources, ...b.sources]),
    atMs: Math.max(a.atMs, b.atMs),
    doneUntilMs: a.doneUntilMs === null || b.doneUntilMs === null
      ? null
      : Math.min(a.doneUntilMs, b.doneUntilMs),
    reason: a.reason ?? b.reason,
  };
}

/** How many lines all sources have brought. */
export function healedLines(healing: GapHealing | null): number {
  return healing === null ? 0 : healing.sources.reduce((sum, { lines }) => sum + lines, 0);
}

/**
 * Who brought how many lines, for people: "412 lines from fly, 1 line from http://b:8080", or, where nobody brought any,
 * "no line was missing, says fly"; empty where nobody was asked.
 */
export function sourcesWords({ sources }: GapHealing): string {
  const givers = sources.filter(({ lines }) => lines > 0);
  if (givers.length > 0) {
    return givers.map(({ name, lines }) => `${linesWords(lines)} from ${name}`).join(", ");
  }
  if (sources.length === 0) return "";
  return `no line was missing, ${sources.length === 1 ? "says" : "say"} ${
    sources.map(({ name }) => name).join(" and ")
  }`;
}

function linesWords(lines: number): string {
  return lines === 1 ? "1 line" : `${lines.toLocaleString("en-US")} lines`;
}

/** Each name once, in the order in which they came, and no more than there may be. */
function fitSources(sources: readonly HealingSource[]): HealingSource[] {
  const byName = new Map<string, number>();
  for (const { name, lines } of sources) {
    const fitting = name.slice(0, SOURCE_NAME_LIMIT).replace(/[^\x20-\x7e]/g, "?");
    byName.set(fitting, (byName.get(fitting) ?? 0) + lines);
  }
  const all = [...byName].map(([name, lines]) => ({ name, lines }));
  if (all.length <= HEALING_SOURCES_LIMIT) return all;
  const largest = all.filter(({ name }) => name !== OTHERS).toSorted((a, b) => b.lines - a.lines)
    .slice(0, HEALING_SOURCES_LIMIT - 1);
  const shown = all.filter((source) => largest.includes(source));
  const rest = all.filter((source) => !largest.includes(source));
  return [...shown, { name: OTHERS, lines: rest.reduce((sum, { lines }) => sum + lines, 0) }];
}
