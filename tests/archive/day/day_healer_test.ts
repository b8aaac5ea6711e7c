import assert from "node:assert/strict";
import { runBlockTask } from "../../../lib/archive/blocks/block_task.ts";
import { INSERTION_SPARE_BYTES } from "../../../lib/archive/day/day_healer.ts";
import type { VolumeUsage } from "../../../lib/archive/volume.ts";
import { DAY_NAME, TestDirectory } from "../archive_rig.ts";
import {
  type DayLine,
  foundLines,
  insertNaively,
  lineAt,
  linesBetween,
  textOfLines,
} from "../healing_rig.ts";
import { createDay, type DayRig } from "./day_rig.ts";

const encoder = new TextEncoder();
const RECORDED = [...linesBetween("a", 36_000, 36_010), ...linesBetween("b", 36_020, 36_030)];
const FOUND = linesBetween("found", 36_010, 36_020);
const HEALED = insertNaively(RECORDED, FOUND);
const [PLAIN, GZ, INDEX] = [`${DAY_NAME}.jsonl`, `${DAY_NAME}.jsonl.gz`, `${DAY_NAME}.index`];
const EDITS = `${DAY_NAME}.edits`;

/** Records lines, and waits until they are on the disk. */
async function record({ day }: DayRig, lines: readonly DayLine[]): Promise<void> {
  for (const { text } of lines) day.append(encoder.encode(text), false, null);
  await day.writer!.sync();
}

/** The whole text of the plain file, and the names of all files, which a failed insertion leaves as they were. */
function filesOf(directory: TestDirectory): Record<string, string> {
  return Object.fromEntries(directory.names().map((name) => [name, bytesText(directory.read(name))]));
}

function bytesText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

Deno.test("insert() that is refused for want of room says how much it needs, and changes nothing", async () => {
  using directory = new TestDirectory();
  const usage: VolumeUsage = { totalBytes: 1e9, availableBytes: INSERTION_SPARE_BYTES, usedPercent: 90 };
  const rig = createDay(directory, () => {}, { readUsage: () => Promise.resolve(usage) });
  await record(rig, RECORDED);
  using found = await foundLines(directory.path, FOUND);
  await found.close();
  const before = filesOf(directory);
  await assert.rejects(rig.day.insert(found), {
    message:
      /^Cannot insert lines into 2026-11-22: it takes \d+ bytes of the volume for a while, and 67108864 are free; extend/,
  });
  assert.deepEqual(filesOf(directory), before);
  usage.availableBytes += 1_000_000;
  assert.equal((await rig.day.insert(found)).lines, FOUND.length);
  await rig.day.close();
});

Deno.test("insert() that fails in its middle leaves the day as it was, with no temporary file, and can be tried again", async () => {
  using directory = new TestDirectory();
  let failures = 1;
  const rig = createDay(directory, (task) => {
    if (task.kind !== "insert" || failures-- <= 0) return;
    directory.write(`${GZ}.tmp`, "half");
    throw new Error("No space left on device (os error 28)");
  });
  await record(rig, RECORDED);
  using found = await foundLines(directory.path, FOUND);
  await found.close();
  await assert.rejects(rig.day.insert(found), { message: "No space left on device (os error 28)" });
  assert.deepEqual(directory.names().filter((name) => /\.(gz|index|edits)(\.tmp)?$/.test(name)), []);
  assert.equal(directory.text(PLAIN), textOfLines(RECORDED));
  assert.equal(rig.day.info().lines, RECORDED.length);
  assert.equal((await rig.day.insert(found)).lines, FOUND.length);
  assert.equal(rig.day.info().lines, HEALED.length);
  await rig.day.close();
});

Deno.test("insert() that cannot rename the gzip file leaves no index, and the next one inserts", async () => {
  using directory = new TestDirectory();
  let failures = 1;
  const rig = createDay(directory, (task) => {
    if (task.kind === "insert" && failures-- > 0) Deno.mkdirSync(directory.file(GZ));
  });
  await record(rig, RECORDED);
  using found = await foundLines(directory.path, FOUND);
  await found.close();
  await assert.rejects(rig.day.insert(found), Deno.errors.IsADirectory);
  assert.equal(directory.names().includes(INDEX), false);
  assert.equal(rig.day.info().edition, 0);
  directory.remove(GZ);
  await rig.day.insert(found);
  assert.equal(rig.day.info().edition, 1);
  assert.equal(rig.day.info().bytes, textOfLines(HEALED).length);
  await rig.day.close();
});

Deno.test("insert() that fails when all is made leaves the edits of the one before as they were", async () => {
  using directory = new TestDirectory();
  const rig = createDay(directory);
  await record(rig, RECORDED);
  const insert = async (lines: readonly DayLine[], beforeCommit?: () => void) => {
    using found = await foundLines(directory.path, lines);
    await found.close();
    return await rig.day.insert(found, beforeCommit);
  };
  const fail = () => {
    throw new Error("Cannot go on");
  };
  await assert.rejects(insert(FOUND, fail), /Cannot go on/);
  assert.equal(directory.names().includes(EDITS), false);
  await insert(FOUND.slice(0, 5));
  const before = bytesText(directory.read(EDITS));
  await assert.rejects(insert(FOUND.slice(5), fail), /Cannot go on/);
  assert.equal(bytesText(directory.read(EDITS)), before);
  await rig.day.close();
});

for (const moment of ["before", "after"]) {
  Deno.test(`insert() into a day that is removed ${moment} its new text is made fails, and no file of it comes back`, async () => {
    using directory = new TestDirectory();
    const rig: DayRig = createDay(directory, () => {}, {
      runBlockTask: (task) => {
        if (task.kind === "insert" && moment === "before") rig.day.remove();
        return Promise.try(() => runBlockTask(task)).finally(() => {
          if (task.kind === "insert" && moment === "after") rig.day.remove();
        });
      },
    });
    await record(rig, RECORDED);
    assert.equal(await rig.day.trySeal(), true);
    using found = await foundLines(directory.path, FOUND);
    await found.close();
    await assert.rejects(rig.day.insert(found), {
      message: "Cannot insert lines into 2026-11-22: it was removed to make room, or since it is too old",
    });
    assert.deepEqual(directory.names(), [`${DAY_NAME}.found.tmp`]);
  });
}

Deno.test("insert() throws blocks away that somebody has damaged, and has them made again for the next try", async () => {
  using directory = new TestDirectory();
  let failures = 1;
  const rig = createDay(directory, (task) => {
    if (task.kind !== "insert" || failures-- <= 0) return;
    const part = directory.read(`${GZ}.part`);
    part[20]! ^= 0x10;
    directory.write(`${GZ}.part`, part);
  });
  await record(rig, RECORDED);
  using found = await foundLines(directory.path, FOUND);
  await found.close();
  await assert.rejects(rig.day.insert(found), /damaged|not those that were written|inflate|checksum/);
  assert.equal(rig.day.info().lines, RECORDED.length);
  assert.equal((await rig.day.insert(found)).lines, FOUND.length);
  await rig.day.close();
});

Deno.test("insert() and trySeal() of one day take turns", async () => {
  using directory = new TestDirectory();
  const kinds: string[] = [];
  const rig = createDay(directory, (task) => void kinds.push(task.kind));
  await record(rig, RECORDED);
  using found = await foundLines(directory.path, FOUND);
  await found.close();
  const [inserted, isSealed] = await Promise.all([rig.day.insert(found), rig.day.trySeal()]);
  assert.equal(inserted.lines, FOUND.length);
  assert.equal(isSealed, true);
  assert.ok(kinds.includes("insert") && kinds.includes("prepareSeal"), kinds.join());
  assert.equal(rig.day.info().sealed, true);
  assert.equal(rig.day.info().lines, HEALED.length);
  assert.deepEqual(directory.names(), [`${DAY_NAME}.edits`, `${DAY_NAME}.found.tmp`, INDEX, GZ].sort());
});

Deno.test("insert() puts lines that come meanwhile after all that are inserted, and opens a sealed day for them", async () => {
  using directory = new TestDirectory();
  const late = [lineAt("late", 36_005)];
  const rig: DayRig = createDay(directory, async (task) => {
    if (task.kind === "insert") await record(rig, late);
  });
  await record(rig, RECORDED);
  assert.equal(await rig.day.trySeal(), true);
  using found = await foundLines(directory.path, FOUND);
  await found.close();
  await rig.day.insert(found);
  const { sealed, lines, bytes, recordedBytes } = rig.day.info();
  assert.deepEqual({ sealed, lines, bytes, recordedBytes }, {
    sealed: false,
    lines: HEALED.length + 1,
    bytes: textOfLines([...HEALED, ...late]).length,
    recordedBytes: textOfLines([...RECORDED, ...late]).length,
  });
  assert.equal(directory.text(`${DAY_NAME}.from-${textOfLines(RECORDED).length}.jsonl`), textOfLines(late));
  await rig.day.close();
});

Deno.test("insert() into a day that is closed fails", async () => {
  using directory = new TestDirectory();
  const rig = createDay(directory);
  await record(rig, RECORDED);
  await rig.day.close();
  using found = await foundLines(directory.path, FOUND);
  await found.close();
  await assert.rejects(rig.day.insert(found), {
    message: "Cannot insert lines into 2026-11-22: it is closed",
  });
});
