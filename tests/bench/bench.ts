/**
 * Promises that whatever a measurement starts or writes is gone when it is over, also when it fails, takes
 * too long or is interrupted.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { join } from "node:path";

/** How much is measured. */
export interface Scale {
  /** Lines published at full speed. */
  floodLines: number;
  /** How often each contender takes its turn. */
  rounds: number;
  /** The text of the day that is downloaded and searched, in bytes. */
  dayBytes: number;
  /** How many times that for "as it grows". */
  growth: number;
  /** How long lines are published one by one, in milliseconds. */
  latencyMs: number;
  /** The sealed days of a start-up. */
  sealedDays: number;
  /** How often the process is killed. */
  kills: number;
  /** How long it runs with a fault every few seconds, in milliseconds. */
  soakMs: number;
  /** How long everything is read at once on the smallest machine, in milliseconds. */
  memorySoakMs: number;
  /** How many pairs of recorders lose lines at random. */
  pairs: number;
  /** How long each pair does, in milliseconds. */
  pairMs: number;
}

/** What the issue asks for. */
export const FULL_SCALE: Scale = {
  floodLines: 1_000_000,
  rounds: 3,
  dayBytes: 500e6,
  growth: 10,
  latencyMs: 10_000,
  sealedDays: 400,
  kills: 200,
  soakMs: 600_000,
  memorySoakMs: 3_600_000,
  pairs: 200,
  pairMs: 120_000,
};

/** A tenth of it, to see whether the bench itself works. */
export const QUICK_SCALE: Scale = {
  floodLines: 100_000,
  rounds: 1,
  dayBytes: 50e6,
  growth: 3,
  latencyMs: 2_000,
  sealedDays: 40,
  kills: 20,
  soakMs: 60_000,
  memorySoakMs: 60_000,
  pairs: 4,
  pairMs: 25_000,
};

/** What one run of the bench has: a directory, a scale, and scopes that end with it. */
export class Bench implements AsyncDisposable {
  /** Everything that is written lies under it. */
  readonly directory: string;
  /** How much is measured. */
  readonly scale: Scale;
  /** Tells whoever waits how far it is. */
  readonly tell: (text: string) => void;
  #scopes = new Set<AsyncDisposableStack>();
  #names = 0;

  private constructor(directory: string, scale: Scale, tell: (text: string) => void) {
    this.directory = directory;
    this.scale = scale;
    this.tell = tell;
  }

  /**
   * Makes the directory, in `TMPDIR` or `/tmp`.
   *
   * @throws {Error} If the disk has less room than a run needs.
   */
  static async create(scale: Scale, tell: (text: string) => void): Promise<Bench> {
    const directory = await Deno.makeTempDir({ prefix: "flightlog-bench-" });
    const { bavail, bsize } = statfsSync(directory);
    const needed = scale.dayBytes * (scale.growth + 2) * 1.4;
    if (bavail * bsize < needed) {
      await Deno.remove(directory);
      throw new Error(
        `Cannot bench in "${directory}": ${Math.round(bavail * bsize / 1e9)} GB free, needs ` +
          `${Math.ceil(needed / 1e9)} GB; set TMPDIR to another disk`,
      );
    }
    return new Bench(directory, scale, tell);
  }

  /** A new empty directory under {@linkcode Bench.directory}. */
  newDirectory(name: string): string {
    const directory = join(this.directory, `${name}-${++this.#names}`);
    Deno.mkdirSync(directory);
    return directory;
  }

  /** A stack whose contents end at the latest with the bench. To be used with `await using`. */
  scope(): AsyncDisposableStack {
    const scope = new AsyncDisposableStack();
    this.#scopes.add(scope);
    scope.defer(() => {
      this.#scopes.delete(scope);
    });
    return scope;
  }

  /** A directory that is removed with `scope`. */
  scopedDirectory(scope: AsyncDisposableStack, name: string): string {
    const directory = this.newDirectory(name);
    scope.defer(() => Deno.remove(directory, { recursive: true }));
    return directory;
  }

  /** Ends every scope that is still open. */
  async endScopes(): Promise<void> {
    for (const scope of [...this.#scopes].reverse()) {
      try {
        await scope.disposeAsync();
      } catch (error) {
        this.tell(`Cannot clear up after a measurement: ${error}`);
      }
    }
  }

  /** Ends every scope and removes the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.endScopes();
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** Waits until `isSo`, looking every `pollMs`, and gives up with an error after `limitMs`. */
export async function until(
  what: string,
  limitMs: number,
  pollMs: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!await isSo()) {
    if (performance.now() > end) throw new Error(`Cannot wait for ${what}: ${limitMs} ms have passed`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
