import assert from "node:assert/strict";
import zlib from "node:zlib";
import { deflateBlock } from "../../../lib/archive/blocks/block.ts";
import { ReadPool, readWorkersFor } from "../../../lib/archive/read/pool.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { NOON } from "../archive_rig.ts";

const TEXT = "hello\n";
const BLOCK = { rawLength: 6, crc32: "363a3020" };
const encoder = new TextEncoder();

Deno.test("run() inflates and deflates in as many workers as there are cores, at most four", async () => {
  const pool = new ReadPool(new FakeClock(NOON), 2);
  assert.equal(pool.size, 2);
  assert.equal(new ReadPool(new FakeClock(NOON), 64).size, 4);
  const bytes = deflateBlock(encoder.encode(TEXT)).slice();
  assert.deepEqual(await pool.run({ kind: "inflate", bytes, block: BLOCK }), encoder.encode(TEXT));
  const deflated = await pool.run({ kind: "deflate", text: encoder.encode(TEXT) });
  const options = { finishFlush: zlib.constants.Z_SYNC_FLUSH };
  assert.equal(zlib.inflateRawSync(deflated, options).toString(), TEXT);
  pool.close();
});

Deno.test("readWorkersFor() gives one to a small machine, else one for each core but one, at most four", () => {
  assert.equal(readWorkersFor(210e6, 8), 1);
  assert.equal(readWorkersFor(430e6, 1), 1);
  assert.equal(readWorkersFor(430e6, 2), 1);
  assert.equal(readWorkersFor(430e6, 4), 3);
  assert.equal(readWorkersFor(64e9, 64), 4);
});

Deno.test("run() rejects for a damaged block and goes on with the next", async () => {
  const pool = new ReadPool(new FakeClock(NOON), 1);
  const damaged = pool.run({ kind: "inflate", bytes: Uint8Array.of(255, 255), block: BLOCK });
  const right = pool.run({
    kind: "inflate",
    bytes: deflateBlock(encoder.encode(TEXT)).slice(),
    block: BLOCK,
  });
  await assert.rejects(damaged, /it does not inflate/);
  assert.deepEqual(await right, encoder.encode(TEXT));
  pool.close();
});

Deno.test("The workers end when nobody has read for a while, and start again", async () => {
  const clock = new FakeClock(NOON);
  const pool = new ReadPool(clock, 1);
  const run = () => pool.run({ kind: "deflate", text: encoder.encode(TEXT) });
  await run();
  assert.equal(clock.pending, 1);
  clock.advance(30_000); // the sanitizer of resources sees a worker that is left
  assert.equal(clock.pending, 0);
  await run();
  pool.close();
  assert.equal(clock.pending, 0);
});

Deno.test("close() fails what is under way and later reads, and leaves no timer", async () => {
  const clock = new FakeClock(NOON);
  const pool = new ReadPool(clock, 1);
  const reading = pool.run({ kind: "deflate", text: encoder.encode(TEXT) });
  pool.close();
  await assert.rejects(reading, /the read worker was ended/);
  await assert.rejects(pool.run({ kind: "deflate", text: encoder.encode(TEXT) }), {
    message: "Cannot read: the archive is closed",
  });
  assert.equal(clock.pending, 0);
});
