import assert from "node:assert/strict";
import type { PlaceSide } from "../../../lib/archive/day/edits.ts";
import type { OpenDay } from "../../../lib/archive/day/open_day.ts";
import { bytesIn, placeIn } from "../../../lib/archive/read/translated_range.ts";
import { IndexCache } from "../../../lib/archive/read/index_cache.ts";
import { ReadPool } from "../../../lib/archive/read/pool.ts";
import { DAY, TestDirectory } from "../archive_rig.ts";
import { createDay } from "../day/day_rig.ts";
import { namedRecord } from "../healed_rig.ts";
import { FoundLines } from "../../../lib/archive/found_lines.ts";

const encoder = new TextEncoder();

/** How long a line of {@linkcode namedRecord} with a name of one letter is, with its line feed, in bytes. */
const LINE = encoder.encode(`${namedRecord({ name: "a", second: 0 })}\n`).length;

/** Opens a day of the lines a, b and c of seconds 10, 20 and 30, into which lines of each of `heals` were inserted. */
async function withDay(heals: readonly number[][], look: (open: OpenDay) => Promise<void>): Promise<void> {
  using directory = new TestDirectory();
  const { clock, day } = createDay(directory);
  for (const [name, second] of [["a", 10], ["b", 20], ["c", 30]] as const) {
    const time = { seconds: DAY * 86_400 + second, nanoseconds: 0 };
    day.append(encoder.encode(namedRecord({ name, second })), false, time);
  }
  await day.writer!.sync();
  for (const seconds of heals) {
    using found = new FoundLines(directory.path, DAY);
    for (const second of seconds) {
      const time = { seconds: DAY * 86_400 + second, nanoseconds: 0 };
      await found.add(encoder.encode(namedRecord({ name: "x", second })), time);
    }
    await found.close();
    await day.insert(found);
  }
  const pool = new ReadPool(clock, 1);
  {
    using open = day.open({ pool, indexes: new IndexCache() });
    await look(open);
  }
  pool.close();
  await day.close();
}

Deno.test("bytesIn() takes a range as it is where nothing was inserted since it was planned", async () => {
  const range = { day: DAY, start: LINE, end: 2 * LINE, edition: 0, timedOnly: false };
  await withDay(
    [],
    async (open) => assert.deepEqual(await bytesIn(open, range), { start: LINE, end: 2 * LINE }),
  );
  await withDay([[15]], async (open) => {
    assert.deepEqual(await bytesIn(open, { ...range, edition: 1 }), { start: LINE, end: 2 * LINE });
  });
});

Deno.test("bytesIn() gives what was inserted between two ranges to the one behind it", async () => {
  // After the line a, after b, and after c, which is the end.
  await withDay([[15, 25, 35]], async (open) => {
    const range = { day: DAY, edition: 0, timedOnly: false };
    assert.deepEqual(await bytesIn(open, { ...range, start: 0, end: LINE }), { start: 0, end: LINE });
    assert.deepEqual(await bytesIn(open, { ...range, start: LINE, end: 2 * LINE }), {
      start: LINE,
      end: 3 * LINE,
    });
    assert.deepEqual(await bytesIn(open, { ...range, start: 2 * LINE, end: 3 * LINE }), {
      start: 3 * LINE,
      end: 5 * LINE,
    });
    const end = await open.translate(3 * LINE, 0, "end");
    assert.equal(end, 5 * LINE);
  });
});

Deno.test("bytesIn() reads a range whose start is of an older edition than its end", async () => {
  await withDay([[15], [16, 25]], async (open) => {
    // From behind the line b of what was recorded up to the end of edition 1, before c of which a line was inserted.
    const range = { day: DAY, start: 2 * LINE, startEdition: 0, end: 4 * LINE, edition: 1, timedOnly: false };
    assert.deepEqual(await bytesIn(open, range), { start: 4 * LINE, end: 6 * LINE });
  });
});

Deno.test("placeIn() leads to the same line from each edition", async () => {
  await withDay([[15], [16, 25]], async (open) => {
    const at = async (offset: number, edition: number, side: PlaceSide) =>
      (await placeIn(open, { day: DAY, offset, edition }, side)).offset / LINE;
    // The line b was the second, then the third, and is the fourth.
    assert.deepEqual(
      [await at(LINE, 0, "start"), await at(2 * LINE, 1, "start"), await at(3 * LINE, 2, "start")],
      [3, 3, 3],
    );
    // Behind the line a, where two were inserted.
    assert.deepEqual([await at(LINE, 0, "end"), await at(LINE, 1, "end")], [1, 1]);
    assert.equal((await placeIn(open, { day: DAY, offset: 0, edition: 0 }, "end")).edition, 2);
  });
});
