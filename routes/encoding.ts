/**
 * Promises to read Accept-Encoding the way RFC 9110 section 12.5.3 has it.
 *
 * @module
 */

/**
 * Whether gzip is what a client would rather have: named, or covered by `*`, with a quality above zero and not
 * below that of identity. Without the header a client gets the plain bytes, since `curl` saves what it gets.
 *
 * @example What clients send
 * ```ts
 * import assert from "node:assert/strict";
 * import { prefersGzip } from "./encoding.ts";
 *
 * assert.ok(prefersGzip("gzip, deflate, br"));
 * assert.ok(!prefersGzip("gzip;q=0.5, identity"));
 * assert.ok(!prefersGzip(undefined));
 * ```
 */
export function prefersGzip(header: string | undefined): boolean {
  const qualities = new Map<string, number>();
  for (const part of (header ?? "").toLowerCase().split(",")) {
    const [coding, ...parameters] = part.split(";").map((one) => one.trim());
    qualities.set(coding!, readQuality(parameters));
  }
  const gzip = qualities.get("gzip") ?? qualities.get("x-gzip") ?? qualities.get("*") ?? 0;
  return gzip > 0 && gzip >= (qualities.get("identity") ?? 0);
}

function readQuality(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  if (weight === undefined) return 1;
  return /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight.slice(2)) : 0;
}
