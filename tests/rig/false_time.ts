/**
 * Promises another wall clock to a whole process, by Debian's package `faketime`, where that is installed.
 *
 * @module
 */

/** Where the package puts what is loaded into the process, by Debian's names of machines. */
const LIBRARIES = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
  .map((machine) => `/usr/lib/${machine}/faketime/libfaketime.so.1`);

const library = LIBRARIES.find((path) => isThere(path));

/** Whether there is one. */
export const canFalsifyTime: boolean = library !== undefined;

/** What to add to the name of a test that is ignored without it. */
export const FALSE_TIME_NEEDED: string = canFalsifyTime ? "" : " (ignored: this needs the package faketime)";

/**
 * The environment of a process whose clock is wrong. `specification` is that of faketime(1): `+60d` is ahead by
 * 60 days, `+60d x20` besides goes twenty times as fast, and so do its timers.
 */
export function falseTime(specification: string): Record<string, string> {
  if (library === undefined) throw new Error("Cannot change the time: the package faketime is not installed");
  return { LD_PRELOAD: library, FAKETIME: specification };
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
