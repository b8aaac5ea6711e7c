import assert from "node:assert/strict";
import { parseSealedIndex } from "../../../lib/archive/blocks/day_index.ts";
import { DayPaths } from "../../../lib/archive/day/day_paths.ts";
import { takePlace } from "../../../lib/archive/day/take_place.ts";
import { DAY, TestDirectory } from "../archive_rig.ts";
import { GZ, INDEX, resealed, sealed } from "../repair/damages.ts";

function prepare(directory: TestDirectory): DayPaths {
  directory.write(INDEX, sealed[INDEX]!);
  directory.write(`${INDEX}.tmp`, resealed[INDEX]!);
  directory.write(`${GZ}.tmp`, resealed[GZ]!);
  return new DayPaths(directory.path, DAY);
}

Deno.test("takePlace() gives both files their names", () => {
  using directory = new TestDirectory();
  const paths = prepare(directory);
  directory.write(GZ, sealed[GZ]!);
  takePlace(paths, directory.file(`${GZ}.tmp`), parseSealedIndex(directory.text(INDEX), DAY));
  assert.deepEqual(directory.names(), [INDEX, GZ]);
  assert.deepEqual(directory.read(INDEX), resealed[INDEX]);
  assert.deepEqual(directory.read(GZ), resealed[GZ]);
});

for (const hasIndex of [true, false]) {
  const what = hasIndex ? "has the index before at its place" : "leaves no index where there was none";
  Deno.test(`takePlace() that cannot rename the gzip file ${what}`, () => {
    using directory = new TestDirectory();
    const paths = prepare(directory);
    Deno.mkdirSync(directory.file(GZ));
    const before = hasIndex ? parseSealedIndex(directory.text(INDEX), DAY) : null;
    assert.throws(() => takePlace(paths, directory.file(`${GZ}.tmp`), before), Deno.errors.IsADirectory);
    assert.equal(directory.names().includes(INDEX), hasIndex);
    if (hasIndex) assert.deepEqual(directory.read(INDEX), sealed[INDEX]);
  });
}
