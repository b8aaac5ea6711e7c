/**
 * Promises that lines which repeat are counted and not merged: the same line five times is five lines.
 *
 * @module
 */

/**
 * A multiset holds at most this many different keys. One takes about 80 bytes when it is an identity (measured), so all
 * together 40 MB. Whoever has more to compare compares a shorter span of time.
 */
export const MULTISET_KEYS_LIMIT = 500_000;

/** Counts how often each key was put in. */
export class Multiset {
  readonly #counts = new Map<string, number>();
  readonly #keysLimit: number;
  #size = 0;

  /** Holds at most `keysLimit` different keys. */
  constructor(keysLimit: number = MULTISET_KEYS_LIMIT) {
    this.#keysLimit = keysLimit;
  }

  /** How many keys are in it, repeats counted. */
  get size(): number {
    return this.#size;
  }

  /** How often `key` is in it. */
  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /**
   * Puts `key` in once more.
   *
   * @throws {RangeError} If it is a new one and there are as many as may be.
   */
  add(key: string): void {
    const count = this.count(key);
    if (count === 0 && this.#counts.size >= this.#keysLimit) {
      throw new RangeError(
        `Cannot compare so many lines at once: there are more than ${this.#keysLimit} different ones`,
      );
    }
    this.#counts.set(key, count + 1);
    this.#size++;
  }

  /** Takes `key` out once, and tells whether it was in. */
  take(key: string): boolean {
    const count = this.count(key);
    if (count === 0) return false;
    if (count === 1) this.#counts.delete(key);
    else this.#counts.set(key, count - 1);
    this.#size--;
    return true;
  }

  /** Takes all out. */
  clear(): void {
    this.#counts.clear();
    this.#size = 0;
  }
}

/**
 * Yields what they have and we have not, in their order: of each key `max(0, theirs − ours)`, the last ones of theirs. What
 * they have is read one by one and not kept; it is taken out of `ours`, in which at the end only that is left which they
 * have not.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { missing, Multiset } from "./multiset.ts";
 *
 * const ours = new Multiset();
 * for (const key of ["a", "a", "b", "d"]) ours.add(key);
 * assert.deepEqual([...missing(["a", "b", "a", "c", "a"], ours, (key) => key)], ["c", "a"]);
 * assert.equal(ours.size, 1);
 * ```
 */
export function* missing<T>(
  theirs: Iterable<T>,
  ours: Multiset,
  keyOf: (item: T) => string,
): Generator<T, void, void> {
  for (const item of theirs) if (!ours.take(keyOf(item))) yield item;
}
