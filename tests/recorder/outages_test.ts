import assert from "node:assert/strict";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import { KnownGood } from "../../lib/recorder/known_good.ts";
import { silentLogger } from "../../lib/logger.ts";
import { Outages } from "../../lib/recorder/outages.ts";
import { TestDirectory } from "../archive/archive_rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";

const TEN_MS = Date.parse("2026-11-22T10:00:00Z");
const HOUR_MS = 3_600_000;

/** Outages over a ledger that has a gap open since ten o'clock. */
class OutagesRig implements AsyncDisposable {
  readonly knownGood: KnownGood;
  readonly gaps: GapLedger;
  readonly outages: Outages;
  readonly #directory = new TestDirectory();

  constructor(readonly clock: FakeClock, open = true) {
    this.knownGood = new KnownGood(clock);
    this.gaps = GapLedger.open(this.#directory.path, { clock, logger: silentLogger });
    if (open) this.gaps.begin("crash", TEN_MS);
    this.outages = new Outages({ gaps: this.gaps, clock, knownGood: this.knownGood });
  }

  /** A line comes `afterMs` later, stamped `stampMs`, and it is looked at. */
  take(afterMs: number, stampMs: number): void {
    this.clock.advance(afterMs);
    this.knownGood.noteLine(this.clock.elapsed(), stampMs);
    this.outages.look(false);
  }

  /** The gaps, in milliseconds from ten o'clock. */
  get found(): string[] {
    return this.gaps.touching(-Infinity, Infinity).map(({ cause, sinceMs, untilMs }) =>
      `${cause} ${sinceMs - TEN_MS} to ${untilMs === null ? "now" : untilMs - TEN_MS}`
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gaps.close();
    this.#directory[Symbol.dispose]();
  }
}

Deno.test("Outages.beginSession() ends a gap by the clock where that is after its beginning", async () => {
  await using rig = new OutagesRig(new FakeClock(TEN_MS + 60_000));
  rig.outages.beginSession(false);
  assert.deepEqual(rig.found, ["crash 0 to 60001"]);
  rig.take(500, TEN_MS + 60_500);
  assert.deepEqual(rig.found, ["crash 0 to 60001"]);
});

Deno.test("Outages lets a gap last on that would end before it began, until lines tell the time", async () => {
  await using rig = new OutagesRig(new FakeClock(TEN_MS - HOUR_MS));
  rig.outages.beginSession(false);
  rig.take(1_000, TEN_MS + 61_000);
  rig.take(1_000, TEN_MS + 62_000);
  assert.deepEqual(rig.found, ["crash 0 to now"]); // two lines may be wrong
  rig.take(1_000, TEN_MS + 63_000);
  assert.deepEqual(rig.found, ["crash 0 to 60100"]);
});

Deno.test("Outages lets a gap last on that would end before it began, until the clock is set right", async () => {
  await using rig = new OutagesRig(new FakeClock(TEN_MS - HOUR_MS));
  rig.outages.beginSession(false);
  rig.clock.advance(20_000);
  rig.clock.jump(HOUR_MS + 60_000);
  rig.outages.look(false);
  assert.deepEqual(rig.found, ["crash 0 to 60001"]);
});

Deno.test("Outages has a gap last longer when the first line says that the clock is behind", async () => {
  await using rig = new OutagesRig(new FakeClock(TEN_MS + 50_000));
  rig.outages.beginSession(false);
  assert.deepEqual(rig.found, ["crash 0 to 50001"]);
  rig.take(500, TEN_MS + 60_500);
  assert.deepEqual(rig.found, ["crash 0 to 60100"]);
});

Deno.test("Outages believes no single line that claims to be of next year", async () => {
  await using rig = new OutagesRig(new FakeClock(TEN_MS + 50_000));
  rig.outages.beginSession(false);
  rig.take(500, TEN_MS + 365 * 24 * HOUR_MS);
  assert.deepEqual(rig.found, ["crash 0 to 50001"]);
});

Deno.test("Outages makes two gaps of an outage in which late lines were lost", async () => {
  await using rig = new OutagesRig(new FakeClock(TEN_MS), false);
  for (let line = 0; line < 10; line++) rig.take(100, TEN_MS + rig.clock.elapsed() - 90_000);
  rig.outages.begin("disconnect", rig.knownGood.goodMs);
  assert.deepEqual(rig.found, ["disconnect -90100 to now"]);
  rig.clock.advance(2_000);
  rig.outages.beginSession(false);
  assert.deepEqual(rig.found, ["disconnect -90100 to -87000", "disconnect 0 to 3001"]);
});

Deno.test("Outages.beginSession() leaves the gap of dropped lines to endDropping()", async () => {
  await using rig = new OutagesRig(new FakeClock(TEN_MS), false);
  rig.outages.begin("overflow", rig.clock.elapsed());
  rig.outages.begin("disconnect", rig.clock.elapsed());
  rig.clock.advance(1_000);
  rig.outages.beginSession(true);
  rig.clock.advance(1_000);
  rig.outages.endDropping();
  assert.deepEqual(rig.found, ["overflow -1000 to 2001", "disconnect -1000 to 1001"]);
});
