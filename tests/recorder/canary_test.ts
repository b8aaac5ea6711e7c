import assert from "node:assert/strict";
import { Canary } from "../../lib/recorder/canary.ts";
import { FakeClock } from "../rig/fake_clock.ts";

const NOW_MS = Date.parse("2026-11-22T10:00:00Z");

class CanaryRig {
  readonly clock = new FakeClock(NOW_MS);
  readonly printed: string[] = [];
  readonly roundTrips: number[] = [];
  readonly canary: Canary;
  missed = 0;

  constructor() {
    let number = 0;
    this.canary = new Canary({
      intervalMs: 1000,
      clock: this.clock,
      print: (line) => this.printed.push(line),
      onMissed: () => this.missed++,
      onReturn: (roundTripMs) => this.roundTrips.push(roundTripMs),
      createNonce: () => `nonce-${++number}`,
    });
  }

  bring(text: string): void {
    this.canary.take(new TextEncoder().encode(text));
  }
}

Deno.test("Canary.start() prints a line of JSON at once and then every interval", () => {
  const rig = new CanaryRig();
  rig.canary.start();
  rig.clock.advance(1000);
  rig.canary.stop();
  rig.clock.advance(5000);
  assert.deepEqual(rig.printed, [
    '{"level":"debug","event":"canary","nonce":"nonce-1"}',
    '{"level":"debug","event":"canary","nonce":"nonce-2"}',
  ]);
  assert.equal(rig.clock.pending, 0);
});

Deno.test("Canary measures the way of the one that comes back, by the time that has passed", () => {
  const rig = new CanaryRig();
  rig.canary.start();
  rig.clock.advance(250);
  rig.clock.jump(3_600_000);
  rig.bring('{"message":"{\\"nonce\\":\\"nonce-1\\"}"}');
  rig.bring("nonce-1 again");
  assert.deepEqual(rig.roundTrips, [250]);
  assert.deepEqual(rig.canary.status, {
    everReturned: true,
    missed: 0,
    roundTripMs: 250,
    lastGoodMs: NOW_MS,
  });
  rig.canary.stop();
});

Deno.test("Canary takes no other line for its own", () => {
  const rig = new CanaryRig();
  rig.canary.start();
  for (const text of ["", "n", "nonce-", "nonce-2", "noncenonce_1"]) rig.bring(text);
  assert.equal(rig.canary.status.everReturned, false);
  rig.canary.stop();
});

Deno.test("Canary tells when two in a row are missing after one has come back, and stops", () => {
  const rig = new CanaryRig();
  rig.canary.start();
  rig.bring("nonce-1");
  rig.clock.advance(1000); // the second is sent
  rig.clock.advance(1000); // and missed, the third is sent
  assert.equal(rig.missed, 0);
  rig.clock.advance(1000);
  assert.equal(rig.missed, 1);
  assert.equal(rig.clock.pending, 0);
});

Deno.test("Canary forgives one that is missing when the next comes back", () => {
  const rig = new CanaryRig();
  rig.canary.start();
  rig.bring("nonce-1");
  for (let sent = 3; sent < 11; sent += 2) {
    rig.clock.advance(2000);
    rig.bring(`nonce-${sent}`);
  }
  assert.equal(rig.missed, 0);
  rig.canary.stop();
});

Deno.test("Canary misses nothing where none ever came back", () => {
  const rig = new CanaryRig();
  rig.canary.start();
  rig.clock.advance(60_000);
  assert.equal(rig.missed, 0);
  assert.equal(rig.canary.status.everReturned, false);
  rig.canary.stop();
});
