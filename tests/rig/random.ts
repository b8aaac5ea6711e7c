/**
 * Promises the same numbers for the same seed, so that what failed can be run again (the generator known as mulberry32).
 *
 * @module
 */

/** Makes a generator of numbers from 0 to below 1. */
export function createRandom(seed: number): () => number {
  const next = createRandomBits(seed);
  return () => next() / 2 ** 32;
}

/** Makes a generator of whole numbers from 0 to below the limit that it is given. */
export function createRandomBelow(seed: number): (limit: number) => number {
  const next = createRandomBits(seed);
  return (limit) => next() % limit;
}

/** One of `values`. */
export function pick<T>(values: readonly T[], random: () => number): T {
  return values[Math.floor(random() * values.length)]!;
}

/** Makes a generator of whole numbers of 32 bits. */
function createRandomBits(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
