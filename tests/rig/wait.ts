/**
 * Promises that a wait for something that never comes ends with what it has waited for.
 *
 * @module
 */

/** How long a wait lasts at most, in milliseconds: far more than a busy machine needs. */
export const WAIT_LIMIT_MS = 60_000;

/**
 * Waits until something is so; looked at with each turn of the event loop.
 *
 * @throws {Error} If {@linkcode WAIT_LIMIT_MS} pass.
 */
export async function untilSo(isSo: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + WAIT_LIMIT_MS;
  while (!isSo()) {
    if (performance.now() > endMs) {
      throw new Error(`Cannot wait for ${what}: ${WAIT_LIMIT_MS} ms have passed`);
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/**
 * What `promise` resolves to.
 *
 * @throws {Error} If it rejects, or {@linkcode WAIT_LIMIT_MS} pass before it settles.
 */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Cannot wait for ${what}: ${WAIT_LIMIT_MS} ms have passed`)),
    WAIT_LIMIT_MS,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
