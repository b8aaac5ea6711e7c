/**
 * Promises kills of a recorder while it brings lines back, at moments that a seed chooses: after so many changes of its files, so
 * that they fall on all steps of an insertion however fast the machine is.
 *
 * @module
 */

import { join } from "node:path";
import { OVERLAP_MS } from "../../lib/heal/proof.ts";
import { SETTLED_MS } from "../../lib/heal/peers/peer_healer.ts";
import { canFalsifyTime, FalseClock } from "../rig/false_time.ts";
import { createRandom } from "../rig/random.ts";
import { checkArchives, checkReadable, checkText, type HealedGap } from "./pair_checks.ts";
import { pass } from "./pair_faults.ts";
import type { PairedRecorder } from "./paired_recorder.ts";
import { PAUSE_MS, RecorderPair } from "./recorder_pair.ts";
import { RepeatedLines } from "./repeated_lines.ts";

/** How many lines a second come before the big gap and in it. */
const FLOOD_PER_SECOND = 6_000;

/** They come for so long before the big gap, in milliseconds. */
const BEFORE_MS = 500;

/** How many lines a second come after it, by which the two are compared. */
const AFTER_PER_SECOND = 1_000;

/** What was published before so many seconds has settled. */
const SETTLED_AFTER_S = Math.ceil((SETTLED_MS + OVERLAP_MS) / 1000);

/** A kill comes after at most so many changes of files. */
const CHANGES_LIMIT = 70;

/** So many times as many rounds may be needed as kills are wanted: a heal may be over before its kill. */
const ROUNDS_FACTOR = 4;

/** What is killed how often. */
export interface KillHealingOptions {
  /** Chooses the moments. */
  seed: number;
  /** How many kills in the middle of healing there have to be. */
  kills: number;
  /** How long the big gap is, in milliseconds. */
  missingMs: number;
}

/** What came of it. */
export interface KillHealingReport {
  /** How many kills came in the middle of healing. */
  kills: number;
  /** How often all lines were back in spite of kills before; then the gap was made again. */
  healed: number;
  /** The gaps of the recorder that was killed, at the end. */
  gaps: HealedGap[];
}

/**
 * Makes a big gap in the second of two recorders, and kills it again and again while it heals. When it is healed, the archive is put
 * back as it was before.
 *
 * @throws {assert.AssertionError} If a line is missing, changed, out of order or there too often when all should be back.
 * @throws {Error} If too few kills come in the middle of healing, or healing fails.
 */
export async function killWhileHealing(options: KillHealingOptions): Promise<KillHealingReport> {
  const random = createRandom(options.seed);
  using clock = canFalsifyTime ? new FalseClock(0) : null;
  // It is set while nothing runs by it, so that it need not be looked up each time.
  const clockEnv = clock === null ? {} : { ...clock.env, FAKETIME_NO_CACHE: "0" };
  await using pair = await RecorderPair.start([{}, { clockEnv }]);
  const [, second] = pair.both;
  const lines = new RepeatedLines(random, 1);
  await makeGap(pair, lines, options.missingMs);
  const asItWas = await Deno.makeTempDir({ prefix: "flightlog-before-healing-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(asItWas, { recursive: true }));
  await copyFiles(second.directory, asItWas);
  // To wait until the lines have settled, or to be told that it is a minute later, is the same to a recorder that does not run.
  if (clock === null) await pair.settle(lines.span, false);
  else clock.set(SETTLED_AFTER_S);

  let kills = 0;
  let healed = 0;
  while (kills < options.kills) {
    if (kills + healed >= options.kills * ROUNDS_FACTOR) {
      throw new Error(
        `Cannot kill in the middle of healing: it was over before ${healed} of ${kills + healed} kills`,
      );
    }
    await second.start();
    if (await killAfterChanges(second, lines.span.sinceMs, 1 + Math.floor(random() * CHANGES_LIMIT))) {
      kills++;
      continue;
    }
    healed++;
    await checkText(second, lines);
    await second.kill();
    await removeFiles(second.directory);
    await copyFiles(asItWas, second.directory);
  }
  await second.start();
  await second.heal(lines.span.sinceMs);
  const gaps = await checkReadable(pair, lines);
  await checkArchives(pair);
  return { kills, healed, gaps: gaps[1]! };
}

/** The second recorder is dead while lines come, back for a moment, and dead in the end. */
async function makeGap(pair: RecorderPair, lines: RepeatedLines, missingMs: number): Promise<void> {
  const [, second] = pair.both;
  {
    await using _publishing = pair.publish(lines, FLOOD_PER_SECOND);
    await pass(BEFORE_MS);
    await second.untilReadable(lines);
    await second.kill();
    await pass(missingMs);
  }
  await second.start();
  {
    await using _publishing = pair.publish(lines, AFTER_PER_SECOND);
    await pass(PAUSE_MS);
  }
  await second.untilReadable(lines);
  await second.kill();
}

/**
 * Returns whether it was killed in the middle of healing; otherwise healing is over, and it lives.
 *
 * @throws {Error} If healing fails.
 */
async function killAfterChanges(
  recorder: PairedRecorder,
  sinceMs: number,
  changes: number,
): Promise<boolean> {
  using watcher = Deno.watchFs(recorder.directory);
  let isOver = false;
  let isKilled = false;
  const healing = recorder.heal(sinceMs).then(() => isOver = true, (error) => {
    if (!isKilled) throw error;
  }).finally(() => watcher.close());
  healing.catch(() => {}); // it is awaited below
  for await (const { paths } of watcher) {
    // The mark of life, the plain text and the ledger change while nothing is healed, too.
    if (paths.some((path) => /\/alive|\.jsonl$|\/gaps/.test(path))) continue;
    if (--changes === 0) break;
  }
  if (isOver) return false;
  isKilled = true;
  await recorder.kill();
  await healing;
  return true;
}

async function copyFiles(from: string, to: string): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(from)) {
    if (isFile) await Deno.copyFile(join(from, name), join(to, name));
  }
}

async function removeFiles(directory: string): Promise<void> {
  for await (const { name } of Deno.readDir(directory)) {
    await Deno.remove(join(directory, name), { recursive: true });
  }
}
