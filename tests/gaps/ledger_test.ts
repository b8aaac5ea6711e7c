import assert from "node:assert/strict";
import { GAPS_RESERVE_BYTES } from "../../lib/archive/format.ts";
import { GAPS_LIMIT } from "../../lib/gaps/ledger_list.ts";
import { gapLine } from "../../lib/gaps/ledger_line.ts";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import { readGaps } from "../../lib/gaps/ledger_reader.ts";
import type { PartialOutcome } from "../../lib/gaps/parted_gap.ts";
import type { Gap, GapHealing, GapState, Span } from "../../lib/gaps/gap.ts";
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
    { id: 1, sinceMs: START, untilMs: null, cause: "disconnect", state: "open", healing: null },
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
    healing: null,
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
  assert.equal(directory.text("gaps.reserve"), "\n".repeat(GAPS_RESERVE_BYTES));
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
    {
      id: 4,
      sinceMs: START + 1000,
      untilMs: START + 10_800_000,
      cause: "disk",
      state: "lost",
      healing: null,
    },
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
  directory.write("gaps.reserve", `${second}\n${third}\n`.padEnd(GAPS_RESERVE_BYTES, "\n"));
  assert.deepEqual(readGaps(directory.path).gaps.map(({ cause }) => cause), ["start", "disconnect", "crash"]);
  const ledger = open(directory.path);
  assert.deepEqual(all(ledger).map(({ cause }) => cause), ["start", "disconnect", "crash"]);
  await ledger.close();
  assert.equal(directory.text("gaps.jsonl"), LINES);
  assert.equal(directory.text("gaps.reserve"), "\n".repeat(GAPS_RESERVE_BYTES));
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
  const wanted: Gap[] = [{
    id: 1,
    sinceMs: START,
    untilMs: START + 1001,
    cause: "stop",
    state: "lost",
    healing: null,
  }];
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
    {
      id: id!,
      sinceMs: START + since!,
      untilMs: START + until!,
      cause: "disconnect",
      state: "lost",
      healing: null,
    }
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
    gapLine({
      id: number + 1,
      sinceMs: START + since,
      untilMs: START + until,
      cause: "disconnect",
      state,
      healing: null,
    })
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

for (const state of ["healed", "partial"] as const) {
  Deno.test(`What the disk has lost again after its gap was ${state} is a lost gap once more`, async () => {
    using directory = new TestDirectory();
    const lines = [gapLine({
      ...{ id: 1, sinceMs: START, untilMs: START + 5000, cause: "disk", state },
      healing: { sources: [{ name: "fly", lines: 7 }], atMs: START, doneUntilMs: null, reason: null },
    })];
    directory.write("gaps.jsonl", lines.join(""));
    const ledger = open(directory.path);
    const span = { sinceMs: START + 3000, untilMs: START + 4000 };
    ledger.cover("disk", [span]);
    ledger.cover("disk", [span]); // after a crash it is found once more
    assert.deepEqual(await closedGaps(ledger, directory), [[0, 5000, state], [3000, 4000, "lost"]]);
  });
}

Deno.test("cover() makes a gap of what of a span is before the lost gap that it touches", async () => {
  using directory = new TestDirectory();
  const ledger = openWith(directory, [5000, 6000, "lost"]);
  for (const _ of ["once", "and once more, which is no news"]) {
    ledger.cover("disconnect", [{ sinceMs: START + 4000, untilMs: START + 7000 }]);
  }
  ledger.cover("disconnect", [{ sinceMs: START + 3998, untilMs: START + 7000 }]); // rounding
  assert.deepEqual(await closedGaps(ledger, directory), [[4000, 5000, "lost"], [5000, 7000, "lost"]]);
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
      healing: null,
    }],
    ...[{
      id: 2,
      sinceMs: START + 10_000_020,
      untilMs: START + 10_000_030,
      cause: "disconnect",
      state: "partial",
      healing: null,
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

const HOUR_MS = 3_600_000;

/** A ledger with a gap of one minute from noon on, of id 1, that has ended. */
function openWithGap(directory: TestDirectory): GapLedger {
  const ledger = open(directory.path);
  ledger.begin("disconnect", START);
  ledger.end(START + 60_000);
  return ledger;
}

function healing(lines: number, reason: string | null = null, name = "fly"): GapHealing {
  return { sources: [{ name, lines }], atMs: START + HOUR_MS, doneUntilMs: null, reason };
}

const MINUTE = { sinceMs: START, untilMs: START + 60_000 };

/** Whether memory and disk agree; and what they say. */
async function agreed(ledger: GapLedger, directory: TestDirectory): Promise<readonly Gap[]> {
  await ledger.flush();
  const gaps = readGaps(directory.path).gaps.toSorted((a, b) => a.sinceMs - b.sinceMs);
  assert.deepEqual(gaps, all(ledger));
  return gaps;
}

Deno.test("noteHealing() is on the disk, told to listeners with what was known before, and logged", async () => {
  using directory = new TestDirectory();
  const logger = keepingLogger();
  const ledger = GapLedger.open(directory.path, { clock, logger });
  ledger.begin("disconnect", START);
  ledger.end(START + 60_000);
  const heard: [string, string | undefined][] = [];
  const cancel = ledger.onChange((gap, was) => heard.push([gap.state, was?.state]));
  assert.equal(
    ledger.noteHealing(1, { state: "partial", healing: healing(5, "late"), span: MINUTE }),
    "noted",
  );
  assert.equal(ledger.noteHealing(1, { state: "healed", healing: healing(7), span: MINUTE }), "noted");
  assert.equal(ledger.noteHealing(1, { state: "lost", healing: healing(0), span: MINUTE }), "kept");
  assert.deepEqual(heard, [["partial", "lost"], ["healed", "partial"]]);
  cancel();
  const wanted: Gap = { id: 1, ...MINUTE, cause: "disconnect", state: "healed", healing: healing(7) };
  assert.deepEqual(await agreed(ledger, directory), [wanted]);
  await ledger.close();
  assert.deepEqual(
    logger.events.filter((event) => event.startsWith("info gap healing")).map((event) => event.slice(17)),
    ["partial", "healed"].map((state) =>
      JSON.stringify({
        ...{
          cause: "disconnect",
          since: "2026-11-22T12:00:00.000Z",
          until: "2026-11-22T12:01:00.000Z",
          state,
        },
        ...state === "partial"
          ? { from: "5 lines from fly", reason: "late" }
          : { from: "7 lines from fly", reason: null },
      })
    ),
  );
  const again = open(directory.path);
  assert.deepEqual(all(again), [wanted]);
  await again.close();
});

Deno.test("noteHealing() of a gap that is gone or lasts does nothing, and says so", async () => {
  using directory = new TestDirectory();
  const ledger = open(directory.path);
  ledger.begin("disconnect", START);
  const outcome = { state: "healed", healing: healing(1), span: MINUTE } as const;
  assert.equal(ledger.noteHealing(7, outcome), "gone");
  assert.equal(ledger.noteHealing(1, outcome), "grown");
  assert.deepEqual(all(ledger).map(({ state, healing }) => [state, healing]), [["open", null]]);
  await ledger.close();
});

Deno.test("A lost gap that goes on while its lines are fetched is not told as healed", async () => {
  using directory = new TestDirectory();
  const ledger = openWithGap(directory);
  ledger.noteHealing(1, { state: "lost", healing: healing(0, "nobody has it"), span: MINUTE });
  ledger.cover("disconnect", [{ sinceMs: START + 30_000, untilMs: START + 70_000 }]);
  assert.equal(all(ledger)[0]!.healing, null, "nobody has looked for all of it");
  assert.equal(ledger.noteHealing(1, { state: "healed", healing: healing(5), span: MINUTE }), "grown");
  const [gap] = await agreed(ledger, directory);
  assert.deepEqual([gap!.state, gap!.untilMs, gap!.healing?.sources[0]?.lines], [
    "partial",
    START + 70_000,
    5,
  ]);
  const whole = { sinceMs: START, untilMs: START + 70_000 };
  assert.equal(ledger.noteHealing(1, { state: "healed", healing: healing(6), span: whole }), "noted");
  ledger.cover("disconnect", [{ sinceMs: START, untilMs: START + 80_000 }]);
  assert.deepEqual((await agreed(ledger, directory)).map(({ state }) => state), ["healed", "lost"]);
  await ledger.close();
});

Deno.test("A gap to which others were joined while its lines were fetched is not told as healed", async () => {
  using directory = new TestDirectory();
  const ledger = open(directory.path);
  for (let count = 0; count <= GAPS_LIMIT; count++) {
    ledger.begin("disconnect", START + count * 5000);
    ledger.end(START + count * 5000 + 1000);
  }
  const ids = all(ledger).map(({ id }) => id);
  const outcome = (number: number) => {
    const sinceMs = START + number * 5000;
    return { state: "healed", healing: healing(5), span: { sinceMs, untilMs: sinceMs + 1000 } } as const;
  };
  assert.equal(ledger.noteHealing(ids[1]! - 1, outcome(ids[1]! - 2)), "gone", "it is a part of another one");
  assert.equal(ledger.noteHealing(ids[0]!, outcome(ids[0]! - 1)), "grown");
  assert.deepEqual(all(ledger).filter(({ state }) => state === "healed"), []);
  await agreed(ledger, directory);
  await ledger.close();
});

Deno.test("noteFound() makes a healed gap of a loss that nobody had noticed, and lets it go on where another touches", async () => {
  using directory = new TestDirectory();
  const ledger = openWithGap(directory);
  const found = (from: number, to: number, lines: number, name = "fly") =>
    ledger.noteFound({ sinceMs: START + from, untilMs: START + to }, healing(lines, null, name));
  found(600_000.7, 660_000, 3);
  found(660_000, 719_999.1, 4, "http://b:8080");
  found(900_000, 960_000, 1);
  const sources = [{ name: "fly", lines: 3 }, { name: "http://b:8080", lines: 4 }];
  assert.deepEqual((await agreed(ledger, directory)).slice(1), [
    {
      ...{ id: 2, sinceMs: START + 600_000, untilMs: START + 720_000, cause: "undelivered", state: "healed" },
      healing: { ...healing(0), sources },
    },
    {
      ...{ id: 3, sinceMs: START + 900_000, untilMs: START + 960_000, cause: "undelivered", state: "healed" },
      healing: healing(1),
    },
  ]);
  assert.equal(ledger.latest()?.id, 1, "it did not begin last");
  await ledger.close();
});

Deno.test("noteFound() leaves an undelivered gap that is not healed as it is", async () => {
  using directory = new TestDirectory();
  const ledger = open(directory.path);
  ledger.cover("undelivered", [MINUTE]);
  ledger.noteFound({ sinceMs: START + 30_000, untilMs: START + 90_000 }, healing(2));
  assert.deepEqual(
    (await agreed(ledger, directory)).map((
      { state, sinceMs, untilMs },
    ) => [state, sinceMs - START, untilMs! - START]),
    [["lost", 0, 60_000], ["healed", 30_000, 90_000]],
  );
  await ledger.close();
});

Deno.test("noteBefore() makes one lost gap of the days before the first start, and heals like any other", async () => {
  using directory = new TestDirectory();
  const logger = keepingLogger();
  const ledger = GapLedger.open(directory.path, { clock, logger });
  ledger.begin("start", START);
  const span = { sinceMs: START - 7 * 24 * HOUR_MS, untilMs: START };
  assert.equal(ledger.noteBefore(span), 2);
  assert.equal(ledger.noteBefore({ ...span, sinceMs: 0 }), 2, "there is one already");
  assert.deepEqual(all(ledger)[0], { id: 2, ...span, cause: "before", state: "lost", healing: null });
  assert.equal(ledger.latest()?.cause, "start");
  const progress = { ...healing(100), doneUntilMs: START - 3 * 24 * HOUR_MS };
  assert.equal(ledger.noteHealing(2, { state: "lost", healing: progress, span }), "noted");
  assert.equal((await agreed(ledger, directory))[0]!.healing?.doneUntilMs, progress.doneUntilMs);
  assert.equal(ledger.noteHealing(2, { state: "healed", healing: healing(9000), span }), "noted");
  assert.equal((await agreed(ledger, directory))[0]!.state, "healed");
  await ledger.close();
  assert.ok(logger.events.every((event) => event.startsWith("info")), "a first start is no trouble");
});

/** Of the gap of a minute the seconds from 20 to 25 are missing; 7 lines came. */
function allBut(span: Span = MINUTE): PartialOutcome {
  const rest = [{ sinceMs: START + 20_000, untilMs: START + 25_000 }];
  return { span, rest, state: "partial", healing: healing(7, "it has gaps"), agreed: ["fly"] };
}

/** What {@linkcode allBut} makes of a gap of this id, with the ids that come after `lastId`. */
function partsOf(id: number, lastId: number): Gap[] {
  const part = (id: number, from: number, to: number, state: GapState, healing: GapHealing): Gap => ({
    ...{ id, sinceMs: START + from, untilMs: START + to, cause: "disconnect", state, healing },
  });
  return [
    part(lastId + 1, 0, 20_000, "healed", healing(7)),
    part(id, 20_000, 25_000, "partial", { ...healing(0, "it has gaps"), sources: [] }),
    part(lastId + 2, 25_000, 60_000, "healed", healing(0)),
  ];
}

Deno.test("part() leaves only the rest of a gap missing, on the disk too, and the last gap is what it was", async () => {
  using directory = new TestDirectory();
  const logger = keepingLogger();
  const ledger = GapLedger.open(directory.path, { clock, logger });
  ledger.begin("disconnect", START);
  ledger.end(START + 60_000);
  ledger.begin("stall", START + HOUR_MS);
  ledger.end(START + HOUR_MS + 1000);
  const rest = await ledger.part(1, allBut());
  const parts = partsOf(1, 2);
  assert.deepEqual(rest, [parts[1]]);
  assert.deepEqual((await agreed(ledger, directory)).slice(0, 3), parts);
  assert.deepEqual([ledger.lastId, ledger.latest()?.cause], [4, "stall"]);
  assert.deepEqual(logger.events.filter((event) => event.includes("gap parted")), [
    'info gap parted {"cause":"disconnect","since":"2026-11-22T12:00:00.000Z","until":"2026-11-22T12:01:00.000Z",' +
    '"healed":2,"partial":1,"seconds":5,"from":"7 lines from fly","reason":"it has gaps"}',
  ]);
  await ledger.close();
  const again = open(directory.path);
  assert.deepEqual(all(again).slice(0, 3), parts);
  assert.equal(again.lastId, 4, "as many as were given");
  await again.close();
});

Deno.test("part() tells listeners of each part, with the whole gap as what was known", async () => {
  using directory = new TestDirectory();
  const ledger = openWithGap(directory);
  const [whole] = all(ledger);
  const heard: [Gap, Gap | null][] = [];
  ledger.onChange((gap, was) => heard.push([gap, was]));
  await ledger.part(1, allBut());
  assert.deepEqual(heard, partsOf(1, 1).map((part) => [part, whole]));
  await ledger.close();
});

Deno.test("A part that is missing can be healed, and parted once more", async () => {
  using directory = new TestDirectory();
  const ledger = openWithGap(directory);
  await ledger.part(1, allBut());
  const span = { sinceMs: START + 20_000, untilMs: START + 25_000 };
  const rest = [{ sinceMs: START + 20_000, untilMs: START + 21_000 }];
  assert.equal((await ledger.part(1, { ...allBut(span), rest }))?.length, 1);
  assert.deepEqual(
    (await agreed(ledger, directory)).map(({ sinceMs, state }) => [(sinceMs - START) / 1000, state]),
    [[0, "healed"], [20, "partial"], [21, "healed"], [25, "healed"]],
  );
  assert.equal(ledger.noteHealing(1, { state: "healed", healing: healing(2), span }), "noted");
  assert.ok((await agreed(ledger, directory)).every(({ state }) => state === "healed"));
  await ledger.close();
});

Deno.test("part() of a gap that has grown meanwhile heals nothing of what it has grown by", async () => {
  using directory = new TestDirectory();
  const ledger = openWithGap(directory);
  ledger.cover("disconnect", [{ sinceMs: START + 30_000, untilMs: START + 70_000 }]);
  assert.equal((await ledger.part(1, allBut()))?.length, 2);
  assert.deepEqual(
    (await agreed(ledger, directory)).map(({ sinceMs, state }) => [(sinceMs - START) / 1000, state]),
    [[0, "healed"], [20, "partial"], [25, "healed"], [60, "partial"]],
  );
  await ledger.close();
});

Deno.test("part() leaves a gap that is gone, lasts, or is healed as it is", async () => {
  using directory = new TestDirectory();
  const ledger = openWithGap(directory);
  ledger.begin("stall", START);
  ledger.noteHealing(1, { state: "healed", healing: healing(5), span: MINUTE });
  for (const id of [1, 2, 7]) assert.equal(await ledger.part(id, allBut()), null);
  assert.equal((await agreed(ledger, directory)).length, 2);
  await ledger.close();
});

Deno.test("part() parts no gap where there would be more than are remembered", async () => {
  using directory = new TestDirectory();
  const ledger = openWithGap(directory);
  for (let count = 1; count < GAPS_LIMIT - 1; count++) {
    ledger.begin("disconnect", START + count * HOUR_MS);
    ledger.end(START + count * HOUR_MS + 1000);
  }
  assert.equal(await ledger.part(1, allBut()), null);
  assert.equal((await agreed(ledger, directory)).length, GAPS_LIMIT - 1);
  assert.equal(ledger.lastId, GAPS_LIMIT - 1);
  await ledger.close();
});

Deno.test("part() parts no gap while the disk does not take that, and does afterwards", async () => {
  using directory = new TestDirectory();
  const ledger = openWithGap(directory);
  await ledger.flush();
  const before = all(ledger);
  Deno.mkdirSync(directory.file("gaps.jsonl.tmp")); // in the way of one try, which removes it
  assert.equal(await ledger.part(1, allBut()), null);
  assert.deepEqual(await agreed(ledger, directory), before);
  assert.equal(ledger.lastId, 1);
  assert.equal((await ledger.part(1, allBut()))?.length, 1);
  assert.deepEqual(await agreed(ledger, directory), partsOf(1, 1));
  await ledger.close();
});

Deno.test("part() waits for a line that is being written, and both are on the disk", async () => {
  using directory = new TestDirectory();
  const ledger = openWithGap(directory);
  await ledger.flush();
  const before = directory.text("gaps.jsonl");
  ledger.begin("stall", START + HOUR_MS);
  const parting = ledger.part(1, allBut());
  assert.equal(directory.text("gaps.jsonl"), before, "the file that is being written stays where it is");
  await parting;
  const gaps = await agreed(ledger, directory);
  assert.deepEqual(gaps.map(({ cause }) => cause), [...Array(3).fill("disconnect"), "stall"]);
  await ledger.close();
});

Deno.test("After a kill in the middle of parting a gap no moment of it is without a gap", async () => {
  using directory = new TestDirectory();
  const ledger = openWithGap(directory);
  await ledger.flush();
  const whole = directory.text("gaps.jsonl");
  await ledger.part(1, allBut());
  await ledger.close();
  const parted = directory.text("gaps.jsonl");
  // Killed before the new file has its name, and after that, before the line is taken out of the reserve that waited there.
  for (
    const [text, reserve, temporary] of [[whole, "", parted], [parted, whole, null], [
      parted,
      "",
      null,
    ]] as const
  ) {
    directory.write("gaps.jsonl", text);
    directory.write("gaps.reserve", reserve.padEnd(GAPS_RESERVE_BYTES, "\n"));
    if (temporary !== null) directory.write("gaps.jsonl.tmp", temporary.slice(0, 100));
    const again = open(directory.path);
    for (let at = START; at < START + 60_000; at += 1000) {
      const isMissing = at >= START + 20_000 && at < START + 25_000;
      const touching = again.touching(at, at + 1000);
      assert.ok(touching.length > 0, `${at - START}`);
      if (isMissing) assert.ok(touching.some(({ state }) => state !== "healed"), `${at - START}`);
    }
    await again.close();
  }
});

Deno.test("noteBefore() notes the days before the first start once, also when they are parted", async () => {
  using directory = new TestDirectory();
  const ledger = open(directory.path);
  ledger.begin("start", START + 60_000);
  ledger.noteBefore(MINUTE);
  await ledger.part(2, allBut());
  ledger.noteBefore(MINUTE);
  assert.equal(all(ledger).filter(({ cause }) => cause === "before").length, 3);
  assert.equal(ledger.latest()?.cause, "start");
  await ledger.close();
});

Deno.test("A ledger whose reasons have letters of several bytes goes on behind them when it was written anew", async () => {
  using directory = new TestDirectory();
  const ledger = openWithGap(directory);
  ledger.noteHealing(1, { state: "lost", healing: healing(0, "Fly – „keine“ Zeilen"), span: MINUTE });
  await ledger.flush();
  Deno.removeSync(directory.file("gaps.jsonl")); // so that it is written anew
  ledger.look();
  await ledger.tryWrite();
  ledger.begin("stall", START + HOUR_MS);
  assert.equal((await agreed(ledger, directory)).length, 2);
  await ledger.close();
  assert.equal(readGaps(directory.path).damagedLines, 0);
});
