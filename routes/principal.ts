/**
 * Promises that nobody sees a line that is outside of their scope: who asks is known of every request that is answered,
 * what reads lines asks within the scope, and what does not is refused to everyone who may not see the whole archive.
 *
 * @module
 */

import type { Context, Next } from "hono";
import type { FilterSpec } from "../lib/filter/filter.ts";
import type { Gap } from "../lib/gaps/gap.ts";
import { intersectFilters } from "../lib/filter/scope.ts";
import { Problem } from "./problem.ts";
import type { LineQuery } from "./query.ts";

/** Somebody who asks. */
export interface Principal {
  /** Which lines they may see; null for the whole archive. */
  readonly scope: FilterSpec | null;
}

/** Whoever may see everything. */
export const WHOLE_ARCHIVE: Principal = { scope: null };

/** What authentication adds to the context of a request. */
export interface PrincipalEnv {
  /** See `Variables` of Hono. */
  Variables: {
    /** Who asks. */
    principal: Principal;
  };
}

/**
 * Who asks.
 *
 * @throws {Error} Where authentication has not said so: then nothing is answered.
 */
export function principalOf(c: Context<PrincipalEnv>): Principal {
  const principal: Principal | undefined = c.get("principal");
  if (principal === undefined) throw new Error("Cannot tell who asks: nothing has authenticated the request");
  return principal;
}

/** A question within what its principal may see. Whatever reads lines for somebody asks only what this returns. */
export function withinScope(c: Context<PrincipalEnv>, query: LineQuery): LineQuery {
  return { ...query, filter: intersectFilters(query.filter, principalOf(c).scope) };
}

/**
 * A gap as somebody with this scope may see it: when it was and whether it is healed is no secret, but how many lines came
 * back is a count of everybody's lines.
 */
export function gapWithin(scope: FilterSpec | null | undefined, gap: Gap): Gap {
  return scope && gap.healing !== null ? { ...gap, healing: null } : gap;
}

/**
 * The answers that hold nothing outside of a scope: lines that are asked for by {@linkcode withinScope}, and what is
 * about no line at all. A path is compared without the slash at its end.
 */
const WITHIN_SCOPE: readonly ((path: string, parameters: URLSearchParams) => boolean)[] = [
  (path) => ["/search", "/tail", "/gaps", "/ready", "/health"].includes(path),
  // Without parameters it is the whole day, a file as it lies on the disk.
  (path, parameters) => /^\/logs\/[^/]+$/.test(path) && parameters.size > 0,
  // Without this parameter it is the list of the days.
  (path, parameters) => path === "" && parameters.has("around"),
  (path) => path.startsWith("/assets/"),
];

/**
 * Refuses all other answers to everyone whose scope is not the whole archive: whole days, lists and counts of days, the
 * status. What is added is refused until it stands above.
 *
 * @throws {Problem} 403 for what is of the whole archive.
 */
export function refuseOutOfScope(c: Context<PrincipalEnv>, next: Next): Promise<void> {
  const { pathname, searchParams } = new URL(c.req.url);
  const path = pathname.replace(/\/$/, "");
  if (WITHIN_SCOPE.some((holds) => holds(path, searchParams)) || principalOf(c).scope === null) return next();
  throw new Problem(
    "out-of-scope",
    "Ask for /search or /tail, or for /logs/{day} with parameters: they have the lines that this token may see",
  );
}
