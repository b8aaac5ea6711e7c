/**
 * Promises to find a nats-server on this machine, or to say how to get one.
 *
 * @module
 */

import { ensureDir, exists } from "@std/fs";
import { join } from "node:path";

/** Where else than on PATH distributions put it; Debian's `sbin` is not on a user's PATH. */
const DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"];

/**
 * There is no nats-server, which is for a person to put right: one sentence, and no stack, since no line of
 * the code has anything to do with it.
 */
export class MissingNatsServer extends Error {
  /** `failure` says why the package could not be fetched, if that was tried. */
  constructor(failure?: string) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(
      "Cannot find nats-server: install it with `apt-get install nats-server`, `brew install nats-server`, or " +
        "from https://github.com/nats-io/nats-server/releases, and put it on PATH" +
        (failure === undefined ? "" : ` (its Debian package could not be fetched: ${failure})`),
    );
    Error.stackTraceLimit = limit;
    this.name = "MissingNatsServer";
  }
}

/** Where a nats-server may be. */
export interface NatsServerPlaces {
  /** Directories that may have it, the first one wins. */
  directories: string[];
  /** Where the package is unpacked, and found again. */
  cache: string;
}

let found: Promise<string> | undefined;

/**
 * The path of a nats-server: from PATH or the usual directories, else Debian's package, unpacked without
 * root into the user's cache.
 *
 * @throws {MissingNatsServer} If there is none and the package cannot be fetched.
 */
export function findNatsServer(): Promise<string> {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "/tmp", ".cache");
  const onPath = (Deno.env.get("PATH") ?? "").split(":").filter(Boolean);
  found ??= findNatsServerIn({ directories: [...onPath, ...DIRECTORIES], cache });
  return found;
}

/**
 * As {@linkcode findNatsServer}, in these `places`.
 *
 * @throws {MissingNatsServer} If there is none and the package cannot be fetched.
 */
export async function findNatsServerIn(places: NatsServerPlaces): Promise<string> {
  const { directories, cache } = places;
  for (const directory of directories) {
    const path = join(directory, "nats-server");
    if (await exists(path, { isFile: true })) return path;
  }
  const directory = join(cache, "flightlog", "nats-server");
  const path = join(directory, "usr", "sbin", "nats-server");
  if (await exists(path, { isFile: true })) return path;
  const failure = await unpackDebianPackage(directory);
  if (await exists(path, { isFile: true })) return path;
  throw new MissingNatsServer(failure);
}

// Returns why there is still none, or undefined.
async function unpackDebianPackage(directory: string): Promise<string | undefined> {
  await ensureDir(directory);
  const failure = await run("apt-get", ["download", "nats-server"], directory);
  if (failure !== undefined) return failure;
  for await (const { name } of Deno.readDir(directory)) {
    if (name.startsWith("nats-server_") && name.endsWith(".deb")) {
      const failure = await run("dpkg", ["-x", name, "."], directory);
      if (failure !== undefined) return failure;
    }
  }
}

async function run(command: string, args: string[], cwd: string): Promise<string | undefined> {
  const ran = new Deno.Command(command, { args, cwd, stdin: "null", stdout: "null", stderr: "piped" });
  try {
    const { success, stderr } = await ran.output();
    if (success) return undefined;
    const lines = new TextDecoder().decode(stderr).trim().split("\n");
    return `"${command} ${args.join(" ")}" says "${lines.at(-1)}"`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `there is no "${command}" either`;
    throw error;
  }
}
