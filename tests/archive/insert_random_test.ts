/**
 * Promises that whatever is done to a day, one thing after another, its text is what a naive implementation in memory has.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createRandom } from "../rig/random.ts";
import { DAY, openArchive, type TestArchive, TestDirectory } from "./archive_rig.ts";
import {
  appendDayLines,
  assertDay,
  type DayLine,
  insertDayLines,
  insertNaively,
  lineAt,
  verifyFaults,
} from "./healing_rig.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const OPERATIONS = 14;

for (const seed of SEEDS) {
  Deno.test(`A day that gets lines, is healed, sealed and restarted at random has all lines in order, seed ${seed}`, async () => {
    using directory = new TestDirectory();
    const random = createRandom(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    let opened: TestArchive = await openArchive(directory);
    let lines: DayLine[] = [];
    let recorded: DayLine[] = [];
    let number = 0;
    let second = 36_000;
    const line = (at: number): DayLine =>
      lineAt(`line ${++number}`, at, random() < 0.1 ? below(300_000) : below(300));
    const operations: Record<string, () => Promise<void>> = {
      record: async () => {
        const added = Array.from({ length: 1 + below(60) }, () => line(second += below(3)));
        appendDayLines(opened.archive, added);
        if (random() < 0.7) await opened.archive.sync();
        lines = [...lines, ...added];
        recorded = [...recorded, ...added];
      },
      recordLate: async () => {
        const added = [line(36_000 + below(second - 36_000 + 1))];
        appendDayLines(opened.archive, added);
        await opened.archive.sync();
        lines = [...lines, ...added];
        recorded = [...recorded, ...added];
      },
      insert: async () => {
        const from = 35_990 + below(second - 35_980);
        const spread = 1 + below(200);
        const found = Array.from({ length: 1 + below(40) }, () => from + below(spread))
          .sort((a, b) => a - b).map(line);
        await insertDayLines(opened.archive, directory.path, found);
        lines = insertNaively(lines, found);
      },
      seal: async () => {
        await opened.seal();
        assert.equal(opened.archive.day(DAY)?.sealed ?? true, true);
      },
      restart: async () => {
        const { clock } = opened;
        await opened.close();
        assert.deepEqual(await verifyFaults(directory), []);
        opened = await openArchive(directory, { clock });
        assert.deepEqual(opened.archive.findings, []);
      },
    };
    const done: string[] = [];
    try {
      for (let count = 0; count < OPERATIONS; count++) {
        const names = ["record", "record", "insert", "insert", "recordLate", "seal", "restart"];
        const name = names[below(names.length)]!;
        done.push(name);
        await operations[name]!();
        await opened.archive.sync();
        if (lines.length > 0) await assertDay(opened.archive, lines, recorded, `seed ${seed}: ${done}`);
      }
      await operations["restart"]!();
    } finally {
      await opened.close();
    }
  });
}
