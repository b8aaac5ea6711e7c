import assert from "node:assert/strict";
import { parseSealedIndex } from "../../../lib/archive/blocks/day_index.ts";
import type { Finding } from "../../../lib/archive/repair/aside.ts";
import { RepairPlace } from "../../../lib/archive/repair/repair_place.ts";
import { repairSealed } from "../../../lib/archive/repair/sealed_repair.ts";
import { DAY, TestDirectory } from "../archive_rig.ts";
import { asVersion, GZ, hot, INDEX, PLAIN, recordedText, sealed } from "./damages.ts";

const SEAL = parseSealedIndex(new TextDecoder().decode(sealed[INDEX]), DAY).seal;

/** Repairs a sealed day of 2500 lines after `damage`; `plains` are where plain files start. */
function repair(damage: (directory: TestDirectory) => void, plains: number[] = []) {
  const directory = new TestDirectory();
  for (const [name, bytes] of Object.entries(sealed)) directory.write(name, bytes);
  damage(directory);
  const findings: Finding[] = [];
  const seal = repairSealed(new RepairPlace(directory.path, DAY, findings), plains);
  return { directory, seal, found: findings.map(({ file, what }) => `${file}: ${what}`) };
}

Deno.test("repairSealed() returns the seal of a day that is intact", () => {
  const { directory, seal, found } = repair(() => {});
  using _ = directory;
  assert.deepEqual([seal, found], [SEAL, []]);
});

Deno.test("repairSealed() makes a lost index again from the gzip file", () => {
  const { directory, seal, found } = repair((directory) => directory.remove(INDEX));
  using _ = directory;
  assert.deepEqual(seal, SEAL);
  assert.match(found.join(), /\.index: made again from the gzip file/);
  assert.deepEqual(directory.read(INDEX), sealed[INDEX]);
});

Deno.test("repairSealed() unpacks a gzip file without an index as far as it goes", () => {
  const { directory, seal, found } = repair((directory) => {
    directory.remove(INDEX);
    directory.write(GZ, sealed[GZ]!.slice(0, 15_000));
  });
  using _ = directory;
  assert.equal(seal, "unpacked");
  assert.match(found.join(), /unpacked as far as it goes/);
  assert.ok(directory.text(PLAIN) === recordedText(0, 962), "the first block");
  assert.deepEqual(directory.names(), [PLAIN, `${GZ}.damaged`].sort());
});

Deno.test("repairSealed() removes a damaged gzip file whose text is in a plain file", () => {
  const { directory, seal, found } = repair((directory) => {
    directory.remove(INDEX);
    directory.write(GZ, sealed[GZ]!.slice(0, 15_000));
    directory.write(PLAIN, hot[PLAIN]!);
  }, [0]);
  using _ = directory;
  assert.equal(seal, null);
  assert.match(found.join(), /removed, to be made again from the plain file/);
  assert.deepEqual(directory.names(), [PLAIN]);
  assert.deepEqual(directory.read(PLAIN), hot[PLAIN]);
});

Deno.test("repairSealed() changes nothing of a day that a newer version has sealed", () => {
  const { directory, seal, found } = repair((directory) => asVersion(directory, INDEX, 4));
  using _ = directory;
  assert.equal(seal, "unknown version");
  assert.match(found.join(), /version 4.*the day is left alone/);
  assert.deepEqual(directory.names(), [INDEX, GZ].sort());
});
