/**
 * Promises that a filter within a scope never matches a line that the scope leaves out, whatever the filter asks for.
 *
 * @module
 */

import type { FilterSpec } from "./filter.ts";

/**
 * The lines that both `spec` and `scope` ask for; a scope of null leaves none out.
 *
 * Lists of alternatives cannot be intersected as lists, since globs overlap: `api-*` and `*-test` both match `api-test`.
 * So the scope is kept beside them, and asked besides. A line without a time of its own is outside of a scope that has
 * `since` or `until`, since nothing shows that it lies within.
 *
 * @example Nobody gets lines of other apps by asking for them
 * ```ts
 * import assert from "node:assert/strict";
 * import { compileFilter, type FilterSpec } from "./filter.ts";
 * import { intersectFilters } from "./scope.ts";
 *
 * const all: FilterSpec = { apps: [], regions: [], instances: [], levels: [] };
 * const filter = compileFilter(intersectFilters({ ...all, apps: ["*-test"] }, { ...all, apps: ["api-*"] }));
 * const isFound = (app: string) => {
 *   const line = new TextEncoder().encode(`{"fly":{"app":{"name":"${app}"}},"message":"hello"}`);
 *   return filter.matches(line, 0, line.length);
 * };
 * assert.ok(isFound("api-test"));
 * assert.ok(!isFound("web-test"));
 * ```
 */
export function intersectFilters(spec: FilterSpec, scope: FilterSpec | null): FilterSpec {
  if (scope === null) return spec;
  const hasSpan = Boolean(scope.since ?? scope.until);
  const own: FilterSpec = hasSpan ? { ...scope, timedOnly: true } : scope;
  return { ...spec, scope: spec.scope ? intersectFilters(own, spec.scope) : own };
}
