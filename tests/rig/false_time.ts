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

/** A wall clock that a test sets while processes run; the time that passes is left alone. */
export class FalseClock implements Disposable {
  readonly #path = Deno.makeTempFileSync({ prefix: "flightlog-clock-" });

  /** Is ahead by so many seconds; negative: behind. */
  constructor(seconds: number) {
    this.set(seconds);
  }

  /** The environment of a process that has this clock. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: falseTime("").LD_PRELOAD!,
      FAKETIME_TIMESTAMP_FILE: this.#path,
      FAKETIME_NO_CACHE: "1",
      DONT_FAKE_MONOTONIC: "1", // timers and durations are of the time passed
      FAKETIME_DONT_FAKE_MONOTONIC: "1", // its name in later versions
      NO_FAKE_STAT: "1", // files tell the time that they were given
    };
  }

  /** Sets the clock ahead by so many seconds. */
  set(seconds: number): void {
    const temporary = `${this.#path}.tmp`;
    Deno.writeTextFileSync(temporary, `${seconds < 0 ? "-" : "+"}${Math.abs(seconds)}\n`);
    Deno.renameSync(temporary, this.#path); // never read in the middle of a change
  }

  /** Forgets it; processes that have it should have ended. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.#path);
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
