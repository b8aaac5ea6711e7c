/**
 * Promises a memory cgroup of its own for one process, where the kernel has them and lets us: it stands in for
 * a small machine at Fly.io. Knows both versions of cgroups.
 *
 * @module
 */

import { join } from "node:path";

/** Where version 1 has its memory controller, and version 2 everything. */
const V1_ROOT = "/sys/fs/cgroup/memory";
const V2_ROOT = "/sys/fs/cgroup";

/** What the kernel has written down about a group, in bytes. */
export interface MemoryBook {
  /** What the processes hold themselves; files that are cached, which the kernel can take back, left out. */
  anonymousBytes: number;
  /** The most that was charged to the group at one time, cached files included. */
  peakBytes: number;
  /** How many processes were killed for want of memory. */
  kills: number;
}

/** A group whose processes share a limit. */
export class MemoryCgroup implements Disposable {
  readonly #path: string;
  readonly #version: 1 | 2;

  private constructor(path: string, version: 1 | 2) {
    this.#path = path;
    this.#version = version;
  }

  /**
   * Makes one with room for `limitBytes` and no swap.
   *
   * @throws {Error} If that is not allowed here, with the system's words.
   */
  static create(limitBytes: number): MemoryCgroup {
    const version = shell('test -d "$0" && echo 1 || echo 2', V1_ROOT).startsWith("1") ? 1 : 2;
    const path = join(version === 1 ? V1_ROOT : V2_ROOT, `flightlog-${crypto.randomUUID()}`);
    shell('mkdir "$0"', path);
    const group = new MemoryCgroup(path, version);
    try {
      group.#write(version === 1 ? "memory.limit_in_bytes" : "memory.max", String(limitBytes));
      if (version === 2) group.#write("memory.swap.max", "0");
      return group;
    } catch (error) {
      shell('rmdir "$0"', path);
      throw error;
    }
  }

  /** The file into which a process writes its id to enter. */
  get entrance(): string {
    return join(this.#path, "cgroup.procs");
  }

  /** What the kernel has written down so far. */
  read(): MemoryBook {
    const stat = this.#read("memory.stat");
    const events = this.#read(this.#version === 1 ? "memory.oom_control" : "memory.events");
    return {
      anonymousBytes: numberAfter(this.#version === 1 ? "total_rss" : "anon", stat),
      peakBytes: Number(this.#read(this.#version === 1 ? "memory.max_usage_in_bytes" : "memory.peak")),
      kills: numberAfter("oom_kill", events),
    };
  }

  /** Removes it. Its processes have to be gone. */
  [Symbol.dispose](): void {
    shell('rmdir "$0"', this.#path);
  }

  #read(name: string): string {
    return shell('cat "$0"', join(this.#path, name));
  }

  #write(name: string, text: string): void {
    shell('echo "$1" > "$0"', join(this.#path, name), text);
  }
}

/** Why no memory cgroup can be made here; null where one can. */
export const whyNoCgroup: string | null = tryCgroup();

function tryCgroup(): string | null {
  try {
    using group = MemoryCgroup.create(64 * 1024 * 1024);
    group.read();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Through a shell: Deno itself touches /sys only for who may do everything. */
function shell(command: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command("sh", {
    args: ["-c", command, ...args],
    stdin: "null",
  })
    .outputSync();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot use a memory cgroup: ${decoder.decode(stderr).trim()}`);
  return decoder.decode(stdout);
}

function numberAfter(name: string, text: string): number {
  const found = new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1];
  if (found === undefined) throw new Error(`Cannot read a memory cgroup: no "${name}"`);
  return Number(found);
}
