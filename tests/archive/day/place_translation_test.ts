import assert from "node:assert/strict";
import { editRecord, headRecord, type PlaceSide } from "../../../lib/archive/day/edits.ts";
import { translatePlace, type TranslatingDay } from "../../../lib/archive/day/place_translation.ts";
import { sealOf } from "../../../lib/archive/blocks/day_index.ts";
import { LostPlace } from "../../../lib/archive/place.ts";
import { DAY } from "../archive_rig.ts";
import { MemoryBytes } from "../read/memory_bytes.ts";

/**
 * 1000 bytes of what was recorded are sealed. Edition 1 has 50 bytes more at byte 100 and 30 at the end, edition 2 has 7 more at
 * byte 150 of edition 1.
 */
function healedDay(): TranslatingDay & { edits: MemoryBytes; told: string[] } {
  const records = [
    headRecord({ edition: 1, edits: 2, lines: 2 }),
    editRecord({ at: 100, total: 50 }),
    editRecord({ at: 1000, total: 80 }),
    headRecord({ edition: 2, edits: 1, lines: 1 }),
    editRecord({ at: 150, total: 7 }),
  ];
  const bytes = new Uint8Array(records.flatMap((record) => [...record]));
  const healed = { edition: 2, bytes: 87, lines: 3, editsBytes: bytes.length };
  const told: string[] = [];
  return {
    seal: { ...sealOf([], healed), rawBytes: 1087 },
    edits: new MemoryBytes("2026-11-22.edits", bytes),
    damage: { onMasked: (file, what) => void told.push(`${file}: ${what}`) },
    told,
  };
}

async function translated(offset: number, edition: number, side: PlaceSide): Promise<number> {
  return await translatePlace({ day: DAY, offset, edition }, side, healedDay());
}

Deno.test("translatePlace() gives where a place of each edition stands now", async () => {
  for (
    const [offset, edition, end, start] of [
      [0, 0, 0, 0],
      [99, 0, 99, 99],
      [100, 0, 100, 157],
      [101, 0, 158, 158],
      [999, 0, 1056, 1056],
      [1000, 0, 1057, 1087],
      [1001, 0, 1088, 1088],
      [150, 1, 150, 157],
      [1080, 1, 1087, 1087],
      [2000, 1, 2007, 2007],
      [2000, 2, 2000, 2000],
    ] as const
  ) {
    assert.equal(await translated(offset, edition, "end"), end, `end at ${offset}.${edition}`);
    assert.equal(await translated(offset, edition, "start"), start, `start at ${offset}.${edition}`);
  }
});

Deno.test("translatePlace() reads nothing for places of the newest edition and for what was recorded later", async () => {
  const day = healedDay();
  for (const place of [{ offset: 5, edition: 2 }, { offset: 1001, edition: 0 }]) {
    await translatePlace({ day: DAY, ...place }, "end", day);
  }
  await translatePlace({ day: DAY, offset: 1000, edition: 0 }, "start", day);
  assert.deepEqual(day.edits.reads, []);
  const neverHealed = { seal: null, edits: null, damage: day.damage };
  assert.equal(await translatePlace({ day: DAY, offset: 5, edition: 0 }, "end", neverHealed), 5);
});

Deno.test("translatePlace() refuses a place of an edition that the day has never come to", async () => {
  const day = healedDay();
  await assert.rejects(
    translatePlace({ day: DAY, offset: 5, edition: 3 }, "end", day),
    new LostPlace(
      { day: DAY, offset: 5, edition: 3 },
      "it is of edition 3, and 2026-11-22 has only come to edition 2",
    ),
  );
  await assert.rejects(
    translatePlace({ day: DAY, offset: 5, edition: 1 }, "end", { ...day, seal: sealOf([]) }),
    /has only come to edition 0$/,
  );
  assert.deepEqual(day.told, []);
});

Deno.test("translatePlace() says so where the file of the edits is damaged, ends early, or is gone", async () => {
  const whole = healedDay();
  const bytes = await whole.edits.read(0, await whole.edits.size());
  const flipped = bytes.slice();
  flipped[30]! ^= 1;
  for (
    const [edits, reason] of [
      [new MemoryBytes("e", flipped), /the record at 24 of "e" is damaged/],
      [new MemoryBytes("e", bytes.slice(0, 80)), /it ends after 8 of them/],
      [null, /it is gone/],
    ] as const
  ) {
    const day = { ...healedDay(), edits };
    await assert.rejects(translatePlace({ day: DAY, offset: 50, edition: 0 }, "end", day), (error) => {
      assert.ok(error instanceof LostPlace);
      assert.match(
        error.reason,
        /^lines were brought back to 2026-11-22 since, and where these stand cannot be read/,
      );
      assert.match((error.cause as Error).message, reason);
      return true;
    });
    assert.equal(day.told.length, 1);
    assert.match(
      day.told[0]!,
      /^2026-11-22\.edits: places from before lines were inserted cannot be followed: /,
    );
  }
});
