/**
 * Promises what the operating system says of the volume that the archive lies on.
 *
 * @module
 */

import { exists } from "@std/fs";
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** How full a volume is. Bytes are those that this process may use: what is reserved for root counts as used. */
export interface VolumeUsage {
  /** The size of the volume. */
  totalBytes: number;
  /** What can still be written. */
  availableBytes: number;
  /** The share that cannot, from 0 to 100. */
  usedPercent: number;
}

/** Asks how full the volume is that holds `path`. */
export async function readVolumeUsage(path: string): Promise<VolumeUsage> {
  const { bsize, blocks, bavail } = await statfs(path);
  return {
    totalBytes: blocks * bsize,
    availableBytes: bavail * bsize,
    usedPercent: blocks === 0 ? 0 : (1 - bavail / blocks) * 100,
  };
}

/**
 * Makes sure that `path` lies, or would lie, on another file system than the root: that of a Fly machine is
 * thrown away with each deploy.
 *
 * @throws {Error} If it does not.
 */
export async function requireOwnVolume(path: string): Promise<void> {
  let place = resolve(path);
  while (!await exists(place)) place = dirname(place);
  if ((await Deno.stat(place)).dev !== (await Deno.stat("/")).dev) return;
  throw new Error(`"${path}" is not on a volume and would be lost with the next deploy: mount one there`);
}
