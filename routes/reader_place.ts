/**
 * Promises that no more clients read at once than there is memory for, and tells the others when to come back.
 *
 * @module
 */

import type { ReaderSlot } from "../lib/archive/read/line_reader.ts";
import { NoRoom } from "../lib/machine/memory_budget.ts";
import type { Parts } from "./parts.ts";
import { Problem } from "./problem.ts";

/** A client that is turned away is told to come back after so many seconds. */
const RETRY_SECONDS = "5";

/**
 * A place among those who read at once, waiting for it until the client has gone.
 *
 * @throws {Problem} 503 with Retry-After if there is none in time.
 */
export async function reserve(
  parts: Pick<Parts, "lines">,
  signal: AbortSignal,
  bytes?: number,
): Promise<ReaderSlot> {
  try {
    return await parts.lines.reserve(signal, bytes);
  } catch (error) {
    if (!(error instanceof NoRoom)) throw error;
    throw new Problem("too-many-readers", "Ask again in a few seconds, when others have got their lines", {
      headers: [["Retry-After", RETRY_SECONDS]],
    });
  }
}
