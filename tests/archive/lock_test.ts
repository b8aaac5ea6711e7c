import assert from "node:assert/strict";
import { ArchiveLock, LockLost } from "../../lib/archive/lock.ts";
import { untilSo } from "../rig/wait.ts";
import { appendLines, DAY_NAME, openArchive, TestDirectory } from "./archive_rig.ts";

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

Deno.test("confirm() makes a lock again that was removed, also with its directory, and keeps others away", () => {
  using directory = new TestDirectory();
  const lock = ArchiveLock.take(directory.path);
  lock.confirm();
  directory.remove("lock");
  lock.confirm();
  assert.throws(() => ArchiveLock.take(directory.path), /another Flightlog is recording there/);
  Deno.removeSync(directory.path, { recursive: true });
  lock.confirm();
  assert.throws(() => ArchiveLock.take(directory.path), /another Flightlog is recording there/);
  lock.release();
  ArchiveLock.take(directory.path).release();
});

Deno.test("confirm() throws when another has the lock, and that one keeps it", () => {
  using directory = new TestDirectory();
  const lock = ArchiveLock.take(directory.path);
  directory.remove("lock");
  const other = ArchiveLock.take(directory.path);
  for (let time = 0; time < 2; time++) assert.throws(() => lock.confirm(), LockLost);
  other.confirm();
  lock.release();
  assert.throws(() => ArchiveLock.take(directory.path), /another Flightlog is recording there/);
  other.release();
});

Deno.test("maintain() tells once more each time that another has the lock, and removes nothing then", async () => {
  using directory = new TestDirectory();
  const lost: string[] = [];
  await using opened = await openArchive(directory, { onLockLost: ({ message }) => void lost.push(message) });
  await opened.archive.maintain();
  assert.deepEqual(lost, []);
  directory.remove("lock");
  await opened.archive.maintain();
  assert.deepEqual(lost, []);
  assert.ok([...Deno.readDirSync(directory.path)].some(({ name }) => name === "lock"), "made again");
  directory.remove("lock");
  const other = ArchiveLock.take(directory.path);
  await opened.archive.maintain();
  assert.deepEqual(lost, [
    `Cannot go on recording in "${directory.path}": the file "lock" was removed, and another Flightlog records there now`,
  ]);
  other.release();
});

Deno.test("Archive whose file was replaced puts nothing back where another has the lock", async () => {
  using directory = new TestDirectory();
  const lost: string[] = [];
  await using opened = await openArchive(directory, { onLockLost: ({ message }) => void lost.push(message) });
  appendLines(opened.archive, 0, 3);
  await opened.archive.sync();
  for (const name of ["lock", `${DAY_NAME}.jsonl`]) directory.remove(name);
  const other = ArchiveLock.take(directory.path);
  directory.write(`${DAY_NAME}.jsonl`, "the other's\n");
  appendLines(opened.archive, 3, 4);
  const synced = opened.archive.sync();
  await untilSo(() => lost.length > 0, "the loss of the lock");
  assert.equal(directory.text(`${DAY_NAME}.jsonl`), "the other's\n");
  assert.equal(await opened.close(), 0);
  assert.equal(await synced, false);
  assert.equal(directory.text(`${DAY_NAME}.jsonl`), "the other's\n");
  other.release();
});
