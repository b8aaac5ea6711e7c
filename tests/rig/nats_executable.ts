/**
 * Promises to find a nats-server on this machine, or to say how to get one.
 *
 * @module
 */

import { ensureDir, exists } from "@std/fs";
import { join } from "node:path";

/** Where else than on PATH distributions put it; Debian's `sbin` is not on a user's PATH. */
const DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"];

let found: Promise<string> | undefined;

/**
 * The path of a nats-server: from PATH or the usual directories, else Debian's package, unpacked without
 * root into the user's cache.
 *
 * @throws {Error} If there is none and the package cannot be fetched.
 */
export function findNatsServer(): Promise<string> {
  found ??= find();
  return found;
}

async function find(): Promise<string> {
  for (const directory of [...(Deno.env.get("PATH") ?? "").split(":").filter(Boolean), ...DIRECTORIES]) {
    const path = join(directory, "nats-server");
    if (await exists(path, { isFile: true })) return path;
  }
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "/tmp", ".cache");
  const directory = join(cache, "flightlog", "nats-server");
  const path = join(directory, "usr", "sbin", "nats-server");
  if (await exists(path, { isFile: true })) return path;
  try {
    await unpackDebianPackage(directory);
    await Deno.stat(path);
  } catch (error) {
    throw new Error(
      "Cannot find nats-server: install it with `apt-get install nats-server`, `brew install nats-server`, " +
        "or from https://github.com/nats-io/nats-server/releases, and put it on PATH",
      { cause: error },
    );
  }
  return path;
}

async function unpackDebianPackage(directory: string): Promise<void> {
  await ensureDir(directory);
  await run("apt-get", ["download", "nats-server"], directory);
  for await (const { name } of Deno.readDir(directory)) {
    if (name.startsWith("nats-server_") && name.endsWith(".deb")) {
      await run("dpkg", ["-x", name, "."], directory);
    }
  }
}

async function run(command: string, args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, cwd, stdin: "null", stdout: "null" })
    .output();
  if (!success) {
    throw new Error(`Cannot run "${command} ${args.join(" ")}": ${new TextDecoder().decode(stderr)}`);
  }
}
