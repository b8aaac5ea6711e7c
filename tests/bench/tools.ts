/**
 * Promises that what the bench compares with is found, built or installed outside the repository, or that its
 * absence is told with the way to end it.
 *
 * @module
 */

import { ensureDir, exists } from "@std/fs";
import { join } from "node:path";

/** Versions of what comes from npm. */
const PACKAGES = { nats: "2.29.3", bun: "1.4.5" };

/** How long an installation may take, in milliseconds. */
const INSTALL_LIMIT_MS = 180_000;

/** Where distributions put programs that are not on every user's PATH. */
const EXTRA_DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** A tool that is not here; the message says how to install it. */
export class MissingTool extends Error {
  /** `hint` says how to install `tool`. */
  constructor(tool: string, hint: string) {
    super(`${tool}: not installed (${hint})`);
    this.name = "MissingTool";
  }
}

/** How to install what Debian has. */
const DEBIAN_PACKAGES: Record<string, string> = {
  cc: "gcc",
  node: "nodejs",
  rg: "ripgrep",
  zcat: "gzip",
  zgrep: "gzip",
};

/**
 * The path of a program.
 *
 * @throws {MissingTool} If it is not on PATH.
 */
export async function findTool(name: string): Promise<string> {
  for (
    const directory of [...(Deno.env.get("PATH") ?? "").split(":").filter(Boolean), ...EXTRA_DIRECTORIES]
  ) {
    const path = join(directory, name);
    if (await exists(path, { isFile: true })) return path;
  }
  throw new MissingTool(name, `\`apt-get install ${DEBIAN_PACKAGES[name] ?? name}\``);
}

/**
 * Compiles `floor.c` into `directory` and gives the program's path.
 *
 * @throws {MissingTool} If there is no compiler or no libnats.
 */
export async function buildFloor(directory: string): Promise<string> {
  const compiler = await findTool("cc");
  const path = join(directory, "floor");
  const source = join(import.meta.dirname!, "floor.c");
  const { success, stderr } = await new Deno.Command(compiler, {
    args: ["-O2", "-Wall", "-o", path, source, "-lnats"],
    stdin: "null",
    stdout: "null",
  }).output();
  if (success) return path;
  const output = new TextDecoder().decode(stderr);
  if (/nats\.h|-lnats/.test(output)) throw new MissingTool("libnats", "`apt-get install libnats-dev`");
  throw new Error(`Cannot compile "${source}": ${output}`);
}

/** The directory with the blog post's script and what it imports, and what to run it with. */
export interface Scripts {
  /** Where the script lies, beside its `node_modules`. */
  script: string;
  /** The path of Bun. */
  bun: string;
}

let installed: Promise<Scripts> | undefined;

/**
 * Installs the npm packages `nats` and `bun` into the user's cache, unless they are there, and puts the script
 * beside them.
 *
 * @throws {MissingTool} If npm is missing or cannot reach its registry.
 */
export function installScripts(): Promise<Scripts> {
  installed ??= install();
  return installed;
}

async function install(): Promise<Scripts> {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "/tmp", ".cache");
  const directory = join(cache, "flightlog", `bench-nats-${PACKAGES.nats}-bun-${PACKAGES.bun}`);
  const bun = join(directory, "node_modules", "bun", "bin", "bun.exe");
  if (!await exists(bun)) {
    const npm = await findTool("npm");
    await ensureDir(directory);
    await Deno.writeTextFile(join(directory, "package.json"), '{"private":true,"type":"module"}\n');
    const packages = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
    const { success, stderr } = await new Deno.Command(npm, {
      args: ["install", "--no-audit", "--no-fund", "--prefix", directory, ...packages],
      cwd: directory,
      stdin: "null",
      stdout: "null",
      signal: AbortSignal.timeout(INSTALL_LIMIT_MS),
    }).output();
    if (!success) {
      throw new MissingTool(
        "the npm packages nats and bun",
        new TextDecoder().decode(stderr).trim().slice(0, 200),
      );
    }
  }
  const script = join(directory, "blog_script.js");
  await Deno.copyFile(join(import.meta.dirname!, "blog_script.js"), script);
  return { script, bun };
}
