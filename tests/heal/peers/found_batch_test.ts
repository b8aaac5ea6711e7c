import assert from "node:assert/strict";
import { FoundBatch } from "../../../lib/heal/peers/found_batch.ts";
import { PeerError } from "../../../lib/heal/peers/peer_error.ts";
import type { DayDigest } from "../../../lib/heal/peers/peer_digest.ts";
import type { MissingLine } from "../../../lib/heal/peers/slice_comparison.ts";
import { MinuteSums } from "../../../lib/line/minute_sums.ts";
import { parseTimestamp } from "../../../lib/timestamp.ts";
import { DAY, TestDirectory } from "../../archive/archive_rig.ts";

const MINUTE = Date.parse("2026-11-22T10:00:00Z") / 60_000;
const [ONE, TWO, SUM] = ["1", "2", "3"].map((digit) => digit.padStart(32, "0")) as [string, string, string];

function missingAt(timestamp: string, key: string): MissingLine {
  return { bytes: new TextEncoder().encode(timestamp), key, time: parseTimestamp(timestamp)! };
}

function sentOf(lines: readonly MissingLine[]): ReturnType<MinuteSums["table"]> {
  const sums = new MinuteSums(DAY);
  for (const { key, time } of lines) sums.add(time.seconds, key);
  return sums.table();
}

function digestOf(lines: number, sum: string): DayDigest {
  return { minutes: new Map([[MINUTE, { lines, sum }]]), distantLines: 0, withoutIdentity: 0 };
}

const LINES = [missingAt("2026-11-22T10:00:01Z", ONE), missingAt("2026-11-22T10:00:02Z", TWO)];
const WHOLE = { sent: sentOf(LINES), missing: LINES, tooLong: 0, endMs: (MINUTE + 1) * 60_000 };

Deno.test("FoundBatch knows what there is of a minute when its lines are inserted", async () => {
  using directory = new TestDirectory();
  using batch = new FoundBatch(directory.path, DAY, "peer");
  await batch.add(WHOLE);
  batch.noteWhole([MINUTE], digestOf(2, SUM));
  assert.deepEqual([...batch.after(digestOf(1, "f".repeat(32)))], [[MINUTE, { lines: 3, sum: TWO }]]);
  assert.deepEqual([...batch.after({ ...digestOf(0, ""), minutes: new Map() })], [[MINUTE, {
    lines: 2,
    sum: SUM,
  }]]);
  assert.equal(batch.found.lines, 2);
  assert.deepEqual(batch.spans.spans.map(({ lines }) => lines), [2]);
});

for (
  const [what, digest, tooLong, message] of [
    ["fewer lines than promised", digestOf(3, SUM), 0, /has 3 lines of 2026-11-22T10:00Z, and it sends 2$/],
    ["others than promised", digestOf(2, ONE), 0, /has 2 lines of 2026-11-22T10:00Z, and it sends others$/],
    ["fewer, where one was too long", digestOf(3, SUM), 1, null],
    ["more, which came since", digestOf(1, ONE), 0, null],
    ["just these", digestOf(2, SUM), 0, null],
  ] as [string, DayDigest, number, RegExp | null][]
) {
  Deno.test(`FoundBatch.noteWhole() ${message === null ? "takes" : "refuses"} ${what}`, async () => {
    using directory = new TestDirectory();
    using batch = new FoundBatch(directory.path, DAY, "peer");
    await batch.add({ ...WHOLE, tooLong });
    const note = () => batch.noteWhole([MINUTE], digest);
    if (message === null) return note();
    assert.throws(note, (error) => error instanceof PeerError && message.test(error.message));
  });
}

Deno.test("FoundBatch places a line whose time is not of the day at the day's beginning or end", async () => {
  using directory = new TestDirectory();
  using batch = new FoundBatch(directory.path, DAY, "peer");
  const lines = [missingAt("1999-12-31T00:00:00Z", ONE), ...LINES, missingAt("2099-01-01T00:00:00Z", TWO)];
  await batch.add({ ...WHOLE, sent: sentOf(lines), missing: lines });
  await batch.found.close();
  const text = Deno.readTextFileSync(batch.found.path);
  const placings = text.split("\n").slice(0, -1).map((line) => line.split(" ")[0]);
  const start = Date.parse("2026-11-22") / 1000;
  assert.deepEqual(placings, [
    `${start}.000000000`,
    `${start + 36_001}.000000000`,
    `${start + 36_002}.000000000`,
    `${start + 86_399}.999999999`,
  ]);
});

Deno.test("FoundBatch is full at the end of a minute, not within", async () => {
  using directory = new TestDirectory();
  using batch = new FoundBatch(directory.path, DAY, "peer", 10);
  assert.equal(batch.isFull, false);
  await batch.add({ ...WHOLE, endMs: MINUTE * 60_000 + 1 });
  assert.equal(batch.isFull, false);
  await batch.add({ ...WHOLE, sent: sentOf([]), missing: [] });
  assert.equal(batch.isFull, true);
});
