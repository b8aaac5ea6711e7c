import assert from "node:assert/strict";
import { RETRY_MS } from "../../lib/archive/day/plain_writer.ts";
import { DAY_MS } from "../../lib/day.ts";
import { readVolumeUsage } from "../../lib/archive/volume.ts";
import {
  appendLines,
  DAY,
  DAY_NAME,
  dayText,
  keepingLogger,
  numbersIn,
  openArchive,
  TestDirectory,
  textOf,
} from "./archive_rig.ts";
import { appendDayLines, foundLines, insertNaively, linesBetween, textOfLines } from "./healing_rig.ts";
import { SmallDisk } from "./small_disk.ts";
import { within } from "../rig/wait.ts";

const ignore = !SmallDisk.isAllowed();

/** The directory of an archive on a small disk; the disk's end removes it. */
function directoryOn(disk: SmallDisk): TestDirectory {
  return Object.assign(Object.create(TestDirectory.prototype) as TestDirectory, { path: disk.path });
}

/** Waits until the archive tells of a change after which `isSo`. */
async function until(
  archive: { onChange(listener: () => void): () => void },
  isSo: () => boolean,
): Promise<void> {
  if (isSo()) return;
  const changed = Promise.withResolvers<void>();
  const cancel = archive.onChange(() => isSo() && changed.resolve());
  await within(changed.promise, "a change of the archive");
  cancel();
}

Deno.test({
  name: "A disk that is full is waited for; every line is there once it has room (needs the right to mount)",
  ignore,
  fn: async () => {
    using disk = new SmallDisk(8 * 1024 * 1024);
    const directory = directoryOn(disk);
    await using opened = await openArchive(directory);
    const { archive, clock } = opened;
    appendLines(archive, 0, 100, 1000);
    await archive.sync();
    disk.fill();
    appendLines(archive, 100, 300, 1000);
    await until(archive, () => archive.trouble !== null);
    assert.match(archive.trouble!, /No space left on device/);
    assert.ok(
      await dayText(archive) === textOf(0, numbersIn(await dayText(archive)).length, 1000),
      "reading goes on",
    );
    appendLines(archive, 300, 400, 1000);
    disk.empty();
    clock.advance(RETRY_MS);
    await archive.sync();
    assert.equal(archive.trouble, null);
    assert.equal(archive.waitingBytes, 0);
    assert.ok(await dayText(archive) === textOf(0, 400, 1000));
  },
});

Deno.test({
  name: "A full disk is made room on by removing the oldest day, at once (needs the right to mount)",
  ignore,
  fn: async () => {
    using disk = new SmallDisk(1024 * 1024);
    const directory = directoryOn(disk);
    const logger = keepingLogger();
    await using opened = await openArchive(directory, {
      maxDiskPercent: 85,
      logger,
      readUsage: readVolumeUsage,
    });
    const { archive, clock } = opened;
    let noise = ""; // what does not get smaller by being deflated
    for (let count = 0; count < 3; count++) {
      noise += Array.from(crypto.getRandomValues(new Uint8Array(65_536)), (byte) => byte.toString(36)).join(
        "",
      );
    }
    archive.append(DAY, new TextEncoder().encode(`{"message":"${noise}"}`), false, null);
    await archive.sync();
    // Sealing needs room for both files at once, of which there is enough.
    clock.skip(DAY_MS + 13 * 3_600_000);
    await archive.maintain();
    assert.equal(archive.day(DAY)?.sealed, true);
    appendLines(archive, 0, 800, 1000, DAY + 1);
    await until(archive, () => archive.waitingBytes === 0);
    await archive.sync();
    assert.equal(archive.wasRemoved(DAY), true, logger.events.join("\n"));
    assert.ok(await dayText(archive, DAY + 1) === textOf(0, 800, 1000));
  },
});

Deno.test({
  name: "An archive with a torn line and a torn index opens on a full disk (needs the right to mount)",
  ignore,
  fn: async () => {
    using disk = new SmallDisk(8 * 1024 * 1024);
    const directory = directoryOn(disk);
    {
      await using opened = await openArchive(directory);
      appendLines(opened.archive, 0, 2500, 1000);
      await opened.archive.sync();
    }
    const index = directory.text(`${DAY_NAME}.index.part`);
    directory.write(`${DAY_NAME}.index.part`, index.slice(0, -10));
    directory.write(`${DAY_NAME}.jsonl`, directory.text(`${DAY_NAME}.jsonl`) + "torn");
    disk.fill();
    await using again = await openArchive(directory);
    assert.ok(await dayText(again.archive) === textOf(0, 2500, 1000));
    disk.empty();
    await again.seal();
    assert.ok(await dayText(again.archive) === textOf(0, 2500, 1000));
  },
});

Deno.test({
  name: "A disk that gets full while lines are inserted leaves the day as it was (needs the right to mount)",
  ignore,
  fn: async () => {
    using disk = new SmallDisk(8 * 1024 * 1024);
    const directory = directoryOn(disk);
    const roomy = { totalBytes: 1e9, availableBytes: 1e9, usedPercent: 0 };
    await using opened = await openArchive(directory, { readUsage: () => Promise.resolve(roomy) });
    const { archive } = opened;
    const noise = Array.from({ length: 40 }, () => crypto.randomUUID()).join("");
    const recorded = linesBetween(`a ${noise}`, 36_000, 37_000);
    appendDayLines(archive, recorded);
    await archive.sync();
    const found = linesBetween("found", 36_100, 36_200);
    using lines = await foundLines(directory.path, found);
    await lines.close();
    disk.fill();
    await assert.rejects(archive.insert(lines), /No space left on device/);
    assert.ok(await dayText(archive) === textOfLines(recorded));
    assert.deepEqual(directory.names().filter((name) => /(gz|index)\.tmp$/.test(name)), []);
    disk.empty();
    assert.deepEqual(await archive.insert(lines), { lines: 100, bytes: textOfLines(found).length });
    assert.ok(await dayText(archive) === textOfLines(insertNaively(recorded, found)));
  },
});
