import assert from "node:assert/strict";
import { Canary } from "../../lib/recorder/canary.ts";
import { KnownGood } from "../../lib/recorder/known_good.ts";
import { LastGood } from "../../lib/recorder/last_good.ts";
import { FakeClock } from "../rig/fake_clock.ts";

const SECOND_MS = 1000;

/** A session that began at 0 s, and what happens in it, each at its second. */
class LastGoodRig {
  readonly clock = new FakeClock("2026-11-22T10:00:00Z");
  readonly knownGood = new KnownGood(this.clock);
  readonly canary: Canary | null;
  readonly lastGood: LastGood;
  #nonce = new Uint8Array();

  constructor(canaryIntervalMs: number | null = null, askAfterMs: number | null = null) {
    const print = (line: string) => void (this.#nonce = new TextEncoder().encode(line));
    this.canary = canaryIntervalMs === null
      ? null
      : new Canary({ intervalMs: canaryIntervalMs, clock: this.clock, print, onMissed() {} });
    const { clock, knownGood, canary } = this;
    this.lastGood = new LastGood({ knownGood, canary, clock, askAfterMs });
    this.lastGood.begin();
    this.canary?.start();
  }

  /** Lets the time come to `second`. */
  to(second: number): void {
    this.clock.advance(second * SECOND_MS - this.clock.elapsed());
  }

  lineAt(second: number): void {
    this.to(second);
    this.knownGood.noteLine(this.clock.elapsed(), null);
  }

  canaryReturnsAt(second: number): void {
    this.to(second);
    this.canary!.take(this.#nonce);
  }

  /** The second up to which nothing is missing when the session ends so; a question of 30 s was the last one answered. */
  goodSecond(cause: "disconnect" | "stall"): number {
    return this.lastGood.goodMs({ cause, lastGoodMs: 30 * SECOND_MS }) / SECOND_MS;
  }
}

Deno.test("LastGood.goodMs() is the last question answered where a connection is lost", () => {
  const rig = new LastGoodRig();
  rig.lineAt(7);
  rig.to(33);
  assert.equal(rig.goodSecond("disconnect"), 30);
});

Deno.test("LastGood.goodMs() is the last line where that came after the last question answered", () => {
  const rig = new LastGoodRig();
  rig.lineAt(32);
  assert.equal(rig.goodSecond("disconnect"), 32);
});

Deno.test("LastGood.goodMs() is the last line where the stream stalled, however the server answered", () => {
  const rig = new LastGoodRig();
  rig.lineAt(7);
  rig.to(37);
  assert.equal(rig.goodSecond("stall"), 7);
});

Deno.test("LastGood.goodMs() is the moment at which the last canary was sent that came back before a stall", () => {
  const rig = new LastGoodRig(25 * SECOND_MS);
  rig.canaryReturnsAt(3);
  rig.lineAt(7);
  rig.canaryReturnsAt(26); // sent at 25 s
  rig.to(100);
  assert.equal(rig.goodSecond("stall"), 25);
});

Deno.test("LastGood.goodMs() is the beginning of the session that stalled without a line and a canary", () => {
  const rig = new LastGoodRig();
  rig.to(2);
  rig.lastGood.begin();
  rig.to(37);
  assert.equal(rig.goodSecond("stall"), 2);
});

Deno.test("LastGood.noteAnswer() takes no answer while a canary is overdue", () => {
  const rig = new LastGoodRig(10 * SECOND_MS);
  rig.to(9);
  rig.lastGood.noteAnswer({ lastGoodMs: 8 * SECOND_MS });
  rig.to(11); // the canary of 0 s did not come back in time
  rig.lastGood.noteAnswer({ lastGoodMs: 10 * SECOND_MS });
  assert.equal(rig.knownGood.goodMs, 8 * SECOND_MS);
  rig.canaryReturnsAt(12);
  rig.lastGood.noteAnswer({ lastGoodMs: 12 * SECOND_MS });
  assert.equal(rig.knownGood.goodMs, 12 * SECOND_MS);
});

Deno.test("LastGood.askIfSilent() asks once while there is no answer, and not before it is silent for long enough", async () => {
  const rig = new LastGoodRig(null, 400);
  let asked = 0;
  let answer = Promise.withResolvers<void>();
  const session = { ask: () => (asked++, answer.promise) };
  rig.lineAt(1);
  rig.clock.advance(399);
  rig.lastGood.askIfSilent(session);
  assert.equal(asked, 0);
  rig.clock.advance(1);
  rig.lastGood.askIfSilent(session);
  rig.lastGood.askIfSilent(session);
  assert.equal(asked, 1);
  answer.resolve();
  await rig.clock.advanceAsync(0);
  answer = Promise.withResolvers();
  rig.lastGood.askIfSilent(session);
  assert.equal(asked, 2);
});
