/**
 * Promises that what waits for the clock most of the time is done beside others like it, and that nothing of it still runs when all
 * is over, also when something has failed.
 *
 * @module
 */

/**
 * Does `run` for each of `items`, so many at once as there are `lanes`. After a failure nothing new is begun.
 *
 * @throws What failed first, when everything that was begun is over.
 */
export async function inLanes<T>(
  items: Iterable<T>,
  lanes: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const failures: unknown[] = [];
  async function lane(): Promise<void> {
    while (failures.length === 0) {
      const { done, value } = left.next();
      if (done) return;
      await run(value).catch((error) => failures.push(error));
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failures.length > 0) throw failures[0];
}
