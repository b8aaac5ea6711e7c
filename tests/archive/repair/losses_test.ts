import assert from "node:assert/strict";
import {
  findLostGaps,
  findShortDays,
  spanOfLost,
  spanOfLostGaps,
} from "../../../lib/archive/repair/losses.ts";
import { DAY, DAY_NAME } from "../archive_rig.ts";

Deno.test("findShortDays() names the days that have less than was on the disk, and no others", () => {
  const note = { sinceMs: 0, lastGap: 0, days: [{ day: DAY, bytes: 5000, synced: 4000 }] };
  assert.deepEqual(findShortDays(note, () => 4000), [], "what was not synced a loss of power may take");
  assert.deepEqual(findShortDays(note, () => null), []);
  assert.deepEqual(findShortDays(note, (day) => day === DAY ? 3999 : 0), [{
    day: DAY,
    file: `${DAY_NAME}.jsonl`,
    what: "ends at byte 3999: 4000 bytes of the day were on the disk",
  }]);
  const empty = { ...note, days: [{ day: DAY, bytes: 10, synced: 0 }] };
  assert.deepEqual(findShortDays(empty, () => 0), []);
});

Deno.test("spanOfLost() goes from a minute before the last line that is left to what was known good", () => {
  const known = Date.parse(`${DAY_NAME}T10:00:05Z`);
  const span = (last: string | null, knownMs = known) => {
    const { sinceMs, untilMs } = spanOfLost(DAY, last, knownMs);
    return [sinceMs, untilMs].map((ms) => new Date(ms).toISOString().slice(0, 19));
  };
  assert.deepEqual(span(`${DAY_NAME}T09:59:58.123456789Z`), [`${DAY_NAME}T09:58:58`, `${DAY_NAME}T10:00:05`]);
  assert.deepEqual(span(null), [`${DAY_NAME}T00:00:00`, `${DAY_NAME}T10:00:05`]);
  assert.deepEqual(span(`${DAY_NAME}T00:00:10.000000000Z`)[0], `${DAY_NAME}T00:00:00`);
  const late = [`${DAY_NAME}T09:58:58`, "2026-11-23T00:00:00"];
  const last = `${DAY_NAME}T09:59:58.000000000Z`;
  assert.deepEqual(span(last, known + 86_400_000), late, "lines of the day came after it, too");
  assert.deepEqual(span(last, known - 86_400_000), late, "the clock was another one");
});

Deno.test("findLostGaps() tells of a ledger that has fewer gaps than it had, or none at all", () => {
  const note = { sinceMs: 0, lastGap: 4, days: [] };
  assert.equal(findLostGaps(null, false, 0), null, "an archive that never recorded");
  assert.equal(findLostGaps(null, true, 1), null);
  assert.equal(findLostGaps(note, true, 4), null);
  assert.equal(findLostGaps(note, true, 5), null);
  assert.equal(findLostGaps(null, true, 0), "is gone, or empty: there was a gap");
  assert.equal(findLostGaps(note, true, 0), "is gone, or empty: there were gaps up to number 4");
  assert.equal(findLostGaps(note, false, 3), "ends with gap 3: there were gaps up to number 4");
});

Deno.test("spanOfLostGaps() goes from before the last gap that is left, or the first day, to what was known good", () => {
  const known = Date.parse(`${DAY_NAME}T10:00:05Z`);
  assert.deepEqual(spanOfLostGaps({ sinceMs: known - 10_000 }, DAY, known), {
    sinceMs: known - 70_000,
    untilMs: known,
  });
  const ahead = spanOfLostGaps({ sinceMs: known + 500 }, DAY, known);
  assert.deepEqual(
    ahead,
    { sinceMs: known - 60_000, untilMs: known },
    "a gap begins a second before it is known",
  );
  const midnight = Date.parse(`${DAY_NAME}T00:00:00Z`);
  assert.deepEqual(spanOfLostGaps(null, DAY, known), { sinceMs: midnight, untilMs: known });
  assert.equal(spanOfLostGaps(null, DAY + 1, known), null);
  assert.equal(spanOfLostGaps(null, null, known), null);
});
