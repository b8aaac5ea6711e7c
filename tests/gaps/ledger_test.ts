import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import { GAPS_LIMIT, joinNearest } from "../../lib/gaps/ledger_list.ts";
import { GapLedger, readGaps } from "../../lib/gaps/ledger.ts";
import { checkedLine } from "../../lib/archive/checked_line.ts";
import type { KnownGap } from "../../lib/gaps/ledger_line.ts";
import type { Gap, GapCause, GapState } from "../../lib/gaps/gap.ts";
import { silentLogger } from "../../lib/logger.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { keepingLogger, NOON, TestDirectory } from "../archive/archive_rig.ts";
import type { ReadGapsReport } from "./read_gaps_child.ts";
import { SmallDisk } from "../archive/small_disk.ts";
import { untilSo } from "../rig/wait.ts";

const READ_GAPS_CHILD = new URL("./read_gaps_child.ts", import.meta.url).pathname;
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

const LINES =
  `{"id":1,"since":"2026-11-22T12:00:00.000Z","until":"2026-11-22T12:00:01.000Z","cause":"start",` +
  `"state":"lost","check":"03c810fe"}
{"id":2,"since":"2026-11-22T13:00:00.000Z","until":"2026-11-22T13:00:02.000Z","cause":"disconnect",` +
  `"state":"lost","check":"a05f8f9e"}
{"id":3,"since":"2026-11-22T15:00:00.000Z","until":null,"cause":"crash","state":"open","check":"e5e9f6d9"}
`;

Deno.test("A ledger is lines and nothing else: one says all of a gap, with a checksum", async () => {
  using directory = new TestDirectory();
  const hour = 3_600_000;
  const ledger = open(directory.path);
  ledger.begin("start", START);
  ledger.end(START + 1000);
  ledger.begin("disconnect", START + hour);
  ledger.end(START + hour + 2000);
  ledger.begin("crash", START + 3 * hour);
  await ledger.close();
  assert.equal(directory.text("gaps.jsonl"), LINES);
  assert.equal(directory.text("gaps.reserve"), "\n".repeat(8192));
});

Deno.test("A first start is news and no warning", async () => {
  using directory = new TestDirectory();
  const logger = keepingLogger();
  const ledger = GapLedger.open(directory.path, { clock, logger });
  ledger.begin("start", START);
  ledger.end(START + 1000);
  await ledger.close();
  assert.deepEqual(logger.events.map((event) => event.split(" ")[0]), ["info", "info"]);
});

/** Whether every gap of a ledger is still covered by one of `gaps`. */
function coversAll(gaps: readonly Gap[]): boolean {
  const wanted = [[START, START + 1000], [START + 3_600_000, START + 3_602_000], [
    START + 10_800_000,
    Infinity,
  ]];
  return wanted.every(([since, until]) =>
    gaps.some(({ sinceMs, untilMs, state }) =>
      state !== "healed" && sinceMs <= since! && Math.min(until!, clock.now()) <= (untilMs ?? Infinity)
    )
  );
}

Deno.test("No changed byte in a ledger hides a gap, and each is told of", async () => {
  const bytes = new TextEncoder().encode(LINES);
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [bytes[at]! ^ 1, 0x0a, 0x39]) {
      if (value === bytes[at]) continue;
      using directory = new TestDirectory();
      const changed = bytes.slice();
      changed[at] = value;
      directory.write("gaps.jsonl", changed);
      assert.ok(readGaps(directory.path).faults.length > 0, `${at}: ${value} is found`);
      const ledger = open(directory.path);
      assert.ok(coversAll(all(ledger)), `${at}: ${value} hides a gap: ${JSON.stringify(all(ledger))}`);
      await ledger.close();
      const again = readGaps(directory.path);
      assert.deepEqual(again.faults, []);
      assert.ok(coversAll(again.gaps));
    }
  }
});

Deno.test("A damaged line between others becomes a gap that lies between theirs", async () => {
  using directory = new TestDirectory();
  const [first, second, third] = LINES.trimEnd().split("\n");
  directory.write("gaps.jsonl", [first, second!.replace("13:00:00", "13:00:01"), third, ""].join("\n"));
  const ledger = open(directory.path);
  assert.deepEqual(all(ledger).filter(({ cause }) => cause === "disk"), [
    { sinceMs: START + 1000, untilMs: START + 10_800_000, cause: "disk", state: "lost" },
  ]);
  await ledger.close();
});

Deno.test("A damaged line that another one repeats costs nothing", async () => {
  using directory = new TestDirectory();
  const [first, second, third] = LINES.trimEnd().split("\n");
  directory.write("gaps.jsonl", [first, second!.replace("lost", "lust"), second, third, ""].join("\n"));
  const ledger = open(directory.path);
  assert.deepEqual(all(ledger).map(({ cause }) => cause), ["start", "disconnect", "crash"]);
  await ledger.close();
});

Deno.test("A ledger of 100,000 gaps opens within a second, in either form", () => {
  for (const isOld of [false, true]) {
    using directory = new TestDirectory();
    let text = "";
    for (let id = 1; id <= 100_000; id++) {
      const [since, until] = [START + id * 10_000, START + id * 10_000 + 1500].map((ms) =>
        new Date(ms).toISOString()
      );
      text += isOld
        ? `{"id":${id},"since":"${since}","cause":"stop","state":"open"}\n{"id":${id},"until":"${until}","state":"lost"}\n`
        : checkedLine({ id, since, until, cause: "stop", state: "lost" }) + "\n";
    }
    directory.write("gaps.jsonl", text);
    const before = cpuUsage(); // what others do on the machine meanwhile does not count
    const { gaps, faults } = readGaps(directory.path);
    const { user, system } = cpuUsage(before);
    assert.ok(user + system < 1_000_000, `${user + system} microseconds`);
    assert.deepEqual(faults, []);
    assert.ok(gaps.length <= 2 * GAPS_LIMIT);
    assert.equal(gaps[0]?.sinceMs, START + 10_000);
    assert.equal(gaps.at(-1)?.untilMs, START + 1_000_001_500);
  }
});

Deno.test("A ledger of a million gaps is read with a heap of 48 MB", async () => {
  using directory = new TestDirectory();
  {
    using file = Deno.openSync(directory.file("gaps.jsonl"), { write: true, create: true });
    for (let id = 1; id <= 1_000_000;) {
      let text = "";
      for (const end = id + 10_000; id < end; id++) {
        const [since, until] = [START + id * 1000, START + id * 1000 + 1].map((ms) =>
          new Date(ms).toISOString()
        );
        text += `{"id":${id},"since":"${since}","until":"${until}","cause":"stop","state":"lost"}\n`;
      }
      file.writeSync(new TextEncoder().encode(text));
    }
  }
  // The file has 100 MB, and all of its gaps as objects would be more. A process of its own has no garbage of others.
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--v8-flags=--max-old-space-size=48", READ_GAPS_CHILD, directory.path],
    stdin: "null",
  }).output();
  assert.ok(success);
  const { count, span, faults }: ReadGapsReport = JSON.parse(new TextDecoder().decode(stdout));
  assert.deepEqual(faults, []);
  assert.ok(count <= 2 * GAPS_LIMIT);
  assert.deepEqual(span, [START + 1000, START + 1_000_000_001]);
});

Deno.test("What a full disk left in the reserve is part of the ledger, and moves into it", async () => {
  using directory = new TestDirectory();
  const [first, second, third] = LINES.trimEnd().split("\n");
  directory.write("gaps.jsonl", first + "\n");
  directory.write("gaps.reserve", `${second}\n${third}\n`.padEnd(8192, "\n"));
  assert.deepEqual(readGaps(directory.path).gaps.map(({ cause }) => cause), ["start", "disconnect", "crash"]);
  const ledger = open(directory.path);
  assert.deepEqual(all(ledger).map(({ cause }) => cause), ["start", "disconnect", "crash"]);
  await ledger.close();
  assert.equal(directory.text("gaps.jsonl"), LINES);
  assert.equal(directory.text("gaps.reserve"), "\n".repeat(8192));
});

Deno.test({
  name: "Lines that a full disk left in the reserve move when there is room (needs the right to mount)",
  ignore: !SmallDisk.isAllowed(),
  fn: async () => {
    using disk = new SmallDisk(262_144);
    const ownClock = new FakeClock(NOON);
    const ledger = GapLedger.open(disk.path, { clock: ownClock, logger: silentLogger });
    ledger.begin("stop", START);
    await ledger.flush();
    disk.fill();
    const path = `${disk.path}/gaps.jsonl`;
    for (let count = 0; count < 45; count++) {
      ledger.end(START + count * 1000 + 500);
      ledger.begin("disk", START + (count + 1) * 1000);
      await ledger.flush();
    }
    const before = readGaps(disk.path);
    assert.deepEqual(before.faults, []);
    assert.equal(before.gaps.length, 46);
    assert.ok(readGapsOf(Deno.readTextFileSync(path)) < 46, "not all of it had room");
    disk.empty();
    ownClock.advance(1000);
    while (readGapsOf(Deno.readTextFileSync(path)) < 46) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await ledger.close();
    assert.equal(Deno.readTextFileSync(`${disk.path}/gaps.reserve`), "\n".repeat(8192));
    assert.deepEqual(readGaps(disk.path), before);
  },
});

/** How many gaps a text tells of. */
function readGapsOf(text: string): number {
  return new Set(text.matchAll(/"id":(\d+)/g).map(([, id]) => id)).size;
}

Deno.test("A ledger of 200 MB of line feeds is read in little memory", () => {
  using directory = new TestDirectory();
  directory.write("gaps.jsonl", LINES);
  {
    using file = Deno.openSync(directory.file("gaps.jsonl"), { append: true });
    const piece = new Uint8Array(1_000_000).fill(0x0a);
    for (let count = 0; count < 200; count++) file.writeSync(piece);
  }
  const before = Deno.memoryUsage().rss;
  assert.equal(readGaps(directory.path).gaps.length, 3);
  assert.ok(Deno.memoryUsage().rss - before < 50_000_000);
});

Deno.test("Joining gaps keeps their ids, and never makes one of two states or causes", () => {
  const gap = (id: number, sinceMs: number, cause: GapCause, state: GapState): KnownGap => ({
    id,
    sinceMs,
    untilMs: sinceMs + 10,
    cause,
    state,
  });
  const gaps = [
    gap(1, 0, "stop", "lost"),
    gap(2, 11, "stop", "healed"),
    gap(3, 22, "stop", "lost"),
    gap(4, 33, "crash", "lost"),
    gap(5, 90, "stop", "healed"),
    gap(6, 500, "stop", "lost"),
    { ...gap(7, 501, "stop", "open"), untilMs: null },
  ];
  assert.deepEqual(joinNearest(gaps, 6).map(({ id, sinceMs, untilMs }) => [id, sinceMs, untilMs]), [
    [1, 0, 32],
    [2, 11, 21],
    [4, 33, 43],
    [5, 90, 100],
    [6, 500, 510],
    [7, 501, null],
  ]);
  assert.deepEqual(joinNearest(gaps, 0).map(({ id, state }) => `${id} ${state}`), [
    "1 lost",
    "2 healed",
    "4 lost",
    "7 open",
  ]);
});

Deno.test("A ledger cut at any byte keeps the entries that are whole, and takes new ones", async () => {
  using directory = new TestDirectory();
  const first = open(directory.path);
  first.begin("stop", START);
  await first.flush();
  first.end(START + 1000);
  first.begin("disconnect", START + 2000);
  await first.close();
  const text = directory.text("gaps.jsonl");
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
  directory.write("gaps.jsonl", directory.text("gaps.jsonl") + "\0\0\0\0\n{}\n\xff\n");
  const logger = keepingLogger();
  const ledger = GapLedger.open(directory.path, { clock, logger });
  assert.equal(all(ledger).length, 1);
  assert.deepEqual(logger.events, [
    'error gap ledger damaged {"lines":3,"places":"Cannot read line 2 of \\"gaps.jsonl\\": it is no entry; ' +
    'Cannot read line 3 of \\"gaps.jsonl\\": it is no entry; ' +
    'Cannot read line 4 of \\"gaps.jsonl\\": it is no entry","inDoubt":""}',
  ]);
  assert.equal(directory.text("gaps.jsonl.damaged"), "\0\0\0\0\n{}\n\xff\n");
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
  for (const name of ["gaps.jsonl", "gaps.reserve"]) {
    directory.remove(name);
    Deno.mkdirSync(directory.file(name));
  }
  const failures = () => logger.events.filter((event) => event.includes("gap ledger not written")).length;
  ledger.end(START + 1000);
  const flushes = [ledger.flush(), ledger.flush()];
  for (let count = 1; count <= 3; count++) {
    await untilSo(() => failures() >= count, `failure ${count}`);
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
