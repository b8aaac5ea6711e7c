/**
 * Promises a volume of its own that is small enough to be filled, where that is allowed.
 *
 * @module
 */

import { join } from "node:path";

/** The filler grows by this much at a time, in bytes. */
const FILL_BYTES = 64 * 1024;

/** A tmpfs that is gone at the end. */
export class SmallVolume implements AsyncDisposable {
  /** Where it is mounted. */
  readonly directory: string;
  readonly #filler: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.#filler = join(directory, "filler");
  }

  /**
   * Mounts one of `sizeBytes`; `options` are mount's.
   *
   * @throws {Error} If that is not allowed, with the system's words.
   */
  static async mount(sizeBytes: number, options = "rw"): Promise<SmallVolume> {
    const directory = await Deno.makeTempDir({ prefix: "flightlog-volume-" });
    try {
      await run("mount", "-t", "tmpfs", "-o", `size=${sizeBytes},${options}`, "tmpfs", directory);
    } catch (error) {
      await Deno.remove(directory);
      throw error;
    }
    return new SmallVolume(directory);
  }

  /** Writes until nothing more fits. */
  async fill(): Promise<void> {
    const bytes = new Uint8Array(FILL_BYTES);
    using file = await Deno.open(this.#filler, { append: true, create: true });
    try {
      while (true) await file.write(bytes);
    } catch (error) {
      if (!/os error 28/.test((error as Error).message)) throw error;
    }
  }

  /** Takes back what {@linkcode SmallVolume.fill} wrote. */
  async free(): Promise<void> {
    await Deno.remove(this.#filler);
  }

  /** Unmounts it, also while a file is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", "-l", this.directory);
    await Deno.remove(this.directory);
  }
}

async function tryMount(): Promise<boolean> {
  try {
    await using _volume = await SmallVolume.mount(FILL_BYTES);
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

/** Whether a tmpfs can be mounted here: it takes Linux and root. */
export const canMount: boolean = await tryMount();
