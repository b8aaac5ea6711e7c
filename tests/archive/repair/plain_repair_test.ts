import assert from "node:assert/strict";
import { parseSealedIndex } from "../../../lib/archive/blocks/day_index.ts";
import type { SealEntry } from "../../../lib/archive/format.ts";
import type { Finding } from "../../../lib/archive/repair/aside.ts";
import { repairPlains } from "../../../lib/archive/repair/plain_repair.ts";
import { RepairPlace } from "../../../lib/archive/repair/repair_place.ts";
import { DAY, record, TestDirectory, textOf } from "../archive_rig.ts";
import { type Files, INDEX, PLAIN, sealed } from "./damages.ts";

const decoder = new TextDecoder();
const SEAL = parseSealedIndex(decoder.decode(sealed[INDEX]), DAY).seal;
const AFTER_SEAL = `2026-11-22.from-${SEAL.rawBytes}.jsonl`;

/** Repairs plain files that start at `plains`; tells where the day goes on, and what was found. */
function repair(directory: TestDirectory, files: Files, seal: SealEntry | null, plains: number[]) {
  for (const [name, bytes] of Object.entries(files)) directory.write(name, bytes);
  const findings: Finding[] = [];
  const from = repairPlains(new RepairPlace(directory.path, DAY, findings), plains, seal);
  return { from, found: findings.map(({ file, what }) => `${file}: ${what}`) };
}

Deno.test("repairPlains() goes on in the file that begins where the sealed text ends", () => {
  using directory = new TestDirectory();
  directory.write(AFTER_SEAL, textOf(0, 1));
  assert.deepEqual(repair(directory, sealed, SEAL, [SEAL.rawBytes]), { from: SEAL.rawBytes, found: [] });
  assert.deepEqual(repair(directory, {}, null, []), { from: null, found: [] });
});

Deno.test("repairPlains() removes a file only if its very lines are sealed", () => {
  for (const isSame of [true, false]) {
    using directory = new TestDirectory();
    const text = isSame ? textOf(0, 3, 1000) : textOf(0, 2, 1000) + record(7, 1000) + "\n";
    directory.write(PLAIN, text);
    const { from, found } = repair(directory, sealed, SEAL, [0]);
    assert.equal(from, null);
    assert.deepEqual(found, [
      `${PLAIN}: ${
        isSame ? "removed: its lines are sealed" : "set aside: its lines do not fit those that are sealed"
      }`,
    ]);
    assert.equal(directory.names().includes(PLAIN), false);
    if (!isSame) assert.equal(directory.text(`${PLAIN}.conflict`), text);
  }
});

Deno.test("repairPlains() puts a second file after the first, also where a crash ended that half done", () => {
  const [first, second] = [textOf(0, 3), textOf(3, 6)];
  const next = `2026-11-22.from-${first.length}.jsonl`;
  for (const done of [0, 1, 50, second.length]) {
    using directory = new TestDirectory();
    directory.write(PLAIN, first + second.slice(0, done));
    directory.write(next, second);
    assert.deepEqual(repair(directory, {}, null, [0, first.length]), { from: 0, found: [] });
    assert.equal(directory.text(PLAIN), first + second);
    assert.deepEqual(directory.names(), [PLAIN]);
  }
});

Deno.test("repairPlains() sets a second file aside that says other than the first where both have lines", () => {
  using directory = new TestDirectory();
  const first = textOf(0, 3);
  const next = `2026-11-22.from-${first.length}.jsonl`;
  directory.write(PLAIN, first + textOf(3, 4));
  directory.write(next, textOf(7, 9));
  const { from, found } = repair(directory, {}, null, [0, first.length]);
  assert.equal(from, 0);
  assert.deepEqual(found, [`${next}: set aside: its lines do not fit those that are sealed`]);
  assert.equal(directory.text(PLAIN), textOf(0, 4));
  assert.equal(directory.text(`${next}.conflict`), textOf(7, 9));
});
