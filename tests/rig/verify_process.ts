/**
 * Promises `deno task verify` as people run it.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

/** Verifies an archive, or one gzip file, and returns the code with which the command exits. */
export async function runVerify(path: string): Promise<number> {
  const options = { args: ["task", "verify", path], cwd: REPOSITORY };
  return (await new Deno.Command(Deno.execPath(), options).output()).code;
}
