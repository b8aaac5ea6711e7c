import assert from "node:assert/strict";
import { GapLedger, GAPS_LIMIT, readGaps } from "../../lib/archive/gap_ledger.ts";
import type { Gap } from "../../lib/gap.ts";
import { silentLogger } from "../../lib/logger.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { keepingLogger, NOON, TestDirectory } from "./archive_rig.ts";
import { SmallDisk } from "./small_disk.ts";

const clock = new FakeClock(NOON);
const START = Date.parse(NOON);

function open(path: string): GapLedger {
  return GapLedger.open(path, { clock, logger: silentLogger });
}

function all(ledger: GapLedger): readonly Gap[] {
  return ledger.touching(-Infinity, Infinity);
}

Deno.test("A gap is on the disk when it begins and when it ends, and survives opening again", async () => {
  using directory = new TestDirectory();
  const ledger = open(directory.path);
  ledger.begin("disconnect", START);
  await ledger.flush();
  assert.deepEqual(readGaps(directory.path).gaps, [
    { sinceMs: START, untilMs: null, cause: "disconnect", state: "open" },
  ]);
  ledger.begin("disconnect", START + 500); // goes on
  ledger.end(START + 2000);
  await ledger.flush();
  const wanted: Gap[] = [{ sinceMs: START, untilMs: START + 2000, cause: "disconnect", state: "lost" }];
  assert.deepEqual(all(ledger), wanted);
  assert.deepEqual(ledger.open, []);
  await ledger.close();
  const again = open(directory.path);
  assert.deepEqual(all(again), wanted);
  again.begin("crash", START + 5000);
  assert.equal(await again.close(), true);
  assert.deepEqual(readGaps(directory.path).gaps.length, 2);
});

Deno.test("touching() gives the gaps that share a moment with the span, oldest first", async () => {
  using directory = new TestDirectory();
  const ledger = open(directory.path);
  ledger.begin("stop", 1000);
  ledger.end(2000);
  ledger.begin("stall", 3000);
  assert.equal(ledger.touching(0, 1000).length, 0);
  assert.equal(ledger.touching(0, 1001).length, 1);
  assert.equal(ledger.touching(2000, 3000).length, 0);
  assert.equal(ledger.touching(1999, 3001).length, 2);
  assert.equal(ledger.touching(9000, 9001).length, 1);
  assert.equal(ledger.latest()?.cause, "stall");
  await ledger.close();
});

Deno.test("A ledger cut at any byte keeps the entries that are whole, and takes new ones", async () => {
  using directory = new TestDirectory();
  const first = open(directory.path);
  first.begin("stop", START);
  first.end(START + 1000);
  first.begin("disconnect", START + 2000);
  await first.close();
  const text = directory.text("gaps.jsonl").replace(/\n+$/, "\n");
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
  for (let length = 0; length <= text.length; length++) {
    directory.write("gaps.jsonl", text.slice(0, length));
    const ledger = open(directory.path);
    const whole = ends.filter((end) => end <= length).length;
    assert.equal(all(ledger).length, [0, 1, 1, 2][whole], `at ${length}`);
    ledger.begin("crash", START + 3000);
    assert.equal(await ledger.close(), true);
    const { gaps } = readGaps(directory.path);
    assert.equal(gaps.at(-1)?.cause, "crash", `at ${length}`);
    assert.equal(gaps.length, all(ledger).length);
  }
});

Deno.test("Zeros and foreign lines in a ledger are passed over and told", async () => {
  using directory = new TestDirectory();
  const first = open(directory.path);
  first.begin("stop", START);
  await first.close();
  directory.write("gaps.jsonl", directory.text("gaps.jsonl").trimEnd() + "\n\0\0\0\0\n{}\n\xff\n");
  const logger = keepingLogger();
  const ledger = GapLedger.open(directory.path, { clock, logger });
  assert.equal(all(ledger).length, 1);
  assert.deepEqual(logger.events, ['error gap ledger damaged {"lines":3}']);
  ledger.end(START + 1);
  await ledger.close();
  assert.equal(readGaps(directory.path).gaps[0]?.untilMs, START + 1);
});

Deno.test("More gaps than the limit are joined, and every moment that was in one still is", async () => {
  using directory = new TestDirectory();
  const ledger = open(directory.path);
  const moments: number[] = [];
  let state = 7;
  let atMs = START;
  for (let count = 0; count <= GAPS_LIMIT; count++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    atMs += 1 + state % 5000;
    ledger.begin("disconnect", atMs);
    moments.push(atMs);
    atMs += state % 700;
    ledger.end(atMs);
  }
  await ledger.flush();
  await ledger.close();
  for (const gaps of [all(ledger), readGaps(directory.path).gaps]) {
    assert.ok(gaps.length <= GAPS_LIMIT / 2);
    let next = 0;
    for (const moment of moments) {
      while (gaps[next] !== undefined && gaps[next]!.untilMs! < moment) next++;
      assert.ok(gaps[next] !== undefined && gaps[next]!.sinceMs <= moment);
    }
  }
});

Deno.test({
  name: "On a full disk a gap that begins and ends is written into the reserve (needs the right to mount)",
  ignore: !SmallDisk.isAllowed(),
  fn: async () => {
    using disk = new SmallDisk(262_144);
    const ledger = open(disk.path);
    await ledger.flush();
    await ledger.close();
    disk.fill();
    const again = open(disk.path);
    for (let count = 0; count < 10; count++) {
      again.begin("disk", START + count * 1000);
      await again.flush();
      assert.equal(readGaps(disk.path).gaps.at(-1)?.sinceMs, START + count * 1000);
      again.end(START + count * 1000 + 500);
      await again.flush();
      assert.equal(readGaps(disk.path).gaps.at(-1)?.untilMs, START + count * 1000 + 500);
    }
    await again.close();
  },
});

Deno.test("A ledger that cannot be written has one next try, however many ask, and none once it is closed", async () => {
  using directory = new TestDirectory();
  const ownClock = new FakeClock(NOON);
  const logger = keepingLogger();
  const ledger = GapLedger.open(directory.path, { clock: ownClock, logger });
  ledger.begin("stop", START);
  await ledger.flush();
  directory.remove("gaps.jsonl");
  Deno.mkdirSync(directory.file("gaps.jsonl"));
  const failures = () => logger.events.filter((event) => event.includes("gap ledger not written")).length;
  ledger.end(START + 1000);
  const flushes = [ledger.flush(), ledger.flush()];
  for (let count = 1; count <= 3; count++) {
    while (failures() < count) await new Promise((resolve) => setTimeout(resolve, 0));
    await Promise.resolve();
    assert.equal(ownClock.pending, 1);
    ownClock.advance(1000);
  }
  assert.equal(await ledger.close(), false);
  assert.equal(ownClock.pending, 0);
  await Promise.all(flushes);
});

Deno.test("A gap is rounded outwards, to whole milliseconds, in memory and on the disk", async () => {
  using directory = new TestDirectory();
  const ledger = open(directory.path);
  ledger.begin("stop", START + 0.9);
  ledger.end(START + 1000.1);
  const wanted: Gap[] = [{ sinceMs: START, untilMs: START + 1001, cause: "stop", state: "lost" }];
  assert.deepEqual(all(ledger), wanted);
  await ledger.close();
  assert.deepEqual(readGaps(directory.path).gaps, wanted);
});

Deno.test("A gap that ends as several spans is as many gaps, and lasts on while there is none", async () => {
  using directory = new TestDirectory();
  const ledger = open(directory.path);
  ledger.begin("disconnect", START);
  ledger.end(() => []);
  assert.equal(ledger.open.length, 1);
  ledger.end(() => [
    { sinceMs: START - 500, untilMs: START + 1000 },
    { sinceMs: START + 5000, untilMs: START + 6000 },
  ]);
  ledger.cover("disconnect", [{ sinceMs: START + 5500, untilMs: START + 6002 }]); // rounding
  ledger.cover("disconnect", [{ sinceMs: START + 5500, untilMs: START + 7000 }]);
  ledger.cover("disconnect", [{ sinceMs: START + 9000, untilMs: START + 9500 }]);
  const spans = [[-500, 0], [0, 1000], [5000, 7000], [9000, 9500]];
  const wanted = spans.map(([since, until]): Gap => (
    { sinceMs: START + since!, untilMs: START + until!, cause: "disconnect", state: "lost" }
  ));
  assert.deepEqual(all(ledger), wanted);
  await ledger.close();
  assert.deepEqual(readGaps(directory.path).gaps.sort((a, b) => a.sinceMs - b.sinceMs), wanted);
});
