/**
 * The program `deno task verify [DIR|FILE.gz]`: tells of each day of an archive, or of one gzip file that was
 * downloaded, whether it is whole, and exits with 0 if all are, 1 if there is damage, 2 if there is nothing to verify.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import type { Gap } from "../gaps/gap.ts";
import { sourcesWords } from "../gaps/healing.ts";
import { basename } from "node:path";
import { type VerifiedGzip, verifyGzipFile } from "./gzip_verifier.ts";
import { verifyArchive } from "./verify.ts";

/** How often progress is told at the most, in milliseconds. */
export const PROGRESS_INTERVAL_MS = 2000;

const USAGE =
  "Usage: deno task verify [DIR|FILE.gz], where DIR is an archive or a copy of one (without it, LOG_DIR) " +
  "and FILE.gz a day that was downloaded";

/** What the command needs of its surroundings. */
export interface VerifyCommandOptions {
  /** What stands after the command: at most the directory or the gzip file. */
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

/** Verifies an archive and returns the code to exit with. */
export async function verifyCommand(options: VerifyCommandOptions): Promise<0 | 1 | 2> {
  const { args, logDir, clock, write, writeError } = options;
  const directory = args[0] ?? logDir ?? "./logs";
  if (args.length > 1 || directory === "" || directory.startsWith("-")) {
    writeError(USAGE);
    return 2;
  }
  let toldMs = clock.elapsed();
  const onProgress = (doneBytes: number, totalBytes: number): void => {
    if (clock.elapsed() - toldMs < PROGRESS_INTERVAL_MS) return;
    toldMs = clock.elapsed();
    writeError(`${Math.min(100, Math.floor(100 * doneBytes / totalBytes))} % of ${totalBytes} bytes read`);
  };
  const stat = await statIfThere(directory);
  if (stat?.isFile && directory.endsWith(".gz")) {
    const gzip = await verifyGzipFile(directory, (done) => onProgress(done, stat.size));
    for (const fault of gzip.faults) write(`FAULT ${fault}`);
    write(describeGzip(basename(directory), gzip));
    return gzip.faults.length === 0 ? 0 : 1;
  }
  if (!stat?.isDirectory) {
    const what = stat?.isFile ? "it is no directory and no .gz file" : "there is no such directory";
    writeError(`Cannot verify "${directory}": ${what}`);
    return 2;
  }
  const { days, lines, faults, gaps, removedDays } = await verifyArchive(directory, {
    onDay: (day) => {
      const state = day.faults === 0 ? "ok" : count(day.faults, "fault");
      const size = `${count(day.lines, "line")} ${count(day.bytes, "byte")}`;
      write(`${day.day} ${day.sealed ? "sealed" : "hot"} ${size}: ${state}`);
    },
    onGzip: (name, gzip) =>
      write(`${describeGzip(name, gzip)}; it has no index: the checksum at its end was checked`),
    onFault: (fault) => write(`FAULT ${fault}`),
    onProgress,
  });
  if (days + gaps.length + removedDays + faults === 0) {
    writeError(`Cannot verify "${directory}": there is nothing of an archive in it`);
    return 2;
  }
  for (const gap of gaps) write(describeGap(gap));
  write([
    count(days, "day"),
    count(lines, "line"),
    count(faults, "fault"),
    count(gaps.length, "gap"),
  ].join(", "));
  return faults === 0 ? 0 : 1;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function describeGzip(name: string, { lines, bytes, faults }: VerifiedGzip): string {
  const state = faults.length === 0 ? "ok" : count(faults.length, "fault");
  return `${name} ${count(lines, "line")} ${count(bytes, "byte")}: ${state}`;
}

function describeGap({ sinceMs, untilMs, cause, state, healing }: Gap): string {
  const until = untilMs === null ? "now" : new Date(untilMs).toISOString();
  const sources = healing === null ? "" : sourcesWords(healing);
  return `gap ${new Date(sinceMs).toISOString()} to ${until}: ${cause}, ${state}${
    sources === "" ? "" : `, ${sources}`
  }`;
}

async function statIfThere(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
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
