/**
 * Promises one shape for what looks at the bytes of a connection on their way, or leaves some out.
 *
 * @module
 */

/** Looks at the bytes of one direction of one connection, in their order. */
export interface ByteFilter {
  /**
   * Takes the bytes that came next, cut anywhere, and returns those that are passed on now. What is returned may be a view of
   * `bytes`, and is to be used before the next call.
   */
  pass(bytes: Uint8Array): Uint8Array;
}
