/**
 * Promises a file system that is soon full, where this process is allowed to mount one.
 *
 * @module
 */

/** A tmpfs of its own. */
export class SmallDisk implements Disposable {
  readonly path: string;

  /** Mounts it. `size` is in bytes. */
  constructor(size: number) {
    this.path = Deno.makeTempDirSync({ prefix: "flightlog_disk_" });
    if (!mount(size, this.path)) {
      Deno.removeSync(this.path);
      throw new Error("Cannot mount a tmpfs: not allowed");
    }
  }

  /** Fills it to its last byte, with a file that gives the room back when it is removed. */
  fill(): void {
    using file = Deno.openSync(`${this.path}/filling`, { write: true, create: true });
    for (const size of [65_536, 4096, 1]) {
      try {
        while (file.writeSync(new Uint8Array(size)) > 0);
      } catch (error) {
        if (!/os error 28/.test(String(error))) throw error;
      }
    }
  }

  /** Gives the room back. */
  empty(): void {
    Deno.removeSync(`${this.path}/filling`);
  }

  [Symbol.dispose](): void {
    const { success } = new Deno.Command("umount", { args: [this.path] }).outputSync();
    if (!success) throw new Error(`Cannot unmount "${this.path}": it is in use`);
    Deno.removeSync(this.path);
  }

  /** Whether this process may mount one; without, tests that need it are ignored. */
  static isAllowed(): boolean {
    try {
      using _disk = new SmallDisk(65_536);
      return true;
    } catch {
      return false;
    }
  }
}

function mount(size: number, path: string): boolean {
  try {
    const args = ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path];
    return new Deno.Command("mount", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
