/**
 * A program that records, seals, reopens and removes days, and that can be stopped at each point at which it
 * touches the disk: before and after each write, sync, truncation, rename and removal, and in the middle of
 * each write. It either kills itself at point number `n`, or leaves at every point a copy of what a kill there
 * would leave.
 *
 *     deno run -A tests/archive/crash_child.ts DIRECTORY kill N
 *     deno run -A tests/archive/crash_child.ts DIRECTORY copy COPIES
 *
 * It keeps the newest {@linkcode Progress} in the file `DIRECTORY.progress`, and in each copy's `.progress`.
 *
 * @module
 */

import { join } from "node:path";
import { Archive } from "../../lib/archive/archive.ts";
import { type BlockResult, type BlockTask, runBlockTask } from "../../lib/archive/blocks/block_task.ts";
import { silentLogger } from "../../lib/logger.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { appendLines, DAY, HOUR_MS, NOON } from "./archive_rig.ts";

/** What the program has been promised, and how far it is. */
export interface Progress {
  /** The number of points so far. */
  points: number;
  /** What it was about to do or had just done. */
  what: string;
  /** The lines that were appended and that were confirmed to be on the disk, on the first and the second day. */
  appended: [number, number];
  confirmed: [number, number];
  /** Whether the first day may be removed from now on. */
  mayRemove: boolean;
}

/** Four lines are longer than a block, so that few steps make blocks. */
export const LONG_LINE_PADDING = 300_000;

const FILES_OF_NO_INTEREST = /\/(lock|[^/]*progress[^/]*)$/;

if (import.meta.main) {
  const [directory, mode, argument] = Deno.args as [string, "kill" | "copy", string];
  const progress: Progress = {
    points: 0,
    what: "",
    appended: [0, 0],
    confirmed: [0, 0],
    mayRemove: false,
  };
  patchDisk(progress, directory, mode, argument);
  patchWorker();
  await live(directory, progress);
  Deno.writeTextFileSync(directory + ".progress", JSON.stringify(progress));
}

async function live(directory: string, progress: Progress): Promise<void> {
  const clock = new FakeClock(NOON);
  const archive = await Archive.open({
    directory,
    clock,
    logger: silentLogger,
    syncIntervalMs: 1000,
    sealAfterMs: HOUR_MS,
    retentionDays: 2,
    maxDiskPercent: null,
  });
  async function record(day: 0 | 1, count: number, padding: number): Promise<void> {
    const from = progress.appended[day];
    progress.appended[day] += count;
    appendLines(archive, from, from + count, padding, DAY + 4 * day);
    await archive.sync();
    progress.confirmed[day] = from + count;
  }
  async function blockMade(): Promise<void> {
    const before = archive.day(DAY)!.gzBytes;
    while (archive.day(DAY)!.gzBytes === before) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  async function seal(): Promise<void> {
    clock.skip(2 * HOUR_MS);
    await archive.maintain();
    if (!archive.day(DAY)!.sealed) throw new Error("Cannot go on: the day was not sealed");
  }

  await record(0, 4, LONG_LINE_PADDING);
  await blockMade();
  await record(0, 2, 10);
  clock.skip(12 * HOUR_MS);
  await seal();
  await record(0, 2, 10);
  await seal();
  await record(0, 4, LONG_LINE_PADDING);
  await blockMade();
  await seal();
  await record(0, 1, 10);
  await seal();
  progress.mayRemove = true;
  clock.skip(4 * 24 * HOUR_MS);
  await record(1, 3, 10);
  await archive.maintain();
  await record(1, 3, 10);
  await archive.close();
}

/** Has the block worker's work done here, where the disk is watched. */
export function patchWorker(): void {
  class WorkerHere {
    onmessage: ((event: { data: unknown }) => void) | null = null;
    postMessage({ id, task }: { id: number; task: BlockTask }): void {
      setTimeout(() => {
        this.onmessage?.({ data: { id, ...answerOf(task) } });
      }, 0);
    }
    terminate(): void {}
  }
  Object.assign(globalThis, { Worker: WorkerHere });
}

function answerOf(task: BlockTask): { result: BlockResult } | { error: string } {
  try {
    return { result: runBlockTask(task) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/**
 * Counts the points in `progress`, and kills this process at one of them (`kill`), or leaves copies of `directory` at all of
 * them (`copy`); see the module's comment for what `argument` is.
 */
export function patchDisk<P extends Pick<Progress, "points" | "what">>(
  progress: P,
  directory: string,
  mode: "kill" | "copy",
  argument: string,
): void {
  const { writeTextFileSync, mkdirSync, copyFileSync } = Deno;
  const killAt = mode === "kill" ? Number(argument) : Infinity;

  function point(what: string): void {
    progress.points++;
    progress.what = what;
    if (progress.points === killAt) {
      direct(() => writeTextFileSync(directory + ".progress", JSON.stringify(progress)));
      Deno.kill(Deno.pid, "SIGKILL");
    }
    if (mode === "copy") direct(() => copyDirectory(join(argument, String(progress.points))));
  }

  let isDirect = false;
  /** Does something without counting it. */
  function direct(action: () => void): void {
    isDirect = true;
    action();
    isDirect = false;
  }

  function copyDirectory(target: string): void {
    mkdirSync(target, { recursive: true });
    for (const { name } of Deno.readDirSync(directory)) {
      if (name !== "lock") copyFileSync(join(directory, name), join(target, name));
    }
    writeTextFileSync(join(target, ".progress"), JSON.stringify(progress));
  }

  type Method = (this: Deno.FsFile, ...args: unknown[]) => unknown;
  const prototype = Deno.FsFile.prototype as unknown as Record<string, Method>;
  for (const name of ["write", "syncData", "sync", "truncate"]) {
    const original = prototype[name]!;
    prototype[name] = async function (...args) {
      point(`before ${name}`);
      if (name === "write") {
        const bytes = args[0] as Uint8Array;
        const half = await original.call(this, bytes.subarray(0, bytes.length >> 1)) as number;
        point("in the middle of write");
        const rest = await original.call(this, bytes.subarray(half)) as number;
        point("after write");
        return half + rest;
      }
      const result = await original.apply(this, args);
      point(`after ${name}`);
      return result;
    };
  }
  for (const name of ["writeSync", "syncDataSync", "syncSync", "truncateSync"]) {
    const original = prototype[name]!;
    prototype[name] = function (...args) {
      if (isDirect) return original.apply(this, args);
      point(`before ${name}`);
      if (name === "writeSync") {
        const bytes = args[0] as Uint8Array;
        const half = original.call(this, bytes.subarray(0, bytes.length >> 1)) as number;
        point("in the middle of writeSync");
        const rest = original.call(this, bytes.subarray(half)) as number;
        point("after writeSync");
        return half + rest;
      }
      const result = original.apply(this, args);
      point(`after ${name}`);
      return result;
    };
  }
  const functions = Deno as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of ["renameSync", "removeSync"]) {
    const original = functions[name]!;
    functions[name] = (...args) => {
      if (isDirect || FILES_OF_NO_INTEREST.test(String(args[0]))) return original(...args);
      point(`before ${name} ${args.join(" ")}`);
      const result = original(...args);
      point(`after ${name} ${args.join(" ")}`);
      return result;
    };
  }
}
