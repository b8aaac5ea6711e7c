/**
 * Promises that a download and a command line are timed by the same clock, from start to the last byte.
 *
 * @module
 */

import { findTool } from "./tools.ts";

/** How long one command may take, in milliseconds. */
const COMMAND_LIMIT_MS = 180_000;

/** One timed run. */
export interface Timed {
  /** From start to end. */
  seconds: number;
  /** From start to the first byte, where that is known. */
  firstByteSeconds: number;
  /** Bytes of output. */
  bytes: number;
}

/**
 * Downloads `url` with curl, which throws the body away. `headers` are whole lines.
 *
 * @throws {MissingTool} If there is no curl.
 * @throws {Error} If the answer is not 200 or is cut.
 */
export async function download(url: string, headers: string[] = []): Promise<Timed> {
  const format = "%{http_code} %{size_download} %{time_total} %{time_starttransfer}";
  const { code, stdout, stderr } = await new Deno.Command(await findTool("curl"), {
    args: ["-sS", "-o", "/dev/null", "-w", format, ...headers.flatMap((header) => ["-H", header]), url],
    stdin: "null",
    signal: AbortSignal.timeout(COMMAND_LIMIT_MS),
  }).output();
  const decoder = new TextDecoder();
  const [status, bytes, seconds, firstByteSeconds] = decoder.decode(stdout).split(" ").map(Number);
  if (code !== 0 || status !== 200) {
    throw new Error(
      `Cannot download "${url}": status is ${status}, curl says "${decoder.decode(stderr).trim()}"`,
    );
  }
  return { seconds: seconds!, firstByteSeconds: firstByteSeconds!, bytes: bytes! };
}

/**
 * Runs a program and counts what it prints, as a pipe into `cat > /dev/null` would. Exit codes in `codes` are
 * as good as 0: grep says 1 when nothing was found.
 *
 * @throws {MissingTool} If there is no such program.
 * @throws {Error} If it fails.
 */
export async function runTool(name: string, args: string[], codes: number[] = [0]): Promise<Timed> {
  const command = await findTool(name);
  const startMs = performance.now();
  const process = new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(COMMAND_LIMIT_MS),
  }).spawn();
  let firstByteMs: number | undefined;
  let bytes = 0;
  for await (const chunk of process.stdout) {
    firstByteMs ??= performance.now();
    bytes += chunk.length;
  }
  const { code } = await process.status;
  const endMs = performance.now();
  if (!codes.includes(code)) throw new Error(`Cannot run "${name} ${args.join(" ")}": exit code is ${code}`);
  return {
    seconds: (endMs - startMs) / 1000,
    firstByteSeconds: ((firstByteMs ?? endMs) - startMs) / 1000,
    bytes,
  };
}
