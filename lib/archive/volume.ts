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
 * Whether `path` lies, or would lie, on another file system than the root. On a Fly machine the root is
 * thrown away with each deploy.
 */
export async function isOnOwnVolume(path: string): Promise<boolean> {
  for (let place = resolve(path);; place = dirname(place)) {
    if (!await exists(place)) continue;
    return (await Deno.stat(place)).dev !== (await Deno.stat("/")).dev;
  }
}
