/**
 * Promises a copy of an archive as a crash at this moment would leave it, while the recorder that writes it goes on.
 *
 * @module
 */

import { join } from "node:path";

/** Copies the files of an archive as they are at this moment, with their times: what a crash leaves. */
export async function copyAsCrashed(from: string, to: string): Promise<void> {
  for (const { name } of Deno.readDirSync(from)) {
    Deno.copyFileSync(join(from, name), join(to, name));
    const { mtime } = Deno.statSync(join(from, name));
    await Deno.utime(join(to, name), mtime!, mtime!);
  }
}
