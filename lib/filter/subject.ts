/**
 * Promises to know, as a NATS server does, which subjects a subscription gets: also for lines that came another way and have
 * the parts of a subject only, not all of which may be known.
 *
 * @module
 */

/**
 * Whether a subscription to `pattern`, in which `*` stands for one token and `>` for one or more at the end, gets the subject
 * made of `tokens`. Null is a token that is not known: `ifUnknown` says whether it is taken for the one that the pattern wants.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { subjectMatches } from "./subject.ts";
 *
 * assert.equal(subjectMatches("logs.web.>", ["logs", "web", "fra", "0e28"]), true);
 * assert.equal(subjectMatches("logs.*.fra.*", ["logs", "web", null, "0e28"]), false);
 * assert.equal(subjectMatches("logs.*.fra.*", ["logs", "web", null, "0e28"], true), true);
 * ```
 */
export function subjectMatches(
  pattern: string,
  tokens: readonly (string | null)[],
  ifUnknown = false,
): boolean {
  const wanted = pattern.split(".");
  const isOpen = wanted.at(-1) === ">";
  const fixed = isOpen ? wanted.slice(0, -1) : wanted;
  if (isOpen ? tokens.length <= fixed.length : tokens.length !== fixed.length) return false;
  return fixed.every((token, place) => {
    const given = tokens[place]!;
    return token === "*" || (given === null ? ifUnknown : token === given);
  });
}
