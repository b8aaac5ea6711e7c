import assert from "node:assert/strict";
import { ArchiveLock } from "../../lib/archive/lock.ts";
import { openArchive, TestDirectory } from "./archive_rig.ts";

Deno.test("take() throws while somebody has the lock, and takes it when it is released", () => {
  using directory = new TestDirectory();
  const lock = ArchiveLock.take(directory.path);
  assert.throws(() => ArchiveLock.take(directory.path), {
    message: `Cannot record in "${directory.path}": another Flightlog is recording there; stop it first`,
  });
  lock.release();
  ArchiveLock.take(directory.path).release();
});

Deno.test("An archive that is open twice is refused the second time, and changes nothing", async () => {
  using directory = new TestDirectory();
  await using first = await openArchive(directory);
  directory.write("2026-11-20.jsonl", "torn");
  await assert.rejects(openArchive(directory), /another Flightlog is recording there/);
  assert.equal(directory.text("2026-11-20.jsonl"), "torn");
  assert.equal(first.archive.trouble, null);
});
