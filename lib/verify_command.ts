/**
 * The program `deno task verify [DIR]`: tells of each day of an archive whether it is whole, and exits with
 * 0 if all are, 1 if there is damage, 2 if it was not told what to verify.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";
import type { Gap } from "./gap.ts";
import { verifyArchive } from "./archive/verify.ts";

/** How often progress is told at the most, in milliseconds. */
export const PROGRESS_INTERVAL_MS = 2000;

const USAGE = "Usage: deno task verify [DIR], where DIR is an archive or a copy of one; without it, LOG_DIR";

/** What the command needs of its surroundings. */
export interface VerifyCommandOptions {
  /** What stands behind the command: at most the directory. */
  args: readonly string[];
  /** What `LOG_DIR` says; verified when no directory is given. */
  logDir: string | undefined;
  /** Says when progress is due. */
  clock: Clock;
  /** Take a line each, for standard output and standard error. */
  write(line: string): void;
  /** See {@linkcode VerifyCommandOptions.write}. */
  writeError(line: string): void;
}

/** Verifies an archive and gives the code to exit with. */
export async function verifyCommand(options: VerifyCommandOptions): Promise<0 | 1 | 2> {
  const { args, logDir, clock, write, writeError } = options;
  const directory = args[0] ?? logDir ?? "./logs";
  if (args.length > 1 || directory === "" || directory.startsWith("-")) {
    writeError(USAGE);
    return 2;
  }
  if (!await isDirectory(directory)) {
    writeError(`Cannot verify "${directory}": there is no such directory`);
    return 2;
  }
  let toldMs = clock.elapsed();
  const { days, lines, faults, gaps } = await verifyArchive(directory, {
    onDay: (day) => {
      const state = day.faults === 0 ? "ok" : `${day.faults} faults`;
      write(`${day.day} ${day.sealed ? "sealed" : "hot"} ${day.lines} lines ${day.bytes} bytes: ${state}`);
    },
    onFault: (fault) => write(`FAULT ${fault}`),
    onProgress: (doneBytes, totalBytes) => {
      if (clock.elapsed() - toldMs < PROGRESS_INTERVAL_MS) return;
      toldMs = clock.elapsed();
      writeError(`${Math.min(100, Math.floor(100 * doneBytes / totalBytes))} % of ${totalBytes} bytes read`);
    },
  });
  for (const gap of gaps) write(describeGap(gap));
  write(`${days} days, ${lines} lines, ${faults} faults, ${gaps.length} gaps`);
  return faults === 0 ? 0 : 1;
}

function describeGap({ sinceMs, untilMs, cause, state }: Gap): string {
  const until = untilMs === null ? "now" : new Date(untilMs).toISOString();
  return `gap ${new Date(sinceMs).toISOString()} to ${until}: ${cause}, ${state}`;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

if (import.meta.main) {
  const code = await verifyCommand({
    args: Deno.args,
    logDir: Deno.env.get("LOG_DIR"),
    clock: systemClock,
    // deno-lint-ignore no-console -- a command speaks through its standard output
    write: (line) => console.log(line),
    // deno-lint-ignore no-console -- and tells its progress beside it
    writeError: (line) => console.error(line),
  });
  Deno.exit(code);
}
