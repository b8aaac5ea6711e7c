import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Archive } from "../../lib/archive/archive.ts";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import type { PlainFile } from "../../lib/archive/day/plain_file.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { dayName } from "../../lib/day.ts";
import { Followers, FOLLOWERS_LIMIT, FollowersBusy, type FollowRequest } from "../../lib/follow/followers.ts";
import { silentLogger } from "../../lib/logger.ts";
import { FOLLOWER_BYTES, MemoryBudget } from "../../lib/machine/memory_budget.ts";
import { DAY, openArchive, type TestArchive, TestDirectory } from "../archive/archive_rig.ts";
import { createRandom } from "../rig/random.ts";
import { StalledDisk } from "../faults/stalled_disk.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { checkNamedEvents, createParts, readProblem, serve, type ServedApi } from "./rig.ts";
import { untilSo, within } from "../rig/wait.ts";

const encoder = new TextEncoder();
const DAY_MS = 86_400_000;

/** An archive that is followed. */
class Followed implements AsyncDisposable {
  readonly followers: Followers;
  readonly gaps: GapLedger;
  readonly api: ServedApi;
  readonly archive: Archive;
  readonly clock: FakeClock;
  readonly #test: TestArchive;
  #isOpen = true;

  private constructor(test: TestArchive, directory: TestDirectory, clock: Clock) {
    this.#test = test;
    this.archive = test.archive;
    this.clock = test.clock;
    this.gaps = GapLedger.open(directory.path, { clock: test.clock, logger: silentLogger });
    const { archive, gaps } = this;
    this.followers = new Followers({ archive, gaps, clock, logger: silentLogger });
    this.api = serve(
      createParts({ archive, lines: archive.lines, followers: this.followers, gaps, clock: test.clock }),
    );
  }

  /** `clock` is the one that followers wait by. */
  static async open(
    directory: TestDirectory,
    clock: Clock = systemClock,
    openFile?: (path: string) => Promise<PlainFile>,
  ): Promise<Followed> {
    return new Followed(await openArchive(directory, { openFile }), directory, clock);
  }

  /** Records the line with a number, of a day. */
  record(number: number, options: { day?: number; app?: string; padding?: number } = {}): void {
    const { day = DAY, app = "web", padding = 0 } = options;
    const line = `{"fly":{"app":{"name":"${app}"}},"message":"line ${number}${"x".repeat(padding)}",` +
      `"timestamp":"${dayName(day)}T10:00:00Z"}`;
    this.archive.append(day, encoder.encode(line), false, { seconds: day * 86_400 + 36_000, nanoseconds: 0 });
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.followers.close();
    await this.api[Symbol.asyncDispose]();
    await this.gaps.close();
    await this.#test.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** What a client has read so far of an answer without end. */
class Reading implements AsyncDisposable {
  text = "";
  /** The number of the last line; cheap to ask for however much was read. */
  last = -1;
  readonly response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();

  constructor(response: Response) {
    assert.equal(response.status, 200);
    this.response = response;
    this.#reader = response.body!.getReader();
  }

  /** Reads until `isEnough`; false where the answer ends before. */
  async until(isEnough: (text: string) => boolean): Promise<boolean> {
    while (!isEnough(this.text)) {
      const { done, value } = await within(
        this.#reader.read(),
        `more than ${JSON.stringify(this.text.slice(-200))}`,
      );
      if (done) return false;
      const text = this.#decoder.decode(value, { stream: true });
      const at = text.lastIndexOf('"message":"line ');
      if (at !== -1) this.last = parseInt(text.slice(at + '"message":"line '.length));
      this.text += text;
    }
    return true;
  }

  /** The numbers of the lines so far. */
  get numbers(): number[] {
    return [...this.text.matchAll(/"message":"line (\d+)/g)].map(([, number]) => Number(number));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
    const isEvents = this.response.headers.get("Content-Type") === "text/event-stream";
    if (isEvents) checkNamedEvents(this.text);
  }
}

async function follow(
  { api }: Followed,
  query = "",
  headers: Record<string, string> = {},
): Promise<Reading> {
  return new Reading(await api.ask(`/tail${query}`, { headers }));
}

const EVENTS = { Accept: "text/event-stream" };

function range(from: number, end: number): number[] {
  return Array.from({ length: end - from }, (_, i) => from + i);
}

Deno.test("GET /tail gives the last ten lines and then each new one", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  for (let number = 0; number < 30; number++) followed.record(number, { day: DAY - (number < 25 ? 1 : 0) });
  await followed.archive.sync();
  await using reading = await follow(followed);
  assert.equal(reading.response.headers.get("Content-Type"), "application/x-ndjson");
  assert.equal(reading.response.headers.get("Log-Coverage"), "complete");
  await reading.until(() => reading.numbers.length >= 10);
  assert.deepEqual(reading.numbers, range(20, 30));
  followed.record(30);
  await reading.until(() => reading.numbers.length >= 11);
  followed.record(31, { day: DAY - 1 });
  followed.record(32, { day: DAY + 1 });
  await reading.until(() => reading.numbers.length >= 13);
  assert.deepEqual(reading.numbers, [...range(20, 31), 31, 32]);
  assert.ok(reading.text.endsWith('10:00:00Z"}\n'));
});

Deno.test("GET /tail gives the context that is asked for", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  for (let number = 0; number < 40; number++) {
    followed.record(number, { day: DAY - (number < 20 ? 1 : 0), app: number % 2 === 0 ? "web" : "api" });
  }
  await followed.archive.sync();
  for (
    const [query, expected] of [
      ["?tail=3", [37, 38, 39]],
      ["?since=2026-11-22", range(20, 40)],
      ["?since=2026-11-21&app=web&tail=12", range(8, 20).map((number) => number * 2)],
      ["?q=line%201", range(10, 20)],
      ["?cursor=2026-11-22:0", range(20, 40)],
    ] as const
  ) {
    await using reading = await follow(followed, query);
    await reading.until(() => reading.numbers.length >= expected.length);
    assert.deepEqual(reading.numbers, expected, query);
  }
});

Deno.test("GET /tail filters new lines too, and writes them as text where that is asked for", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  await using reading = await follow(followed, "?app=api*&q=7&format=text");
  assert.equal(reading.response.headers.get("Content-Type"), "text/plain; charset=utf-8");
  for (let number = 0; number < 30; number++) followed.record(number, { app: number < 20 ? "web" : "api-2" });
  await reading.until((text) => text.endsWith("\n"));
  assert.equal(reading.text, "2026-11-22T10:00:00.000Z api-2[-] - [-] line 27\n");
});

Deno.test("GET /tail sends events with ids that go on where they stand", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  followed.record(0);
  await followed.archive.sync();
  const length = followed.archive.day(DAY)!.bytes;
  const line = (number: number) =>
    `{"fly":{"app":{"name":"web"}},"message":"line ${number}","timestamp":"2026-11-22T10:00:00Z"}`;
  await using reading = await follow(followed, "?tail=1", EVENTS);
  assert.equal(reading.response.headers.get("Content-Type"), "text/event-stream");
  await reading.until(() => reading.numbers.length >= 1);
  followed.record(1);
  await reading.until(() => reading.numbers.length >= 2);
  assert.equal(
    reading.text,
    `retry: 2000\n\nid: 2026-11-22:${length};\ndata: ${line(0)}\n\n` +
      `id: 2026-11-22:${2 * length};\ndata: ${line(1)}\n\n`,
  );
  const headers = { ...EVENTS, "Last-Event-ID": `2026-11-22:${length};` };
  await using resumed = await follow(followed, "?tail=1", headers);
  await resumed.until(() => resumed.numbers.length >= 1);
  assert.deepEqual(resumed.numbers, [1]);
});

Deno.test("GET /tail gives each line once though its connection is cut 100 times and the server restarts", async () => {
  using directory = new TestDirectory();
  let followed = await Followed.open(directory);
  const random = createRandom(5);
  const total = 12_000;
  let recorded = 0;
  let today = DAY;
  const seen: number[] = [];
  let lastId = "";
  let cuts = 0;
  // Mostly today, now and then late, for as long ago as a line may be.
  const recordSome = () => {
    const count = Math.floor(random() * 200);
    for (let i = 0; i < count && recorded < total; i++) {
      const day = random() < 0.8 ? today : today - Math.ceil(random() * 8);
      followed.record(recorded++, { day, padding: Math.floor(random() * 300) });
    }
  };
  try {
    while (cuts < 100 || seen.length < total) {
      await using reading = await follow(followed, "?since=2026-11-01", {
        ...EVENTS,
        ...(lastId === "" ? {} : { "Last-Event-ID": lastId }),
      });
      const stopAt = 1 + Math.floor(random() * 250);
      recordSome();
      for (let turn = 0; turn < 3 && random() < 0.5; turn++) {
        await nextTurn();
        recordSome();
      }
      const left = recorded - seen.length;
      await reading.until(() => reading.numbers.length >= Math.min(stopAt, left));
      // A browser takes an event once the empty line behind it has come.
      const whole = reading.text.slice(0, reading.text.lastIndexOf("\n\n") + 2);
      seen.push(...[...whole.matchAll(/"message":"line (\d+)/g)].map(([, number]) => Number(number)));
      lastId = [...whole.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? lastId;
      cuts++;
      if (cuts % 20 === 0) {
        recordSome();
        await followed.archive.sync();
        followed.clock.skip(0.4 * DAY_MS);
        await followed.archive.maintain();
      }
      if (cuts % 40 === 0) {
        await followed.close();
        followed = await Followed.open(directory);
        today++;
      }
    }
  } finally {
    await followed.close();
  }
  assert.deepEqual(seen.toSorted((a, b) => a - b), range(0, total));
});

Deno.test("GET /tail lets a follower that is too slow go on from the disk, and says so", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  followed.record(0);
  await followed.archive.sync();
  const slow = await follow(followed, "?tail=1", EVENTS);
  await slow.until(() => slow.last === 0);
  await using quick = await follow(followed, "?tail=1");
  const total = 60_000;
  for (let number = 1; number < total; number++) {
    followed.record(number, { padding: 400 });
    if (number % 1000 === 0) await quick.until(() => quick.last > number - 5000);
  }
  await quick.until(() => quick.last === total - 1);
  assert.deepEqual(quick.numbers, range(0, total));
  await slow.until(() => slow.last === total - 1);
  assert.deepEqual(slow.numbers, range(0, total));
  assert.ok(checkNamedEvents(slow.text).includes("lagged"));
  assert.match(slow.text, /\n\nevent: lagged\ndata: \{"bytes":\d{5,}\}\n\n/);
  await slow[Symbol.asyncDispose]();
});

Deno.test("GET /tail tells of gaps as they begin and end, and of those since the last event", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  followed.record(0);
  await followed.archive.sync();
  await using reading = await follow(followed, "", EVENTS);
  await reading.until(() => reading.numbers.length === 1);
  const sinceMs = Date.parse("2026-11-22T11:00:00Z");
  followed.gaps.begin("disconnect", sinceMs);
  followed.gaps.end(sinceMs + 1500);
  await reading.until((text) => text.includes('"lost"'));
  const opened =
    'event: gap\ndata: {"since":"2026-11-22T11:00:00.000Z","until":null,"cause":"disconnect","state":"open",' +
    '"healed":null,"reason":null}\n\n';
  const ended = 'event: gap\ndata: {"since":"2026-11-22T11:00:00.000Z","until":"2026-11-22T11:00:01.500Z",' +
    '"cause":"disconnect","state":"lost","healed":null,"reason":null}\n\n';
  assert.ok(reading.text.endsWith(opened + ended));
  assert.deepEqual(checkNamedEvents(reading.text), ["gap", "gap"]);
  const id = /^id: (.*)$/m.exec(reading.text)![1]!;
  await using resumed = await follow(followed, "", { ...EVENTS, "Last-Event-ID": id });
  await resumed.until((text) => text.includes("gap"));
  assert.equal(resumed.text, `retry: 2000\n\n${ended}`);
  const cursor = id.split(";")[0];
  await using cut = await follow(followed, `?cursor=${cursor}`);
  assert.equal(cut.response.headers.get("Log-Coverage"), "partial; gaps=1; seconds=2");
  await using plain = await follow(followed, "?tail=1");
  await plain.until(() => plain.numbers.length === 1);
  assert.ok(!plain.text.includes("gap"));
});

Deno.test("GET /tail tells when lines of a gap were brought back, and not each time that more is known of it", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  const { gaps } = followed;
  followed.record(0);
  await followed.archive.sync();
  await using events = await follow(followed, "", EVENTS);
  await using text = await follow(followed, "?format=text");
  await using lines = await follow(followed, "");
  for (const reading of [events, text, lines]) await reading.until((text) => text.includes("line 0"));
  const sinceMs = Date.parse("2026-11-22T11:00:00Z");
  const span = { sinceMs, untilMs: sinceMs + 14_000 };
  gaps.begin("disconnect", sinceMs);
  gaps.end(span.untilMs);
  const healing = (count: number, doneUntilMs: number | null) => (
    { sources: [{ name: "fly", lines: count }], atMs: sinceMs + 60_000, doneUntilMs, reason: null }
  );
  gaps.noteHealing(1, { state: "lost", healing: healing(0, sinceMs + 1000), span });
  gaps.noteHealing(1, { state: "partial", healing: healing(40, sinceMs + 7000), span });
  gaps.noteHealing(1, { state: "partial", healing: healing(50, sinceMs + 9000), span });
  gaps.noteHealing(1, { state: "healed", healing: healing(412, null), span });
  await events.until((text) => text.includes("412"));
  assert.deepEqual(checkNamedEvents(events.text), ["gap", "gap", "healed", "healed"]);
  assert.ok(events.text.endsWith(
    'event: healed\ndata: {"since":"2026-11-22T11:00:00.000Z","until":"2026-11-22T11:00:14.000Z",' +
      '"cause":"disconnect","state":"healed","healed":{"sources":[{"name":"fly","lines":412}],' +
      '"at":"2026-11-22T11:01:00.000Z","until":null},"reason":null}\n\n',
  ));
  await text.until((text) => text.includes("412"));
  assert.deepEqual(text.text.split("\n").filter((line) => line.startsWith("---")), [
    "--- gap 11:00:00Z – now: disconnect ---",
    "--- gap 11:00:00Z – 11:00:14Z (14 s): disconnect ---",
    "--- gap 11:00:00Z – 11:00:14Z (14 s): disconnect, partly healed, 40 lines from fly ---",
    "--- gap healed: 14 s from 11:00:00Z, 412 lines from fly ---",
  ]);
  followed.record(1);
  await lines.until(() => lines.last === 1);
  assert.ok(!lines.text.includes("gap"), "lines alone are lines alone");
});

Deno.test("GET /tail tells of each part of a gap of which all but five seconds were brought back", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  const { gaps } = followed;
  followed.record(0);
  await followed.archive.sync();
  await using events = await follow(followed, "", EVENTS);
  await using text = await follow(followed, "?format=text");
  for (const reading of [events, text]) await reading.until((text) => text.includes("line 0"));
  const sinceMs = Date.parse("2026-11-22T11:00:00Z");
  gaps.begin("disconnect", sinceMs);
  gaps.end(sinceMs + 60_000);
  await gaps.part(1, {
    ...{ span: { sinceMs, untilMs: sinceMs + 60_000 }, state: "lost", agreed: ["http://b:8080"] },
    rest: [{ sinceMs: sinceMs + 20_000, untilMs: sinceMs + 25_000 }],
    healing: { sources: [], atMs: sinceMs + 60_000, doneUntilMs: null, reason: "It has gaps of its own" },
  });
  await events.until((text) => text.includes('11:00:25.000Z","until":"2026-11-22T11:01:00.000Z'));
  assert.deepEqual(checkNamedEvents(events.text), ["gap", "gap", "healed", "gap", "healed"]);
  await text.until((text) => text.includes("35 s from"));
  assert.deepEqual(text.text.split("\n").filter((line) => line.startsWith("---")).slice(2), [
    "--- gap healed: 20 s from 11:00:00Z, no line was missing, says http://b:8080 ---",
    "--- gap 11:00:20Z – 11:00:25Z (5 s): disconnect ---",
    "--- gap healed: 35 s from 11:00:25Z, no line was missing, says http://b:8080 ---",
  ]);
});

Deno.test("GET /tail as text does not tell who begins to follow of gaps that are healed", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  followed.record(0);
  await followed.archive.sync();
  const sinceMs = Date.parse("2026-11-22T11:00:00Z");
  followed.gaps.noteFound({ sinceMs, untilMs: sinceMs + 5000 }, {
    ...{ sources: [{ name: "fly", lines: 3 }], atMs: sinceMs, doneUntilMs: null, reason: null },
  });
  for (const path of ["?format=text&cursor=2026-11-22:0", "?format=text&since=2026-11-22"]) {
    await using reading = await follow(followed, path);
    await reading.until((text) => text.includes("line 0"));
    assert.doesNotMatch(reading.text, /gap/, path);
  }
  await using events = await follow(followed, "?since=2026-11-22", EVENTS);
  await events.until((text) => text.includes("line 0"));
  assert.deepEqual(checkNamedEvents(events.text), ["gap"]);
  assert.match(events.text, /"cause":"undelivered","state":"healed"/);
  assert.equal(events.response.headers.get("Log-Coverage"), "complete; healed=1");
});

Deno.test("GET /tail tells of lines that wait for a full disk, as events and among lines of text", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  const disk = new StalledDisk({ stalls: false });
  await using followed = await Followed.open(directory, clock, disk.open);
  const { archive } = followed;
  await using events = await follow(followed, "", EVENTS);
  await using text = await follow(followed, "?format=text");
  await events.until((text) => text.length > 0);
  await untilSo(() => followed.followers.count === 2, "two followers");
  disk.fail();
  for (let number = 0; number < 3; number++) followed.record(number);
  await untilSo(() => archive.trouble !== null, "the trouble of the archive");
  clock.advance(1000);
  const line = (lines: string) =>
    `--- held since 12:00:00Z: ${lines} for the disk: No space left on device (os error 28) ---\n`;
  const event = (lines: number, reason = '"No space left on device (os error 28)"') =>
    `event: held\ndata: {"since":"2026-11-22T12:00:00.000Z","lines":${lines},"reason":${reason}}\n\n`;
  await events.until((text) => text.includes("held"));
  await text.until((text) => text.endsWith("\n"));
  assert.ok(events.text.endsWith(event(3)), events.text);
  assert.deepEqual(checkNamedEvents(events.text), ["held"]);
  assert.equal(text.text, line("3 lines wait"));
  followed.record(3);
  clock.advance(15_000);
  await events.until((text) => text.includes('"lines":4'));
  await text.until((text) => text.endsWith(line("4 lines wait")));
  await using late = await follow(followed, "", EVENTS);
  assert.equal(late.response.headers.get("Log-Coverage"), "partial; held=4");
  await late.until((text) => text.includes("held"));
  assert.ok(late.text.endsWith(event(4)), late.text);
  disk.release();
  followed.clock.advance(1000);
  await archive.sync();
  clock.advance(1000);
  await events.until((text) => text.includes(event(0, "null")));
  await text.until((text) => text.includes("line 3"));
  assert.ok(text.text.startsWith(line("3 lines wait") + line("4 lines wait") + "2026-11-22T10:00:00.000Z"));
  assert.equal(archive.held(), null);
});

Deno.test("GET /tail sends a comment every 15 s to those who get events", async () => {
  using directory = new TestDirectory();
  const clock = new FakeClock("2026-11-22T12:00:00Z");
  await using followed = await Followed.open(directory, clock);
  await using reading = await follow(followed, "", EVENTS);
  await reading.until((text) => text.length >= "retry: 2000\n\n".length);
  for (let turn = 1; turn <= 3; turn++) {
    clock.advance(15_000);
    await reading.until((text) => text.endsWith(":\n\n".repeat(turn)));
  }
  assert.equal(reading.text, "retry: 2000\n\n:\n\n:\n\n:\n\n");
});

Deno.test("GET /tail ends when the recorder stops, behind the last line", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  const readings = [await follow(followed), await follow(followed, "", EVENTS)];
  followed.record(1);
  for (const reading of readings) await reading.until(() => reading.numbers.length === 1);
  for (let number = 2; number < 500; number++) followed.record(number);
  await followed.archive.sync();
  await followed.followers.close();
  for (const reading of readings) {
    assert.equal(await reading.until(() => false), false);
    assert.deepEqual(reading.numbers, range(1, 500));
  }
  const late = await followed.api.ask("/tail");
  assert.equal(late.status, 503);
  await late.text();
});

const FOLLOW_ALL: FollowRequest = {
  filter: { apps: [], regions: [], instances: [], levels: [] },
  style: "jsonl",
  isEvents: false,
  context: { kind: "tail", lines: 1, since: null, withinBytes: null },
  gapNotice: () => null,
  heldNotice: () => null,
};

Deno.test("GET /tail answers 503 with Retry-After when too many follow", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  const streams = Array.from(
    { length: FOLLOWERS_LIMIT },
    () => followed.followers.follow(FOLLOW_ALL),
  );
  const answer = await followed.api.ask("/tail");
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("Retry-After"), "30");
  assert.equal((await readProblem(answer)).type, "urn:flightlog:problem:too-many-followers");
  await streams[0]!.cancel();
  await using reading = await follow(followed);
  followed.record(1);
  await reading.until(() => reading.numbers.length === 1);
  for (const stream of streams.slice(1)) await stream.cancel();
});

Deno.test("Followers take no more than half of the memory that is for reading", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const gaps = GapLedger.open(directory.path, { clock: test.clock, logger: silentLogger });
  const memory = new MemoryBudget({ limitBytes: 4 * FOLLOWER_BYTES, clock: test.clock });
  const { archive, clock } = test;
  const followers = new Followers({ archive, gaps, clock, logger: silentLogger, memory });
  const follow = () => followers.follow(FOLLOW_ALL);
  const streams = [follow(), follow()];
  assert.throws(follow, FollowersBusy);
  await streams[0]!.cancel();
  assert.equal(memory.heldBytes, FOLLOWER_BYTES);
  await follow().cancel();
  await streams[1]!.cancel();
  assert.equal(memory.heldBytes, 0);
  await followers.close();
  await gaps.close();
});

Deno.test("GET /tail frees its place when its client goes away", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  const reading = await follow(followed);
  assert.equal(followed.followers.count, 1);
  await reading[Symbol.asyncDispose]();
  await untilSo(() => followed.followers.count === 0, "the end of the follower");
  const answer = await followed.api.ask("/tail", { method: "HEAD" });
  assert.equal(answer.status, 200);
  assert.equal(followed.followers.count, 0);
});

Deno.test("GET /tail makes lines into events once for all who want the same", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const { archive } = test;
  const gaps = GapLedger.open(directory.path, { clock: test.clock, logger: silentLogger });
  let selections = 0;
  const lines = Object.create(archive.lines, {
    selectText: {
      value: (...parameters: Parameters<Archive["lines"]["selectText"]>) => {
        selections++;
        return archive.lines.selectText(...parameters);
      },
    },
    read: { value: archive.lines.read.bind(archive.lines) },
    readTail: { value: archive.lines.readTail.bind(archive.lines) },
  });
  const followers = new Followers({
    archive: {
      days: () => archive.days(),
      day: (day) => archive.day(day),
      held: () => archive.held(),
      onCommit: (listener) => archive.onCommit(listener),
      openRecordedText: (day, range) => archive.openRecordedText(day, range),
      lines,
    },
    gaps,
    clock: systemClock,
    logger: silentLogger,
  });
  const request: FollowRequest = {
    filter: { apps: [], regions: [], instances: [], levels: [], texts: ["line"] },
    style: "jsonl",
    isEvents: true,
    context: { kind: "tail", lines: 1, since: null, withinBytes: null },
    gapNotice: () => null,
    heldNotice: () => null,
  };
  const readers = Array.from({ length: 20 }, () => followers.follow(request).getReader());
  for (const reader of readers) await reader.read(); // what the stream opens with
  const reads = readers.map((reader) => reader.read());
  for (let turn = 0; turn < 50; turn++) await nextTurn(); // by now they wait for what is new
  archive.append(DAY, encoder.encode('{"message":"line 1"}'), false, null);
  const first = (await reads[0])!.value;
  assert.ok(first !== undefined);
  for (const read of reads) assert.equal((await read).value, first);
  assert.equal(selections, 1);
  for (const reader of readers) await reader.cancel();
  await gaps.close();
});

Deno.test("GET /tail refuses to go on from within a line, and goes on from the end where the day has become shorter", async () => {
  using directory = new TestDirectory();
  await using followed = await Followed.open(directory);
  followed.record(1);
  await followed.archive.sync();
  for (
    const [query, id, param] of [["?cursor=2026-11-22:1", "", "cursor"], [
      "",
      "2026-11-22:1",
      "Last-Event-ID",
    ]]
  ) {
    const answer = await followed.api.ask(`/tail${query}`, { headers: { "Last-Event-ID": id! } });
    assert.equal(answer.status, 400);
    const problem = await readProblem(answer);
    assert.equal(problem.param, param);
    assert.match(
      problem.detail,
      new RegExp(`^${param} must stand between two lines, and byte 1 of 2026-11-22 is inside one`),
    );
  }
  await using resumed = await follow(followed, "", { ...EVENTS, "Last-Event-ID": "2026-11-22:99999" });
  assert.equal(resumed.response.status, 200);
});

const REFUSED: [query: string, id: string | null, param: string][] = [
  ["?until=1h", null, "until"],
  ["?limit=1", null, "limit"],
  ["?cursor=2026-11-22:0&tail=1", null, "cursor"],
  ["?cursor=2026-11-22:0&since=1h", null, "cursor"],
  ["", "yesterday", "Last-Event-ID"],
  ["", "2026-11-22:5;-1.", "Last-Event-ID"],
];

for (const [query, id, param] of REFUSED) {
  Deno.test(`GET /tail${query} ${id ?? ""} answers 400`, async () => {
    using directory = new TestDirectory();
    await using followed = await Followed.open(directory);
    const answer = await followed.api.ask(`/tail${query}`, {
      headers: id === null ? {} : { "Last-Event-ID": id },
    });
    assert.equal(answer.status, 400);
    assert.equal((await readProblem(answer)).param, param);
    assert.equal(followed.followers.count, 0);
  });
}
