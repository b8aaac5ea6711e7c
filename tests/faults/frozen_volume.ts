/**
 * Promises a volume of its own that really stalls: while it is frozen, as for a snapshot, the kernel lets every
 * write to it wait, and whoever writes with it. It needs Linux, root, a loop device and ext4.
 *
 * @module
 */

import { join } from "node:path";

/** Its size: room for what a test records, in bytes. */
const SIZE_BYTES = 512 * 1024 * 1024;

/** An ext4 in a file that is gone at the end. */
export class FrozenVolume implements AsyncDisposable {
  /** Where it is mounted. */
  readonly directory: string;
  readonly #base: string;
  #isFrozen = false;

  private constructor(base: string, directory: string) {
    this.#base = base;
    this.directory = directory;
  }

  /**
   * Makes and mounts one, which is not frozen yet.
   *
   * @throws {Error} If that is not allowed, with the system's words.
   */
  static async mount(): Promise<FrozenVolume> {
    const base = await Deno.makeTempDir({ prefix: "flightlog-frozen-" });
    const image = join(base, "image");
    const directory = join(base, "volume");
    try {
      await Deno.mkdir(directory);
      await Deno.writeFile(image, new Uint8Array());
      await Deno.truncate(image, SIZE_BYTES);
      await run("mkfs.ext4", "-q", "-F", image);
      await run("mount", "-o", "loop", image, directory);
    } catch (error) {
      await Deno.remove(base, { recursive: true });
      throw error;
    }
    return new FrozenVolume(base, directory);
  }

  /** Takes nothing from now on. */
  async freeze(): Promise<void> {
    await run("fsfreeze", "--freeze", this.directory);
    this.#isFrozen = true;
  }

  /** Takes everything again. */
  async thaw(): Promise<void> {
    await run("fsfreeze", "--unfreeze", this.directory);
    this.#isFrozen = false;
  }

  /** Thaws and unmounts it, also while a file is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isFrozen) await this.thaw();
    await run("umount", "-l", this.directory);
    await Deno.remove(this.#base, { recursive: true });
  }
}

async function tryFreeze(): Promise<boolean> {
  try {
    await using volume = await FrozenVolume.mount();
    await volume.freeze();
    return true;
  } catch {
    return false;
  }
}

async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdin: "null", stdout: "null" })
    .output();
  if (!success) {
    throw new Error(`Cannot run "${command} ${args.join(" ")}": ${new TextDecoder().decode(stderr)}`);
  }
}

/** Whether a volume can be frozen here. */
export const canFreeze: boolean = await tryFreeze();
