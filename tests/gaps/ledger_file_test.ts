import { GapLedger } from "../../lib/gaps/ledger.ts";
import { readGaps } from "../../lib/gaps/ledger_reader.ts";
import assert from "node:assert/strict";
import { GAPS_RESERVE_BYTES } from "../../lib/archive/format.ts";
import { silentLogger } from "../../lib/logger.ts";
import { NOON } from "../archive/archive_rig.ts";
import { SmallDisk } from "../archive/small_disk.ts";
import { FakeClock } from "../rig/fake_clock.ts";

const START = Date.parse(NOON);

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
    assert.equal(Deno.readTextFileSync(`${disk.path}/gaps.reserve`), "\n".repeat(GAPS_RESERVE_BYTES));
    assert.deepEqual(readGaps(disk.path), before);
  },
});

/** How many gaps a text tells of. */
function readGapsOf(text: string): number {
  return new Set(text.matchAll(/"id":(\d+)/g).map(([, id]) => id)).size;
}

Deno.test({
  name: "On a full disk a gap that begins and ends is written into the reserve (needs the right to mount)",
  ignore: !SmallDisk.isAllowed(),
  fn: async () => {
    using disk = new SmallDisk(262_144);
    const open = () => GapLedger.open(disk.path, { clock: new FakeClock(NOON), logger: silentLogger });
    const ledger = open();
    await ledger.flush();
    await ledger.close();
    disk.fill();
    const again = open();
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
