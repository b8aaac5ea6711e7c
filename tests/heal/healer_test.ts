import assert from "node:assert/strict";
import type { DayInfo } from "../../lib/archive/archive.ts";
import { dayOf } from "../../lib/day.ts";
import type { Span } from "../../lib/gaps/gap.ts";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import { RecordedSpan } from "../../lib/gaps/recorded_span.ts";
import { Healer, HealerBusy } from "../../lib/heal/healer.ts";
import type { FlyHealOptions } from "../../lib/heal/fly/fly_healer.ts";
import type { SourceOutcome } from "../../lib/heal/outcome.ts";
import type { Compared, FlySource, PeerSource } from "../../lib/heal/source.ts";
import { silentLogger as logger } from "../../lib/logger.ts";
import { TestDirectory } from "../archive/archive_rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { lineAt, ServedRecorder } from "./peers/peer_rig.ts";

const NOON = "2026-11-22T12:00:00.000Z";
const NOON_MS = Date.parse(NOON);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PEER = "http://[fdaa::2]:8080";

function complete(source: string, lines: number): SourceOutcome {
  return { source, lines, state: "complete", reason: null };
}

function incomplete(source: string, lines: number, reason: string): SourceOutcome {
  return { source, lines, state: "incomplete", reason };
}

/** A source that says what it is told to, and remembers what it was asked. */
class Asked implements PeerSource, FlySource {
  /** What was asked, as `time since…until`, in minutes and seconds after noon. */
  readonly gaps: string[] = [];
  readonly compares: string[] = [];
  next: SourceOutcome[];
  found: Compared = { outcomes: [], found: [] };
  /** Set to have an asking wait. */
  hold: Promise<void> | null = null;

  constructor(readonly clock: FakeClock, next: SourceOutcome[]) {
    this.next = next;
  }

  healSpan(span: Span, signal: AbortSignal): Promise<SourceOutcome[]>;
  healSpan(span: Span, options: { signal: AbortSignal }): Promise<SourceOutcome>;
  async healSpan(span: Span, how: AbortSignal | { signal: AbortSignal }): Promise<never> {
    this.gaps.push(`${at(this.clock.now())} ${at(span.sinceMs)}…${at(span.untilMs)}`);
    await this.hold;
    const signal = how instanceof AbortSignal ? how : how.signal;
    signal.throwIfAborted();
    return (how instanceof AbortSignal ? this.next : this.next[0]) as never;
  }

  compare(span: Span, _signal: AbortSignal): Promise<Compared> {
    this.compares.push(`${at(this.clock.now())} ${at(span.sinceMs)}…${at(span.untilMs)}`);
    return Promise.resolve(this.found);
  }
}

/** `12:02:00` for two minutes after noon; of another day with its date. */
function at(epochMs: number): string {
  const text = new Date(epochMs).toISOString();
  return text.startsWith("2026-11-22") ? text.slice(11, 19) : text.slice(5, 16);
}

class Rig implements AsyncDisposable {
  readonly clock = new FakeClock(NOON);
  readonly directory = new TestDirectory();
  readonly ledger = GapLedger.open(this.directory.path, { clock: this.clock, logger });
  readonly peers: Asked | null;
  readonly fly: Asked | null;
  healer: Healer;
  days: Pick<DayInfo, "day" | "sealed" | "crc32">[] = [];
  trouble: string | null = null;

  constructor({ peers, fly }: { peers?: SourceOutcome[]; fly?: SourceOutcome[] }) {
    this.peers = peers === undefined ? null : new Asked(this.clock, peers);
    this.fly = fly === undefined ? null : new Asked(this.clock, fly);
    this.healer = this.#create(this.peers, this.fly);
    this.healer.start();
  }

  /** Starts another healer, as a restart of the program does. */
  restart({ fly }: { fly: FlySource }): void {
    this.healer = this.#create(this.peers, fly);
    this.healer.start();
  }

  get status() {
    return this.healer.status();
  }

  #create(peers: PeerSource | null, fly: FlySource | null): Healer {
    const { clock, ledger } = this;
    const archive = { days: () => this.days as DayInfo[], trouble: null as string | null };
    Object.defineProperty(archive, "trouble", { get: () => this.trouble });
    const oldest = { day: dayOf(NOON_MS) - 9, first: null } as DayInfo;
    const recorded = { oldestDay: () => oldest, newestRemovedDay: () => null, untouched: new Map() };
    const gaps = new RecordedSpan({ ledger, archive: recorded, clock });
    return new Healer({ ledger, gaps, archive, peers, fly, clock, logger });
  }

  /** A gap from ten seconds before noon to noon. */
  addGap(): void {
    this.ledger.begin("disconnect", NOON_MS - 10_000);
    this.ledger.end(NOON_MS);
  }

  get gap() {
    const { state, healing } = this.ledger.touching(-Infinity, Infinity)[0]!;
    return { state, sources: healing?.sources ?? [], reason: healing?.reason ?? null };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.healer.stop();
    await this.ledger.close();
    this.directory[Symbol.dispose]();
  }
}

Deno.test("a gap that a complete peer had is healed two seconds after its end, and Fly is not asked", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 7)], fly: [complete("fly", 0)] });
  rig.addGap();
  await rig.clock.advanceAsync(20 * MINUTE);
  assert.deepEqual(rig.peers!.gaps, ["12:00:02 11:59:50…12:00:00"]);
  assert.deepEqual(rig.fly!.gaps, []);
  assert.deepEqual(rig.gap, { state: "healed", sources: [{ name: PEER, lines: 7 }], reason: null });
});

Deno.test("Fly's word counts only when it is asked fifteen minutes after the gap", async () => {
  await using rig = new Rig({ fly: [complete("fly", 5)] });
  rig.addGap();
  await rig.clock.advanceAsync(3 * MINUTE);
  assert.deepEqual(rig.gap, {
    state: "partial",
    sources: [{ name: "fly", lines: 5 }],
    reason: "What came may not be all yet: it is asked again 15 minutes after the gap",
  });
  rig.fly!.next = [complete("fly", 1)];
  await rig.clock.advanceAsync(13 * MINUTE);
  assert.deepEqual(rig.fly!.gaps, ["12:02:00 11:59:50…12:00:00", "12:15:00 11:59:50…12:00:00"]);
  assert.deepEqual(rig.gap, { state: "healed", sources: [{ name: "fly", lines: 6 }], reason: null });
});

Deno.test("a gap that nobody has stays lost, with the reason of each, and is asked for again", async () => {
  const [down, old] = ["no connection", "it keeps about seven days"];
  await using rig = new Rig({ peers: [incomplete(PEER, 0, down)], fly: [incomplete("fly", 0, old)] });
  rig.addGap();
  await rig.clock.advanceAsync(16 * MINUTE);
  assert.equal(rig.gap.state, "lost");
  assert.match(rig.gap.reason!, /it keeps about seven days/);
  assert.deepEqual(rig.peers!.gaps.map((asked) => asked.slice(0, 8)), [
    "12:00:02",
    "12:01:10",
    "12:05:00",
    "12:15:00",
  ]);
});

Deno.test("a peer that a reason names is not named again in front of it", async () => {
  await using rig = new Rig({ peers: [incomplete(PEER, 0, `Cannot ask "${PEER}": it answers 500`)] });
  rig.addGap();
  await rig.clock.advanceAsync(10_000);
  assert.equal(rig.gap.reason, `Cannot ask "${PEER}": it answers 500`);
});

Deno.test("that nothing new came of asking is not written down again", async () => {
  await using rig = new Rig({ peers: [incomplete(PEER, 0, "no connection")] });
  rig.addGap();
  await rig.clock.advanceAsync(3000);
  await rig.ledger.flush();
  const { length } = rig.directory.read("gaps.jsonl");
  await rig.clock.advanceAsync(6 * MINUTE);
  await rig.ledger.flush();
  assert.equal(rig.peers!.gaps.length, 3);
  assert.equal(rig.directory.read("gaps.jsonl").length, length);
});

Deno.test("a source that will never have it is not asked again", async () => {
  await using rig = new Rig({ fly: [{ ...incomplete("fly", 0, "the token may not"), isFinal: true }] });
  rig.addGap();
  await rig.clock.advanceAsync(HOUR);
  assert.equal(rig.fly!.gaps.length, 1);
});

Deno.test("of several gaps the oldest is asked for first", async () => {
  await using rig = new Rig({ fly: [complete("fly", 0)] });
  for (const hoursAgo of [1, 5, 3]) {
    rig.ledger.begin("stop", NOON_MS - hoursAgo * HOUR);
    rig.ledger.end(NOON_MS - hoursAgo * HOUR + 1000);
  }
  await rig.clock.advanceAsync(2000);
  assert.deepEqual(rig.fly!.gaps.map((asked) => asked.slice(9)), [
    "07:00:00…07:00:01",
    "09:00:00…09:00:01",
    "11:00:00…11:00:01",
  ]);
});

Deno.test("a gap that lasts is not asked for", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)] });
  rig.ledger.begin("disconnect", NOON_MS);
  await rig.clock.advanceAsync(10 * MINUTE);
  assert.deepEqual(rig.peers!.gaps, []);
});

Deno.test("whoever asks for healing when the recorder has stopped is told so", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)] });
  await rig.healer.stop();
  const span = { sinceMs: NOON_MS, untilMs: NOON_MS + HOUR };
  const { signal } = new AbortController();
  await assert.rejects(rig.healer.healNow(span, () => {}, signal), /the recorder stops/);
});

Deno.test("each hour that is over is compared with peers, once", async () => {
  await using rig = new Rig({ peers: [] });
  await rig.clock.advanceAsync(2 * HOUR + 2 * MINUTE);
  assert.deepEqual(rig.peers!.compares, ["13:01:00 12:00:00…13:00:00", "14:01:00 13:00:00…14:00:00"]);
});

Deno.test("each day is compared at the start, and again when it is sealed anew", async () => {
  await using rig = new Rig({ peers: [] });
  const today = dayOf(NOON_MS);
  rig.days = [{ day: today, sealed: false, crc32: null }, { day: today - 1, sealed: true, crc32: "aa" }];
  await rig.clock.advanceAsync(MINUTE);
  assert.deepEqual(rig.peers!.compares.map((compared) => compared.slice(9)), [
    "11-21T00:00…00:00:00",
    "00:00:00…11:59:00",
  ]);
  rig.days[1] = { day: today - 1, sealed: true, crc32: "bb" };
  await rig.clock.advanceAsync(MINUTE);
  assert.equal(rig.peers!.compares.length, 3);
});

Deno.test("one peer that is gone does not keep hours and days from being compared with the others", async () => {
  await using rig = new Rig({ peers: [] });
  const today = dayOf(NOON_MS);
  rig.days = [0, 1, 2].map((ago) => ({ day: today - ago, sealed: ago > 0, crc32: ago > 0 ? "aa" : null }));
  const down = { ...incomplete("http://[fdaa::9]:8080", 0, "no connection"), state: "nothing" } as const;
  rig.peers!.found = { outcomes: [complete(PEER, 0), down], found: [] };
  await rig.clock.advanceAsync(MINUTE);
  assert.equal(new Set(rig.peers!.compares.map((compared) => compared.slice(9))).size, 3);
  await rig.clock.advanceAsync(2 * HOUR + MINUTE);
  const hours = ["12:00:00…13:00:00", "13:00:00…14:00:00"];
  for (const hour of hours) {
    assert.ok(rig.peers!.compares.some((compared) => compared.endsWith(hour)), hour);
  }
  // When it is back all is compared with it, once.
  rig.peers!.found = { outcomes: [complete(PEER, 0), complete(down.source, 0)], found: [] };
  rig.peers!.compares.length = 0;
  await rig.clock.advanceAsync(30 * MINUTE);
  assert.equal(rig.peers!.compares.length, 5);
});

Deno.test("what a peer broke off in the middle of is compared again", async () => {
  await using rig = new Rig({ peers: [] });
  rig.peers!.found = { outcomes: [incomplete(PEER, 3, "it broke off")], found: [] };
  await rig.clock.advanceAsync(HOUR + 5 * MINUTE);
  rig.peers!.found = { outcomes: [complete(PEER, 4)], found: [] };
  await rig.clock.advanceAsync(30 * MINUTE);
  assert.deepEqual(rig.peers!.compares, ["13:01:00 12:00:00…13:00:00", "13:11:00 12:00:00…13:00:00"]);
});

Deno.test("hours are compared on when the clock was set forward and back", async () => {
  await using rig = new Rig({ peers: [] });
  await rig.clock.advanceAsync(MINUTE);
  rig.clock.jump(72 * HOUR);
  await rig.clock.advanceAsync(2 * MINUTE);
  rig.clock.jump(-72 * HOUR);
  rig.peers!.compares.length = 0;
  await rig.clock.advanceAsync(HOUR);
  assert.ok(rig.peers!.compares.some((compared) => compared.endsWith("12:00:00…13:00:00")));
});

Deno.test("a loss that nobody had noticed becomes a healed gap of cause undelivered", async () => {
  await using rig = new Rig({ peers: [] });
  const span = { sinceMs: NOON_MS + 5 * MINUTE, untilMs: NOON_MS + 5 * MINUTE + 2000 };
  rig.peers!.found = { outcomes: [complete(PEER, 9)], found: [{ span, lines: 9, source: PEER }] };
  await rig.clock.advanceAsync(HOUR + 2 * MINUTE);
  const [gap] = rig.ledger.touching(-Infinity, Infinity);
  assert.equal(gap!.cause, "undelivered");
  assert.deepEqual([gap!.sinceMs, gap!.untilMs], [span.sinceMs, span.untilMs]);
  assert.deepEqual(rig.gap, { state: "healed", sources: [{ name: PEER, lines: 9 }], reason: null });
});

Deno.test("lines that are found within a gap that is known are told there", async () => {
  await using rig = new Rig({ peers: [incomplete(PEER, 0, "it has gaps of its own")] });
  rig.addGap();
  const span = { sinceMs: NOON_MS - 8000, untilMs: NOON_MS - 7000 };
  rig.peers!.found = { outcomes: [complete(PEER, 3)], found: [{ span, lines: 3, source: PEER }] };
  rig.days = [{ day: dayOf(NOON_MS), sealed: false, crc32: null }];
  await rig.clock.advanceAsync(10_000);
  assert.equal(rig.ledger.touching(-Infinity, Infinity).length, 1);
  assert.equal(rig.gap.state, "partial");
  assert.deepEqual(rig.gap.sources, [{ name: PEER, lines: 3 }]);
});

Deno.test("lines that are found from before the first start are brought, and that time stays unrecorded", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)] });
  rig.ledger.begin("start", NOON_MS);
  rig.ledger.end(NOON_MS + 1000);
  const span = { sinceMs: NOON_MS - 3 * HOUR, untilMs: NOON_MS - 2 * HOUR };
  rig.peers!.found = { outcomes: [complete(PEER, 9)], found: [{ span, lines: 9, source: PEER }] };
  const { lines, gaps } = await rig.healer.healNow(span, () => {}, new AbortController().signal);
  assert.equal(lines, 9);
  assert.deepEqual(gaps.map(({ cause, state }) => [cause, state]), [["before", "lost"]]);
  assert.equal(rig.ledger.touching(-Infinity, Infinity).length, 1);
});

Deno.test("lines that are found in a gap that lasts are no loss that nobody had noticed", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)] });
  rig.ledger.begin("disconnect", NOON_MS + MINUTE);
  const span = { sinceMs: NOON_MS + 2 * MINUTE, untilMs: NOON_MS + 3 * MINUTE };
  rig.peers!.found = { outcomes: [complete(PEER, 3)], found: [{ span, lines: 3, source: PEER }] };
  await rig.clock.advanceAsync(HOUR + 2 * MINUTE);
  assert.equal(rig.peers!.compares.length, 1);
  assert.deepEqual(rig.ledger.touching(-Infinity, Infinity).map(({ cause }) => cause), ["disconnect"]);
});

/** Fly, for the days before the first start: brings 100 lines an hour, and waits before each for `next`. */
class HourlyFly implements FlySource {
  readonly asked: string[] = [];
  doubt: string | null = null;
  outcome: SourceOutcome | null = null;
  next: () => Promise<void> = () => Promise.resolve();
  /** It brings so many hours in all before it is down. */
  breakAfter = Infinity;
  /** Why it is not proven that this was all. */
  unproven: string | null = null;

  constructor(readonly clock: FakeClock) {}

  async healSpan(span: Span, { fromMs = span.sinceMs, signal, onProgress, doubt }: FlyHealOptions) {
    this.asked.push(`${at(fromMs)}…${at(span.untilMs)}`);
    if (this.outcome !== null) return this.outcome;
    let lines = 0;
    for (let doneUntilMs = fromMs; doneUntilMs < span.untilMs;) {
      await this.next();
      signal?.throwIfAborted();
      if (this.breakAfter-- <= 0) {
        const state = lines > 0 ? "incomplete" : "nothing";
        return { source: "fly", lines, state, reason: "Cannot ask Fly" } as SourceOutcome;
      }
      lines += 100;
      doneUntilMs = Math.min((Math.floor(doneUntilMs / HOUR) + 1) * HOUR, span.untilMs);
      onProgress?.({ doneUntilMs, lines, doubt: this.doubt ?? doubt ?? null });
    }
    const reason = this.doubt ?? doubt ?? this.unproven;
    return {
      source: "fly",
      lines,
      state: reason === null ? "complete" : "incomplete",
      reason,
    } as SourceOutcome;
  }
}

/** A rig with such a Fly, and three hours before noon to be brought back; it is twenty minutes after noon. */
async function startBefore(): Promise<{ rig: Rig; fly: HourlyFly }> {
  const rig = new Rig({ fly: [] });
  await rig.healer.stop();
  const fly = new HourlyFly(rig.clock);
  rig.ledger.noteBefore({ sinceMs: NOON_MS - 2.5 * HOUR, untilMs: NOON_MS });
  rig.restart({ fly });
  return { rig, fly };
}

Deno.test("of lines that are found in a gap and after it, only the time after it becomes a gap of its own", async () => {
  await using rig = new Rig({ peers: [incomplete(PEER, 0, "it has gaps of its own")] });
  rig.addGap();
  const span = { sinceMs: NOON_MS - 2000, untilMs: NOON_MS + 3000 };
  rig.peers!.found = { outcomes: [complete(PEER, 3)], found: [{ span, lines: 3, source: PEER }] };
  await rig.clock.advanceAsync(HOUR + 2 * MINUTE);
  const [, gap] = rig.ledger.touching(-Infinity, Infinity);
  assert.deepEqual([gap!.cause, gap!.sinceMs, gap!.untilMs], ["undelivered", NOON_MS, NOON_MS + 3000]);
});

Deno.test("the days before the first start are asked of Fly two minutes after it, from the oldest on", async () => {
  const { rig, fly } = await startBefore();
  await using _rig = rig;
  await rig.clock.advanceAsync(MINUTE);
  assert.deepEqual(fly.asked, []);
  await rig.clock.advanceAsync(2 * MINUTE);
  assert.deepEqual(fly.asked, ["09:30:00…12:00:00"]);
  assert.equal(rig.gap.state, "partial");
});

Deno.test("the last hour before the first start is asked for again when Fly has it, and then all of it is healed", async () => {
  const { rig, fly } = await startBefore();
  await using _rig = rig;
  await rig.clock.advanceAsync(20 * MINUTE);
  assert.deepEqual(fly.asked, ["09:30:00…12:00:00", "11:00:00…12:00:00"]);
  assert.deepEqual(rig.gap, { state: "healed", sources: [{ name: "fly", lines: 400 }], reason: null });
});

Deno.test("a gap that is due goes before the days before the first start, which go on where they were left", async () => {
  const { rig, fly } = await startBefore();
  await using _rig = rig;
  let slices = 0;
  fly.next = async () => {
    if (++slices === 2) {
      rig.ledger.begin("crash", NOON_MS + MINUTE);
      rig.ledger.end(NOON_MS + MINUTE + 1000);
      rig.clock.skip(3 * MINUTE);
    }
    await Promise.resolve();
  };
  await rig.clock.advanceAsync(20 * MINUTE);
  assert.deepEqual(fly.asked.slice(0, 3), ["09:30:00…12:00:00", "12:01:00…12:01:01", "11:00:00…12:00:00"]);
});

Deno.test("healNow() asks for the days before the first start after every other gap, since they take long", async () => {
  const { rig, fly } = await startBefore();
  await using _rig = rig;
  rig.ledger.begin("crash", NOON_MS + MINUTE);
  rig.ledger.end(NOON_MS + MINUTE + 1000);
  const span = { sinceMs: NOON_MS - 3 * HOUR, untilMs: NOON_MS + HOUR };
  await rig.healer.healNow(span, () => {}, new AbortController().signal);
  assert.deepEqual(fly.asked, ["12:01:00…12:01:01", "09:30:00…12:00:00"]);
});

Deno.test("healNow() of the last minutes does not go through the days before the first start, and says so", async () => {
  const { rig, fly } = await startBefore();
  await using _rig = rig;
  const told: string[] = [];
  const span = { sinceMs: NOON_MS - MINUTE, untilMs: NOON_MS + HOUR };
  await rig.healer.healNow(span, (what) => told.push(what), new AbortController().signal);
  assert.deepEqual(fly.asked, []);
  assert.deepEqual(told, [
    "The days before the first start come by themselves: they are done up to 2026-11-22T09:30:00.000Z",
  ]);
});

Deno.test("a gap that every source has answered for is not due any more, though it is asked for again", async () => {
  await using rig = new Rig({ peers: [incomplete(PEER, 0, "it has gaps of its own")] });
  rig.addGap();
  await rig.clock.advanceAsync(10_000);
  assert.equal(rig.status.due, 1);
  await rig.clock.advanceAsync(2 * MINUTE);
  assert.deepEqual([rig.status.due, rig.gap.state], [0, "lost"]);
});

Deno.test("a gap stays due while a source cannot be asked", async () => {
  await using rig = new Rig({
    peers: [{ source: PEER, lines: 0, state: "nothing", reason: "no connection" }],
  });
  rig.addGap();
  await rig.clock.advanceAsync(HOUR);
  assert.equal(rig.status.due, 1);
});

Deno.test("what was gone through of the days before the first start is not asked for again after a restart", async () => {
  const { rig, fly } = await startBefore();
  await using _rig = rig;
  fly.next = () => slicesLeft-- > 0 ? Promise.resolve() : Promise.reject(new Error("it is killed"));
  let slicesLeft = 1;
  await rig.clock.advanceAsync(3 * MINUTE);
  assert.equal(rig.status.beforeDoneMs, NOON_MS - 2 * HOUR);
  await rig.healer.stop();
  const after = new HourlyFly(rig.clock);
  rig.restart({ fly: after });
  await rig.clock.advanceAsync(20 * MINUTE);
  assert.equal(after.asked[0], "10:00:00…12:00:00");
  assert.deepEqual(rig.gap.state, "healed");
});

Deno.test("a doubt about an hour before the first start is not forgotten, so that not all is called healed", async () => {
  const { rig, fly } = await startBefore();
  await using _rig = rig;
  fly.doubt = "more than a page in one instant";
  await rig.clock.advanceAsync(3 * MINUTE);
  fly.doubt = null;
  await rig.clock.advanceAsync(20 * MINUTE);
  assert.equal(rig.gap.state, "partial");
  assert.equal(rig.gap.reason, "fly: more than a page in one instant");
  assert.equal(rig.status.due, 0);
});

Deno.test("the days before the first start are asked for again while Fly cannot be reached", async () => {
  const { rig, fly } = await startBefore();
  await using _rig = rig;
  fly.outcome = { source: "fly", lines: 0, state: "nothing", reason: "no connection" };
  await rig.clock.advanceAsync(6 * MINUTE);
  assert.equal(fly.asked.length, 1);
  fly.outcome = null;
  await rig.clock.advanceAsync(20 * MINUTE);
  assert.equal(rig.gap.state, "healed");
});

Deno.test("where Fly breaks off in the middle of the days before the first start, the rest is asked for later", async () => {
  const { rig, fly } = await startBefore();
  await using _rig = rig;
  rig.clock.skip(20 * MINUTE); // Fly's word counts by now, as it does when most of seven days is brought back
  fly.breakAfter = 1;
  await rig.clock.advanceAsync(15_000);
  assert.deepEqual(fly.asked, ["09:30:00…12:00:00", "10:00:00…12:00:00"]);
  assert.equal(rig.status.beforeDoneMs, NOON_MS - 2 * HOUR);
  assert.equal(rig.gap.reason, "Cannot ask Fly");
  fly.breakAfter = Infinity;
  await rig.clock.advanceAsync(6 * MINUTE);
  assert.deepEqual(fly.asked.slice(2), ["10:00:00…12:00:00"]);
  assert.deepEqual(rig.gap, { state: "healed", sources: [{ name: "fly", lines: 300 }], reason: null });
});

Deno.test("that Fly was behind when it was asked first is no doubt when it is asked once more", async () => {
  const { rig, fly } = await startBefore();
  await using _rig = rig;
  fly.unproven = "Not proven to be all: 3 of 4 lines in the 5 s after the gap are not there";
  await rig.clock.advanceAsync(3 * MINUTE);
  assert.equal(rig.gap.reason, fly.unproven);
  fly.unproven = null;
  await rig.clock.advanceAsync(20 * MINUTE);
  assert.deepEqual(rig.gap, { state: "healed", sources: [{ name: "fly", lines: 400 }], reason: null });
});

Deno.test("nothing is asked for while the disk takes nothing", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 1)] });
  rig.trouble = "No space left on device (os error 28)";
  rig.addGap();
  await rig.clock.advanceAsync(MINUTE);
  assert.deepEqual(rig.peers!.gaps, []);
  rig.trouble = null;
  await rig.clock.advanceAsync(2 * MINUTE);
  assert.equal(rig.gap.state, "healed");
});

Deno.test("healNow() asks everybody at once, tells what came of it, and is for one at a time", async () => {
  await using rig = new Rig({
    peers: [incomplete(PEER, 2, "it has a gap of its own")],
    fly: [complete("fly", 3)],
  });
  rig.ledger.begin("disconnect", NOON_MS - HOUR);
  rig.ledger.end(NOON_MS - HOUR + 1000);
  const told: string[] = [];
  const span = { sinceMs: NOON_MS - 2 * HOUR, untilMs: NOON_MS };
  const report = rig.healer.healNow(span, (what) => told.push(what), new AbortController().signal);
  assert.throws(() => rig.healer.healNow(span, () => {}, new AbortController().signal), HealerBusy);
  const { lines, gaps } = await report;
  assert.equal(lines, 5);
  assert.deepEqual(gaps.map(({ state }) => state), ["healed"]);
  assert.ok(told.includes(`${PEER}: 2 lines brought; it has a gap of its own`), told.join("\n"));
  assert.ok(told.includes("fly: complete, 3 lines brought"), told.join("\n"));
});

Deno.test("healNow() compares also the minute in which the span ends", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)] });
  const span = { sinceMs: NOON_MS - HOUR, untilMs: NOON_MS - 10 * MINUTE - 13_000 };
  await rig.healer.healNow(span, () => {}, new AbortController().signal);
  assert.deepEqual(rig.peers!.compares.map((compared) => compared.slice(9)), ["11:00:00…11:50:00"]);
});

Deno.test("healNow() ends when who asked for it has gone, and the next one is served", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)] });
  rig.addGap();
  const { promise, resolve } = Promise.withResolvers<void>();
  rig.peers!.hold = promise;
  const gone = new AbortController();
  const span = { sinceMs: NOON_MS - HOUR, untilMs: NOON_MS };
  const report = rig.healer.healNow(span, () => {}, gone.signal);
  gone.abort(new Error("gone"));
  resolve();
  await assert.rejects(report, /gone/);
  await rig.healer.healNow(span, () => {}, new AbortController().signal);
  assert.equal(rig.gap.state, "healed");
});

Deno.test("who has gone while something else was done is waited for by nobody, and the next one may ask", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)] });
  rig.addGap();
  const { promise, resolve } = Promise.withResolvers<void>();
  rig.peers!.hold = promise;
  await rig.clock.advanceAsync(3000); // the gap is being asked for
  const gone = new AbortController();
  const span = { sinceMs: NOON_MS - HOUR, untilMs: NOON_MS };
  const report = rig.healer.healNow(span, () => {}, gone.signal);
  gone.abort(new Error("gone"));
  await assert.rejects(report, /gone/);
  const next = rig.healer.healNow(span, () => {}, new AbortController().signal);
  resolve();
  assert.deepEqual((await next).gaps.map(({ state }) => state), ["healed"]);
});

Deno.test("healNow() does not wait for a recorder that stops", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)] });
  await rig.healer.stop();
  const span = { sinceMs: NOON_MS - HOUR, untilMs: NOON_MS };
  await assert.rejects(
    rig.healer.healNow(span, () => {}, new AbortController().signal),
    /the recorder stops/,
  );
});

Deno.test("healNow() compares no days that nobody has, however far back the span begins", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)] });
  const days = () => rig.peers!.compares.map((compared) => compared.slice(9));
  const span = { sinceMs: 0, untilMs: NOON_MS + 24 * HOUR };
  await rig.healer.healNow(span, () => {}, new AbortController().signal);
  rig.days = [{ day: dayOf(NOON_MS) - 20, sealed: true, crc32: "aa" }];
  await rig.healer.healNow(span, () => {}, new AbortController().signal);
  assert.deepEqual(days(), ["11-14T12:00…11:59:00", "11-02T00:00…11:59:00"]);
});

Deno.test("a gap that goes on after a source said that it will never have it is asked for once more", async () => {
  await using rig = new Rig({ fly: [{ ...incomplete("fly", 0, "no app is recorded here"), isFinal: true }] });
  rig.addGap();
  await rig.clock.advanceAsync(3 * MINUTE);
  rig.ledger.cover("disconnect", [{ sinceMs: NOON_MS - 1000, untilMs: NOON_MS + 30_000 }]);
  await rig.clock.advanceAsync(3 * MINUTE);
  assert.deepEqual(rig.fly!.gaps, ["12:02:00 11:59:50…12:00:00", "12:03:02 11:59:50…12:00:30"]);
});

Deno.test("gaps are asked for on when the clock was set forward and back", async () => {
  await using rig = new Rig({ peers: [incomplete(PEER, 0, "no connection")] });
  rig.addGap();
  await rig.clock.advanceAsync(3000);
  rig.clock.jump(5 * HOUR);
  await rig.clock.advanceAsync(5000);
  rig.clock.jump(-5 * HOUR);
  rig.peers!.gaps.length = 0;
  await rig.clock.advanceAsync(6 * MINUTE);
  assert.deepEqual(rig.peers!.gaps.map((asked) => asked.slice(0, 8)), ["12:01:10", "12:05:00"]);
});

Deno.test("nothing is asked for until the lines are recorded that waited while the program stood still", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)] });
  rig.clock.skip(4 * MINUTE); // frozen, and everything with it
  rig.addGap();
  await rig.clock.advanceAsync(8000);
  assert.deepEqual(rig.peers!.gaps, []);
  const span = { sinceMs: NOON_MS - HOUR, untilMs: NOON_MS };
  const report = rig.healer.healNow(span, () => {}, new AbortController().signal);
  await rig.clock.advanceAsync(5000);
  assert.deepEqual(rig.peers!.gaps, ["12:04:10 11:59:50…12:00:00"]);
  assert.deepEqual((await report).gaps.map(({ state }) => state), ["healed"]);
});

Deno.test("nothing is asked for at once after the machine was suspended, which only the time of day tells", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)] });
  rig.addGap();
  rig.clock.jump(4 * MINUTE);
  await rig.clock.advanceAsync(8000);
  assert.deepEqual(rig.peers!.gaps, []);
  await rig.clock.advanceAsync(8000);
  assert.equal(rig.peers!.gaps.length, 1);
});

Deno.test("a long gap that Fly is asked for lets others have their turn, and is gone on with where it was left", async () => {
  await using rig = new Rig({ peers: [complete(PEER, 0)], fly: [] });
  await rig.healer.stop();
  const fly = new HourlyFly(rig.clock);
  rig.ledger.begin("stop", NOON_MS - 3 * HOUR);
  rig.ledger.end(NOON_MS);
  rig.peers!.next = [incomplete(PEER, 0, "it has a gap of its own")];
  let report: Promise<unknown> | null = null;
  fly.next = () => {
    const span = { sinceMs: NOON_MS - 5 * HOUR, untilMs: NOON_MS - 4 * HOUR };
    report ??= rig.healer.healNow(span, (what) => told.push(what), new AbortController().signal);
    return Promise.resolve();
  };
  const told: string[] = [];
  rig.clock.skip(20 * MINUTE);
  rig.restart({ fly });
  await rig.clock.advanceAsync(10_000);
  assert.notEqual(report, null);
  await report;
  assert.ok(told.some((what) => what.startsWith("Comparing with peers")));
  assert.deepEqual(fly.asked, ["09:00:00…12:00:00", "10:00:00…12:00:00"]);
  assert.deepEqual(rig.gap, { state: "healed", sources: [{ name: "fly", lines: 300 }], reason: null });
  assert.equal(rig.status.lines.fly, 300);
});

const DAY = 24 * HOUR;

/** A peer that is complete but for spans, from so many milliseconds after noon to so many. */
function completeBut(source: string, lines: number, ...spans: [number, number][]): SourceOutcome {
  const except = spans.map(([from, to]) => ({ sinceMs: NOON_MS + from, untilMs: NOON_MS + to }));
  return { ...incomplete(source, lines, "it has gaps of its own"), except };
}

/** The gaps as `time since…until state`, in order, those without the days before `since`. */
function told(rig: Rig): string[] {
  return rig.ledger.touching(-Infinity, Infinity).map(({ sinceMs, untilMs, state }) =>
    `${at(sinceMs)}…${at(untilMs!)} ${state}`
  );
}

Deno.test("of seven days that a peer has but for five seconds only these are missing, and it is not asked at once again", async () => {
  await using rig = new Rig({ peers: [completeBut(PEER, 4000, [-51 * HOUR, -51 * HOUR + 5000])] });
  rig.ledger.noteBefore({ sinceMs: NOON_MS - 7 * DAY, untilMs: NOON_MS });
  await rig.clock.advanceAsync(4 * MINUTE);
  assert.deepEqual(told(rig), [
    "11-15T12:00…11-20T09:00 healed",
    "11-20T09:00…11-20T09:00 partial",
    "11-20T09:00…12:00:00 healed",
  ]);
  const [first, rest, second] = rig.ledger.touching(-Infinity, Infinity);
  assert.deepEqual(first!.healing!.sources, [{ name: PEER, lines: 4000 }]);
  assert.deepEqual(second!.healing!.sources, [{ name: PEER, lines: 0 }]);
  assert.equal(rest!.healing!.reason, `${PEER}: it has gaps of its own`);
  assert.deepEqual(rig.peers!.gaps, ["12:00:02 11-15T12:00…12:00:00"]);
});

Deno.test("what a peer has not is missing only where another one has it not either", async () => {
  const other = "http://[fdaa::3]:8080";
  await using rig = new Rig({
    peers: [
      completeBut(PEER, 5, [-9000, -5000]),
      completeBut(other, 0, [-7000, -4000]),
      incomplete("x", 0, "it is slow"),
    ],
  });
  rig.addGap();
  await rig.clock.advanceAsync(MINUTE);
  assert.deepEqual(told(rig), [
    "11:59:50…11:59:53 healed",
    "11:59:53…11:59:55 partial",
    "11:59:55…12:00:00 healed",
  ]);
  assert.deepEqual(rig.gap.sources, [{ name: PEER, lines: 5 }, { name: other, lines: 0 }]);
});

Deno.test("a gap is healed of which each moment is in one of two peers", async () => {
  const other = "http://[fdaa::3]:8080";
  await using rig = new Rig({
    peers: [completeBut(PEER, 5, [-9000, -5000]), completeBut(other, 2, [-4000, -3000])],
  });
  rig.addGap();
  await rig.clock.advanceAsync(MINUTE);
  assert.deepEqual(told(rig), ["11:59:50…12:00:00 healed"]);
  assert.deepEqual(rig.gap, {
    state: "healed",
    sources: [{ name: PEER, lines: 5 }, { name: other, lines: 2 }],
    reason: null,
  });
});

Deno.test("a gap stays whole of which the only peer has no moment for sure", async () => {
  await using rig = new Rig({ peers: [completeBut(PEER, 0, [-10_000, 0])] });
  rig.addGap();
  await rig.clock.advanceAsync(MINUTE);
  assert.deepEqual(told(rig), ["11:59:50…12:00:00 lost"]);
  assert.equal(rig.gap.reason, `${PEER}: it has gaps of its own`);
});

Deno.test("a part that is missing is told of once, however often nothing comes of asking", async () => {
  await using rig = new Rig({ peers: [completeBut(PEER, 5, [-9000, -5000])] });
  rig.addGap();
  await rig.clock.advanceAsync(MINUTE);
  let news = 0;
  rig.ledger.onChange(() => news++);
  rig.peers!.next = [completeBut(PEER, 0, [-9000, -5000])];
  await rig.clock.advanceAsync(20 * MINUTE);
  assert.deepEqual(rig.peers!.gaps.slice(1, 3), ["12:01:06 11:59:51…11:59:55", "12:04:56 11:59:51…11:59:55"]);
  assert.equal(news, 0);
});

Deno.test("Fly is asked for what a peer has not, and only for that, each part by itself", async () => {
  await using rig = new Rig({
    peers: [completeBut(PEER, 5, [-9000, -8000], [-5000, -4000])],
    fly: [complete("fly", 2)],
  });
  rig.addGap();
  await rig.clock.advanceAsync(20 * MINUTE);
  assert.deepEqual([...new Set(rig.fly!.gaps.map((asked) => asked.slice(9)))], [
    "11:59:51…11:59:52",
    "11:59:55…11:59:56",
  ]);
  assert.ok(told(rig).every((gap) => gap.endsWith("healed")), told(rig).join());
});

Deno.test("healNow() asks Fly for each part that a peer has not, in the same turn", async () => {
  await using rig = new Rig({
    peers: [completeBut(PEER, 5, [-9000, -8000], [-5000, -4000])],
    fly: [complete("fly", 2)],
  });
  await rig.healer.stop();
  rig.restart({ fly: rig.fly! });
  rig.addGap();
  rig.clock.skip(20 * MINUTE);
  const healing = rig.healer.healNow(
    { sinceMs: NOON_MS - HOUR, untilMs: NOON_MS },
    () => {},
    new AbortController().signal,
  );
  await rig.clock.advanceAsync(MINUTE);
  assert.equal((await healing).lines, 9);
  assert.deepEqual(rig.fly!.gaps.map((asked) => asked.slice(9)), ["11:59:51…11:59:52", "11:59:55…11:59:56"]);
});

Deno.test("of the days before the first start Fly is asked for each part that is missing, the oldest first", async () => {
  const { rig, fly } = await startBefore();
  await using _rig = rig;
  const [gap] = rig.ledger.touching(-Infinity, Infinity);
  await rig.ledger.part(gap!.id, {
    span: { sinceMs: gap!.sinceMs, untilMs: gap!.untilMs! },
    rest: [[-2 * HOUR, -1.5 * HOUR], [-10_000, 0]].map(([from, to]) => ({
      ...{ sinceMs: NOON_MS + from!, untilMs: NOON_MS + to! },
    })),
    state: "partial",
    healing: { sources: [], atMs: NOON_MS, doneUntilMs: null, reason: "it has gaps of its own" },
    agreed: [PEER],
  });
  await rig.clock.advanceAsync(20 * MINUTE);
  assert.deepEqual(fly.asked, ["10:00:00…10:30:00", "11:59:50…12:00:00"]);
  assert.ok(told(rig).every((gap) => gap.endsWith("healed")), told(rig).join());
  assert.equal(rig.status.beforeDoneMs, null);
});

Deno.test("a new recorder whose peer lacks five seconds of a week answers that these are missing, and nothing else", async () => {
  const clock = new FakeClock(NOON);
  using directory = new TestDirectory();
  const ledger = GapLedger.open(directory.path, { clock, logger });
  await using here = await ServedRecorder.start({ clock, parts: { gaps: ledger } });
  await using there = await ServedRecorder.start({ clock });
  const line = (ms: number) => lineAt(new Date(ms).toISOString(), "an hour has gone by");
  const hours = Array.from({ length: 7 * 24 }, (_, hour) => line(NOON_MS - hour * HOUR - 30 * MINUTE));
  const since = [line(NOON_MS + 1000), line(NOON_MS + 2000)];
  await here.record(since);
  await there.record([...hours, ...since]);
  const sinceMs = Date.parse("2026-11-18T03:00:00Z");
  there.gaps.push({
    ...{ id: 1, sinceMs, untilMs: sinceMs + 5000, cause: "disconnect", state: "lost", healing: null },
  });
  const week = { sinceMs: NOON_MS - 7 * DAY, untilMs: NOON_MS };
  ledger.noteBefore(week);
  clock.skip(2 * MINUTE);
  const { archive } = here;
  const peers = here.healer([there.url]);
  const healer = new Healer({ ledger, gaps: ledger, archive, peers, fly: null, clock, logger });
  const { lines } = await healer.healNow(week, () => {}, new AbortController().signal);
  assert.equal(lines, hours.length);
  assert.deepEqual(await here.lines(), await there.lines());
  const coverage = async (day: string) => {
    const answer = await fetch(`${here.url}/logs/${day}.jsonl`, { method: "HEAD" });
    return answer.headers.get("log-coverage");
  };
  assert.equal(await coverage("2026-11-17"), "complete; healed=1");
  assert.equal(await coverage("2026-11-18"), "partial; gaps=1; seconds=5; healed=2");
  assert.equal(await coverage("2026-11-20"), "complete; healed=1");
  there.gaps.splice(0); // it has got these seconds from somewhere
  await there.record([line(sinceMs + 2000)]);
  assert.equal((await healer.healNow(week, () => {}, new AbortController().signal)).lines, 1);
  assert.equal(await coverage("2026-11-18"), "complete; healed=3");
  await healer.stop();
  await ledger.close();
});
