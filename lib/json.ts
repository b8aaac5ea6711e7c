/**
 * Promises that a text which is no JSON is a value like any other to those who read files that may be damaged.
 *
 * @module
 */

/**
 * What a text says as JSON; undefined, which no JSON text says, where it is none.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseJson('{"id":1}'), { id: 1 });
 * assert.equal(parseJson('{"id":1'), undefined);
 * ```
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
