import assert from "node:assert/strict";
import type { Trust } from "../../lib/archive/clock_trust.ts";
import { chooseExpired, newestRecorded } from "../../lib/archive/retention.ts";
import type { DayInfo } from "../../lib/archive/day/day_info.ts";
import { parseDayName } from "../../lib/day.ts";
import { DAY } from "./archive_rig.ts";

function info(name: string): DayInfo {
  return {
    day: parseDayName(name)!,
    lines: 1,
    bytes: 1,
    gzBytes: 1,
    first: null,
    last: null,
    sealed: true,
    crc32: "00000000",
    modifiedMs: 0,
    held: 0,
    edition: 0,
    recordedBytes: 0,
  };
}

Deno.test("chooseExpired() gives the oldest day that is too old, or the oldest of too many, and never today", () => {
  const days = [info("2026-11-22"), info("2026-11-20"), info("2026-11-21")];
  const rule = {
    ...{ today: DAY, trust: "any", recorded: DAY } as const,
    ...{ retentionDays: null, maxDiskPercent: null, usedPercent: null },
  };
  assert.equal(chooseExpired(days, rule), null);
  assert.equal(chooseExpired(days, { ...rule, retentionDays: 2 }), null);
  assert.deepEqual(chooseExpired(days, { ...rule, retentionDays: 1 }), {
    day: DAY - 2,
    reason: "older than 1 days",
    waits: false,
  });
  assert.equal(chooseExpired(days, { ...rule, maxDiskPercent: 85, usedPercent: 85 }), null);
  assert.deepEqual(chooseExpired(days, { ...rule, maxDiskPercent: 85, usedPercent: 85.25 }), {
    day: DAY - 2,
    reason: "the volume is 85.3 % full",
    waits: false,
  });
  assert.equal(chooseExpired([days[0]!], { ...rule, maxDiskPercent: 85, usedPercent: 99 }), null);
  assert.equal(chooseExpired([], { ...rule, retentionDays: 1 }), null);
});

Deno.test("chooseExpired() has a day go on the day on which it comes of age, and older ones once the clock is believed", () => {
  const days = [info("2026-11-12"), info("2026-11-11")];
  const rule = { today: DAY, recorded: DAY, maxDiskPercent: null, usedPercent: null };
  const waits = (trust: Trust, retentionDays: number) =>
    chooseExpired(days, { ...rule, trust, retentionDays })?.waits;
  assert.equal(waits("next", 11), undefined, "2026-11-11 is 11 days old");
  assert.equal(waits("next", 10), false, "it comes of age today");
  assert.equal(waits("next", 9), true, "it did so yesterday");
  assert.equal(waits("any", 9), false);
  assert.equal(waits("none", 10), true);
});

Deno.test("chooseExpired() counts age against the newest line, and makes room whatever the clock says", () => {
  const days = [info("2026-11-12")];
  const rule = { trust: "any", retentionDays: 9, maxDiskPercent: null, usedPercent: null } as const;
  assert.equal(chooseExpired(days, { ...rule, today: DAY + 60, recorded: DAY - 1 }), null);
  assert.equal(chooseExpired(days, { ...rule, today: DAY - 60, recorded: DAY }), null);
  const full = { ...rule, trust: "none", maxDiskPercent: 85, usedPercent: 90 } as const;
  for (const today of [DAY - 60, DAY, DAY + 60]) {
    assert.equal(chooseExpired(days, { ...full, today, recorded: DAY })?.waits, false);
  }
});

Deno.test("newestRecorded() goes by the lines' own time where it is before the day that they lie in", () => {
  const of = (day: string, last: string | null, lines = 1) => ({ ...info(day), lines, last });
  assert.equal(newestRecorded([]), null);
  assert.equal(newestRecorded([of("2026-11-22", null), of("2026-11-21", null)]), DAY);
  assert.equal(
    newestRecorded([of("2026-11-23", null, 0), of("2026-11-21", null)]),
    DAY - 1,
    "held lines only",
  );
  assert.equal(newestRecorded([of("2026-11-22", "9999-01-01T00:00:00.000000000Z")]), DAY);
  const ahead = of("2027-01-21", "2026-11-22T10:00:00.000000000Z");
  assert.equal(newestRecorded([ahead, of("2026-11-21", "2026-11-21T23:59:59.000000000Z")]), DAY);
});
