import assert from "node:assert/strict";
import { readVolumeUsage, requireOwnVolume } from "../../lib/archive/volume.ts";
import { TestDirectory } from "./archive_rig.ts";
import { SmallDisk } from "./small_disk.ts";

Deno.test("readVolumeUsage() agrees with df", async () => {
  using directory = new TestDirectory();
  const { stdout } = new Deno.Command("df", { args: ["-B1", "--output=size", directory.path] }).outputSync();
  const size = Number(new TextDecoder().decode(stdout).split("\n")[1]);
  const { totalBytes, availableBytes, usedPercent } = await readVolumeUsage(directory.path);
  assert.equal(totalBytes, size);
  assert.ok(availableBytes > 0 && availableBytes <= totalBytes);
  assert.ok(usedPercent >= 0 && usedPercent < 100);
});

Deno.test("requireOwnVolume() refuses the root, and what would be made there", async () => {
  await assert.rejects(requireOwnVolume("/"), /"\/" is not on a volume/);
  await assert.rejects(requireOwnVolume("/not/there/logs"), /"\/not\/there\/logs" is not on a volume/);
});

Deno.test({
  name: "readVolumeUsage() and requireOwnVolume() of a small disk (needs the right to mount)",
  ignore: !SmallDisk.isAllowed(),
  fn: async () => {
    using disk = new SmallDisk(1_048_576);
    await requireOwnVolume(`${disk.path}/not/there/logs`);
    assert.deepEqual(await readVolumeUsage(disk.path), {
      totalBytes: 1_048_576,
      availableBytes: 1_048_576,
      usedPercent: 0,
    });
    Deno.writeFileSync(`${disk.path}/half`, new Uint8Array(524_288));
    assert.equal((await readVolumeUsage(disk.path)).usedPercent, 50);
    disk.fill();
    assert.equal((await readVolumeUsage(disk.path)).usedPercent, 100);
  },
});
