import assert from "node:assert/strict";
import { readRemovedDays, RemovedDays } from "../../lib/archive/removed_days.ts";
import { DAY, TestDirectory } from "./archive_rig.ts";
import { SmallDisk } from "./small_disk.ts";

const REMOVAL = {
  lines: 5,
  bytes: 500,
  atMs: Date.parse("2026-12-24T00:00:00Z"),
  reason: "older than 30 days",
};

Deno.test("has() remembers what add() wrote down, also after opening again", () => {
  using directory = new TestDirectory();
  const removed = RemovedDays.open(directory.path);
  assert.equal(removed.has(DAY), false);
  removed.add(DAY, REMOVAL);
  removed.add(DAY + 1, REMOVAL);
  for (const days of [removed, RemovedDays.open(directory.path)]) {
    assert.deepEqual([DAY, DAY + 1, DAY + 2].map((day) => days.has(day)), [true, true, false]);
  }
  assert.equal(
    directory.text("removed.jsonl").split("\n")[1],
    '{"day":"2026-11-22","lines":5,"bytes":500,"reason":"older than 30 days","at":"2026-12-24T00:00:00.000Z",' +
      '"check":"365e5d27"}',
  );
});

Deno.test("open() believes no line of which a byte has changed, says which, and keeps it aside", () => {
  using directory = new TestDirectory();
  const written = RemovedDays.open(directory.path);
  written.add(DAY, REMOVAL);
  written.add(DAY + 5, REMOVAL);
  const bytes = directory.read("removed.jsonl");
  for (let at = 1; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at]! ^= 1;
    directory.write("removed.jsonl", changed);
    assert.ok(readRemovedDays(directory.path).faults.length > 0, `${at}`);
    const removed = RemovedDays.open(directory.path);
    assert.match(removed.faults[0]!, /^Cannot read line [23] of "removed.jsonl": /);
    assert.deepEqual(RemovedDays.open(directory.path).faults, []);
    for (let day = DAY - 10; day < DAY + 10; day++) {
      if (removed.has(day)) assert.ok(day === DAY || day === DAY + 5);
    }
  }
  assert.ok(directory.names().includes("removed.jsonl.damaged"));
});

Deno.test("open() reads a line of before lines had checksums", () => {
  using directory = new TestDirectory();
  directory.write(
    "removed.jsonl",
    '\n{"day":"2026-11-22","lines":5,"bytes":500,"reason":"older than 30 days","at":"2026-12-24T00:00:00.000Z"}',
  );
  const removed = RemovedDays.open(directory.path);
  assert.deepEqual(removed.faults, []);
  assert.equal(removed.has(DAY), true);
});

Deno.test("open() passes over a torn line, and add() does not continue it", () => {
  using directory = new TestDirectory();
  RemovedDays.open(directory.path).add(DAY, REMOVAL);
  const whole = directory.text("removed.jsonl");
  for (let length = 0; length < whole.length; length++) {
    directory.write("removed.jsonl", whole.slice(0, length));
    const removed = RemovedDays.open(directory.path);
    assert.equal(removed.has(DAY), false);
    removed.add(DAY + 1, REMOVAL);
    assert.equal(RemovedDays.open(directory.path).has(DAY + 1), true);
  }
});

Deno.test({
  name: "add() on a full disk is made up for by writeRest() (needs the right to mount)",
  ignore: !SmallDisk.isAllowed(),
  fn: () => {
    using disk = new SmallDisk(262_144);
    const removed = RemovedDays.open(disk.path);
    disk.fill();
    removed.add(DAY, REMOVAL);
    assert.equal(removed.has(DAY), true);
    assert.equal(RemovedDays.open(disk.path).has(DAY), false);
    disk.empty();
    removed.writeRest();
    removed.writeRest();
    assert.equal(RemovedDays.open(disk.path).has(DAY), true);
    assert.equal(Deno.readTextFileSync(`${disk.path}/removed.jsonl`).match(/"day"/g)?.length, 1);
  },
});
