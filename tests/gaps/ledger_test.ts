import assert from "node:assert/strict";
import { GAPS_LIMIT } from "../../lib/gaps/ledger_list.ts";
import { gapLine } from "../../lib/gaps/ledger_line.ts";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import { readGaps } from "../../lib/gaps/ledger_reader.ts";
import type { Gap, GapState } from "../../lib/gaps/gap.ts";
import { silentLogger } from "../../lib/logger.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { createRandomBelow } from "../rig/random.ts";
import { keepingLogger, NOON, TestDirectory } from "../archive/archive_rig.ts";

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
    { id: 1, sinceMs: START, untilMs: null, cause: "disconnect", state: "open" },
  ]);
  ledger.begin("disconnect", START + 500); // goes on
  ledger.end(START + 2000);
  await ledger.flush();
  const wanted: Gap[] = [{
    id: 1,
    sinceMs: START,
    untilMs: START + 2000,
    cause: "disconnect",
    state: "lost",
  }];
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
    { id: 4, sinceMs: START + 1000, untilMs: START + 10_800_000, cause: "disk", state: "lost" },
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
  const below = createRandomBelow(7);
  let atMs = START;
  for (let count = 0; count <= GAPS_LIMIT; count++) {
    atMs += 1 + below(5000);
    ledger.begin("disconnect", atMs);
    moments.push(atMs);
    atMs += below(700);
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

Deno.test("A gap is rounded outwards, to whole milliseconds, in memory and on the disk", async () => {
  using directory = new TestDirectory();
  const ledger = open(directory.path);
  ledger.begin("stop", START + 0.9);
  ledger.end(START + 1000.1);
  const wanted: Gap[] = [{ id: 1, sinceMs: START, untilMs: START + 1001, cause: "stop", state: "lost" }];
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
  const spans = [[2, -500, 0], [1, 0, 1000], [3, 5000, 7000], [4, 9000, 9500]];
  const wanted = spans.map(([id, since, until]): Gap => (
    { id: id!, sinceMs: START + since!, untilMs: START + until!, cause: "disconnect", state: "lost" }
  ));
  assert.deepEqual(all(ledger), wanted);
  await ledger.close();
  assert.deepEqual(readGaps(directory.path).gaps.sort((a, b) => a.sinceMs - b.sinceMs), wanted);
});

/** A ledger of disconnections in `directory` that has each of `gaps`: from when, until when, in which state. */
function openWith(
  directory: TestDirectory,
  ...gaps: [sinceMs: number, untilMs: number, state: GapState][]
): GapLedger {
  const lines = gaps.map(([since, until, state], number) =>
    gapLine({ id: number + 1, sinceMs: START + since, untilMs: START + until, cause: "disconnect", state })
  );
  directory.write("gaps.jsonl", lines.join(""));
  return open(directory.path);
}

/** What a ledger says in memory, having made sure that it says the same on the disk. */
async function closedGaps(ledger: GapLedger, directory: TestDirectory): Promise<[number, number, string][]> {
  const gaps = all(ledger);
  await ledger.close();
  assert.deepEqual(readGaps(directory.path).gaps.toSorted((a, b) => a.sinceMs - b.sinceMs), gaps);
  return gaps.map(({ sinceMs, untilMs, state }) => [sinceMs - START, untilMs! - START, state]);
}

for (const state of ["healed", "partial"] as const) {
  Deno.test(`cover() leaves a ${state} gap as it is, and makes a lost one of what lies outside it`, async () => {
    for (
      const { span: [sinceMs, untilMs], lost } of [
        { span: [5200, 5800], lost: [] },
        { span: [5000, 6000], lost: [] },
        { span: [4998, 6002], lost: [] }, // rounding
        { span: [5500, 7000], lost: [[6000, 7000]] },
        { span: [4000, 5500], lost: [[4000, 5000]] },
        { span: [4000, 7000], lost: [[4000, 5000], [6000, 7000]] },
        { span: [6500, 7000], lost: [[6500, 7000]] },
      ]
    ) {
      using directory = new TestDirectory();
      const ledger = openWith(directory, [5000, 6000, state]);
      ledger.cover("disconnect", [{ sinceMs: START + sinceMs!, untilMs: START + untilMs! }]);
      ledger.cover("disconnect", [{ sinceMs: START + sinceMs!, untilMs: START + untilMs! }]); // once more is no news
      const wanted = [[5000, 6000, state], ...lost.map((span) => [...span, "lost"])];
      assert.deepEqual(
        await closedGaps(ledger, directory),
        wanted.toSorted((a, b) => Number(a[0]) - Number(b[0])),
      );
    }
  });
}

Deno.test("cover() lets a lost gap go on to the beginning of a healed one, and no further", async () => {
  using directory = new TestDirectory();
  const ledger = openWith(directory, [0, 1000, "lost"], [2000, 3000, "healed"]);
  ledger.cover("disconnect", [{ sinceMs: START + 500, untilMs: START + 4000 }]);
  assert.deepEqual(await closedGaps(ledger, directory), [
    [0, 2000, "lost"],
    [2000, 3000, "healed"],
    [3000, 4000, "lost"],
  ]);
});

Deno.test("Joining too many gaps while running makes none of a healed and a lost one", async () => {
  using directory = new TestDirectory();
  const ledger = openWith(directory, [10_000_000, 10_000_010, "healed"], [10_000_020, 10_000_030, "partial"]);
  for (let count = 2; count <= GAPS_LIMIT; count++) {
    ledger.begin("disconnect", START + count * 5000);
    ledger.end(START + count * 5000 + 1000);
  }
  await ledger.flush();
  const gaps = all(ledger);
  assert.ok(gaps.length <= GAPS_LIMIT / 2);
  assert.deepEqual(gaps.filter(({ state }) => state !== "lost"), [
    ...[{
      id: 1,
      sinceMs: START + 10_000_000,
      untilMs: START + 10_000_010,
      cause: "disconnect",
      state: "healed",
    }],
    ...[{
      id: 2,
      sinceMs: START + 10_000_020,
      untilMs: START + 10_000_030,
      cause: "disconnect",
      state: "partial",
    }],
  ]);
  assert.equal(gaps.at(-1)?.id, GAPS_LIMIT + 1);
  await ledger.close();
  assert.deepEqual(readGaps(directory.path).gaps.toSorted((a, b) => a.sinceMs - b.sinceMs), gaps);
});
for (
  const [what, meddle] of [
    ["removed", (path: string) => Deno.removeSync(path)],
    ["cut", (path: string) => Deno.truncateSync(path, 10)],
  ] as const
) {
  Deno.test(`look() has a ledger written anew that was ${what} while it is open, and says so`, async () => {
    using directory = new TestDirectory();
    const logger = keepingLogger();
    const ledger = GapLedger.open(directory.path, { clock, logger });
    ledger.begin("stop", START);
    ledger.end(START + 1000);
    await ledger.flush();
    const text = directory.text("gaps.jsonl");
    meddle(directory.file("gaps.jsonl"));
    ledger.look();
    await ledger.tryWrite();
    assert.deepEqual(readGaps(directory.path).gaps, all(ledger));
    assert.ok(text.endsWith(directory.text("gaps.jsonl")), "one line for each gap");
    assert.equal(
      logger.events.filter((event) => event.startsWith("error gap ledger written anew")).length,
      1,
    );
    ledger.begin("stall", START + 5000);
    assert.equal(await ledger.close(), true);
    assert.deepEqual(readGaps(directory.path), { ...readGaps(directory.path), damagedLines: 0, lastId: 2 });
  });

  Deno.test(`A gap that begins after its ledger was ${what} is written with those before it`, async () => {
    using directory = new TestDirectory();
    const ledger = open(directory.path);
    ledger.begin("stop", START);
    ledger.end(START + 1000);
    await ledger.flush();
    meddle(directory.file("gaps.jsonl"));
    ledger.begin("stall", START + 5000);
    await ledger.flush();
    assert.deepEqual(readGaps(directory.path).gaps, all(ledger));
    await ledger.close();
  });
}

for (const [earlierMs, count] of [[0, 1], [2, 1], [3, 2]] as const) {
  Deno.test(`A gap that turns out to begin ${earlierMs} ms earlier when it ends is ${count === 1 ? "one" : "two"}`, async () => {
    using directory = new TestDirectory();
    const ledger = open(directory.path);
    ledger.begin("disconnect", START);
    ledger.end(() => [{ sinceMs: START - earlierMs, untilMs: START + 1000 }]);
    assert.equal(all(ledger).length, count);
    await ledger.close();
  });
}
