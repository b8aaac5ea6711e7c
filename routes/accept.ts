/**
 * Promises to read Accept (RFC 9110 section 12.5.1) for the forms that only some clients understand.
 *
 * @module
 */

/**
 * Whether a client asks for `type` by its name, with a quality above zero. A wildcard does not count: terminals send one,
 * and mean whatever is usual.
 *
 * @example A browser, and curl
 * ```ts
 * import assert from "node:assert/strict";
 * import { acceptsByName } from "./accept.ts";
 *
 * assert.ok(acceptsByName("text/html,application/xhtml+xml;q=0.9", "text/html"));
 * assert.ok(!acceptsByName("*" + "/*", "text/html"));
 * ```
 */
export function acceptsByName(header: string | undefined, type: string): boolean {
  return (header ?? "").split(",").some((range) => {
    const [name, ...parameters] = range.toLowerCase().split(";").map((part) => part.trim());
    return name === type && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
