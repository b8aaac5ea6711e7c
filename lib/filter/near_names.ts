/**
 * Promises to put first those of many names that somebody is likely to have meant.
 *
 * @module
 */

/** Names are compared by so many of their first characters. */
const COMPARED_LENGTH = 32;

/** A name is near when so few characters have to be changed, or when one is a part of the other. */
const NEAR_CHANGES = 2;

/**
 * Sorts names by how near they are to `wanted`, in any case of letters, and the others by themselves.
 *
 * @example A typo
 * ```ts
 * import assert from "node:assert/strict";
 * import { sortByNearness } from "./near_names.ts";
 *
 * assert.deepEqual(sortByNearness("wbe", ["api", "web"]), ["web", "api"]);
 * ```
 */
export function sortByNearness(wanted: string, names: readonly string[]): string[] {
  const target = comparable(wanted);
  const distances = new Map(names.map((name) => [name, distanceTo(target, comparable(name))]));
  return names.toSorted((a, b) => distances.get(a)! - distances.get(b)! || (a < b ? -1 : 1));
}

function comparable(name: string): string {
  return name.slice(0, COMPARED_LENGTH).toLowerCase();
}

/** How many characters have to be changed; the same large number for all names that are not near. */
function distanceTo(wanted: string, name: string): number {
  const isComparable = Math.abs(wanted.length - name.length) <= NEAR_CHANGES;
  const changes = isComparable ? editDistance(wanted, name) : Infinity;
  if (changes <= NEAR_CHANGES && changes < Math.max(wanted.length, name.length)) return changes;
  const isPart = wanted !== "" && name !== "" && (name.includes(wanted) || wanted.includes(name));
  return isPart ? NEAR_CHANGES + 1 : NEAR_CHANGES + 2;
}

/**
 * How many times a character is to be inserted, left out or replaced, or two that stand side by side exchanged, to
 * make one of the other (optimal string alignment).
 */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const exchanged = isExchanged ? before[j - 2]! + 1 : Infinity;
      next.push(Math.min(replaced, exchanged, row[j]! + 1, next[j - 1]! + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
