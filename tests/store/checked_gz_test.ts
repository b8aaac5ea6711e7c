import assert from "node:assert/strict";
import { parseSealedIndex } from "../../lib/archive/blocks/day_index.ts";
import { CheckedGz } from "../../lib/store/checked_gz.ts";
import { DAY, DAY_NAME } from "../archive/archive_rig.ts";
import { MemoryBytes } from "../archive/read/memory_bytes.ts";
import { SealedRig } from "./sealed_rig.ts";

const GZ = `${DAY_NAME}.jsonl.gz`;

Deno.test("CheckedGz gives a sealed file in pieces of any size", async () => {
  using sealed = await SealedRig.make({ lines: 3000 });
  const index = parseSealedIndex(sealed.directory.text(`${DAY_NAME}.index`), DAY);
  const gz = sealed.directory.read(GZ);
  for (const pieceBytes of [gz.length, 1_000_000, 100_003, 9973]) {
    const checked = new CheckedGz(new MemoryBytes(GZ, gz), index);
    assert.equal(await checked.size(), gz.length);
    for (let at = 0; at < gz.length; at += pieceBytes) {
      const piece = await checked.read(at, Math.min(pieceBytes, gz.length - at));
      assert.deepEqual(piece, gz.slice(at, at + pieceBytes));
    }
  }
});

Deno.test("CheckedGz finds one changed bit, wherever it is", async () => {
  using sealed = await SealedRig.make({ lines: 3000 });
  const index = parseSealedIndex(sealed.directory.text(`${DAY_NAME}.index`), DAY);
  const [first, second] = index.blocks;
  const places = [
    [3, 0],
    [10, 10],
    [first!.gzOffset + first!.gzLength - 1, 10],
    [second!.gzOffset, second!.gzOffset],
    [index.seal.gzBytes - 1, index.seal.gzBytes - 10],
  ] as const;
  for (const [place, start] of places) {
    const gz = sealed.directory.read(GZ);
    gz[place]! ^= 1;
    const checked = new CheckedGz(new MemoryBytes(GZ, gz), index);
    await assert.rejects(checked.read(0, gz.length), {
      message: `Cannot store "${GZ}": what is at ${start} is not what was written; ` +
        'see what "deno task verify" says of it',
    });
  }
});

Deno.test("CheckedGz takes no file of another length, and reads it in its order only", async () => {
  using sealed = await SealedRig.make({ lines: 10 });
  const index = parseSealedIndex(sealed.directory.text(`${DAY_NAME}.index`), DAY);
  const gz = sealed.directory.read(GZ);
  const { gzBytes } = index.seal;
  await assert.rejects(new CheckedGz(new MemoryBytes(GZ, gz.slice(0, -1)), index).size(), {
    message: `Cannot store "${GZ}": it has ${gzBytes - 1} bytes, its index says ${gzBytes}`,
  });
  await assert.rejects(new CheckedGz(new MemoryBytes(GZ, gz), index).read(1, 1), RangeError);
});
