import assert from "node:assert/strict";
import { GapLedger } from "../../lib/gaps/ledger.ts";
import { readGaps } from "../../lib/gaps/ledger_reader.ts";
import { LedgerWriter } from "../../lib/gaps/ledger_writer.ts";
import type { Gap } from "../../lib/gaps/gap.ts";
import { silentLogger } from "../../lib/logger.ts";
import { keepingLogger, NOON, TestDirectory } from "../archive/archive_rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { untilSo } from "../rig/wait.ts";

const START = Date.parse(NOON);

Deno.test("LedgerWriter writes a gap once more that changes while it is written", async () => {
  using directory = new TestDirectory();
  const found = { end: 0, isTorn: false, reserved: "" };
  const gaps: Gap[] = [{
    id: 1,
    sinceMs: START,
    untilMs: START + 1000,
    cause: "stop",
    state: "lost",
    healing: null,
  }];
  const [gap] = gaps as [Gap];
  const writer = new LedgerWriter({
    ...{ directory: directory.path, found, gaps: () => gaps },
    ...{ clock: new FakeClock(NOON), logger: silentLogger },
  });
  writer.write(gap);
  await Promise.resolve();
  await Promise.resolve();
  gap.state = "healed";
  assert.equal(await writer.tryWrite(), true);
  assert.equal(await writer.close(), true);
  const states = [...directory.text("gaps.jsonl").matchAll(/"state":"(\w+)"/g)].map(([, state]) => state);
  assert.deepEqual(states, ["lost", "healed"]);
  assert.deepEqual(readGaps(directory.path).gaps, [gap]);
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
