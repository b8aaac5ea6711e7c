/**
 * A worker that doubles numbers.
 *
 * @module
 */

import { serveWorker } from "../../lib/archive/worker_client.ts";

serveWorker((task: number | "throw" | "die"): number => {
  if (task === "throw") throw new Error("Cannot double: it is a word");
  if (task === "die") queueMicrotask(() => fail());
  return Number(task) * 2;
});

/** Outside of the task, so that nobody catches it. */
function fail(): never {
  throw new Error("dead");
}
