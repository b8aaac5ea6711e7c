/**
 * Promises how much memory the machine has for this program: what its container may take, or what there is.
 *
 * @module
 */

import { totalmem } from "node:os";
import process from "node:process";

/** In bytes: the limit of the memory cgroup, of either version, where there is one that is less than all. */
export function machineMemory(): number {
  const totalBytes = totalmem();
  const limitBytes = process.constrainedMemory();
  return limitBytes > 0 ? Math.min(limitBytes, totalBytes) : totalBytes;
}
