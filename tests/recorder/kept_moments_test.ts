import assert from "node:assert/strict";
import type { DayEnds } from "../../lib/archive/archive.ts";
import { KeptMoments } from "../../lib/recorder/kept_moments.ts";

function ends(appended: number, committed: number, synced: number, day = 1): DayEnds[] {
  return [{ day, appended, committed, synced }];
}

Deno.test("KeptMoments counts a moment once the text that was taken by then is written, and synced", () => {
  const kept = new KeptMoments();
  kept.look(100, ends(5000, 4000, 0));
  kept.look(200, ends(6000, 4000, 0));
  assert.equal(kept.written?.goodMs, undefined);
  assert.ok(kept.isWaiting);
  kept.follow(ends(7000, 5000, 4000));
  assert.equal(kept.written?.goodMs, 100);
  assert.equal(kept.synced?.goodMs, undefined);
  kept.follow(ends(7000, 6000, 5000));
  assert.equal(kept.written?.goodMs, 200);
  assert.equal(kept.synced?.goodMs, 100);
  kept.follow(ends(7000, 6000, 6000));
  assert.equal(kept.synced?.goodMs, 200);
  assert.ok(!kept.isWaiting);
});

Deno.test("KeptMoments waits for every day, of which one may be slower", () => {
  const kept = new KeptMoments();
  kept.look(100, [...ends(10, 0, 0, 1), ...ends(20, 20, 20, 2)]);
  assert.equal(kept.written?.goodMs, undefined);
  kept.follow([...ends(10, 10, 0, 1), ...ends(20, 20, 20, 2)]);
  assert.equal(kept.written?.goodMs, 100);
  kept.follow(ends(20, 20, 20, 2)); // the first one is sealed
  assert.equal(kept.synced?.goodMs, 100);
});

Deno.test("KeptMoments holds a bounded number of looks while the disk stalls, and goes on after", () => {
  const kept = new KeptMoments();
  for (let look = 1; look <= 1000; look++) kept.look(look, ends(look, 0, 0));
  kept.follow(ends(1000, 1000, 1000));
  assert.equal(kept.written?.goodMs, 256);
  kept.look(1001, ends(1000, 1000, 1000));
  assert.equal(kept.written?.goodMs, 1001);
});
