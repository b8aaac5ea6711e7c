import assert from "node:assert/strict";
import { indexHeader, parseSealedIndex } from "../../../lib/archive/blocks/day_index.ts";
import { OpenDay } from "../../../lib/archive/day/open_day.ts";
import { IndexCache } from "../../../lib/archive/read/index_cache.ts";
import { ReadPool } from "../../../lib/archive/read/pool.ts";
import { LARGEST_BYTES, MemoryBudget } from "../../../lib/machine/memory_budget.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { MemoryBytes } from "../read/memory_bytes.ts";
import {
  appendLines,
  bytesOf,
  DAY,
  DAY_NAME,
  inflateAsBrowser,
  NOON,
  openArchive,
  TestDirectory,
  textFrom,
  textOf,
} from "../archive_rig.ts";

const decoder = new TextDecoder();

Deno.test("openText() gives for each range the same slice of the whole in every state of a day", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  const { archive } = opened;
  appendLines(archive, 0, 2500, 1000);
  await archive.sync();
  const sealedText = textOf(0, 2500, 1000);
  const wholeText = sealedText + textOf(2500, 2510);
  const points = [0, 1, 1000, 1_048_575, 1_048_576, 1_048_577, 2_100_000, sealedText.length];
  async function assertSlices(text: string, ends: number[], state: string): Promise<void> {
    for (const start of ends) {
      for (const end of ends) {
        if (end < start) continue;
        const slice = await textFrom(archive.openText(DAY, { start, end }));
        assert.ok(slice === text.slice(start, end), `${state} from ${start} to ${end}`);
      }
    }
  }
  await assertSlices(sealedText, points, "hot");
  await opened.seal();
  await assertSlices(sealedText, points, "sealed");
  appendLines(archive, 2500, 2510);
  await archive.sync();
  const morePoints = [
    1_048_577,
    sealedText.length - 1,
    sealedText.length,
    sealedText.length + 1,
    wholeText.length,
  ];
  await assertSlices(wholeText, morePoints, "reopened");
  await opened.seal();
  await assertSlices(wholeText, morePoints, "sealed again");
});

Deno.test("openGzip() of a sealed day gives any range of the file, of another day a RangeError", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  appendLines(opened.archive, 0, 10);
  await opened.archive.sync();
  assert.throws(() => opened.archive.openGzip(DAY, { start: 0, end: 10 }), RangeError);
  await opened.seal();
  const whole = directory.read(`${DAY_NAME}.jsonl.gz`);
  assert.deepEqual(await bytesOf(opened.archive.openGzip(DAY)), whole);
  assert.deepEqual(await bytesOf(opened.archive.openGzip(DAY, { start: 5, end: 40 })), whole.slice(5, 40));
  assert.throws(() => opened.archive.openText(DAY + 1), RangeError);
});

Deno.test("A reader that began before sealing reads its day to the end, as it was", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  appendLines(opened.archive, 0, 3000, 1000);
  await opened.archive.sync();
  const text = opened.archive.openText(DAY);
  const gzip = opened.archive.openGzip(DAY);
  await opened.seal();
  appendLines(opened.archive, 3000, 3001);
  await opened.archive.sync();
  await opened.seal();
  assert.ok(await textFrom(text) === textOf(0, 3000, 1000));
  assert.ok(new TextDecoder().decode(await inflateAsBrowser(await bytesOf(gzip))) === textOf(0, 3000, 1000));
});

Deno.test("A stream that is cancelled closes its files, before and after its first piece", async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  appendLines(opened.archive, 0, 3000, 1000);
  await opened.archive.sync();
  for (let state = 0; state < 2; state++) {
    await opened.archive.openText(DAY).cancel();
    await opened.archive.openGzip(DAY).cancel();
    for (const stream of [opened.archive.openText(DAY), opened.archive.openGzip(DAY)]) {
      const reader = stream.getReader();
      assert.equal((await reader.read()).done, false);
      const next = reader.read();
      await reader.cancel();
      await next;
    }
    await opened.seal();
  }
  // The sanitizer of resources tells whether a file is left open.
});

Deno.test("A flipped bit breaks the stream at its block with a clear error; other blocks can be read", async () => {
  using directory = new TestDirectory();
  const text = textOf(0, 5000, 1000);
  {
    await using opened = await openArchive(directory);
    appendLines(opened.archive, 0, 5000, 1000);
    await opened.seal();
  }
  const index = directory.text(`${DAY_NAME}.index`).split("\n").map((line) => line && JSON.parse(line));
  const block = index[3]; // the third block
  const gz = directory.read(`${DAY_NAME}.jsonl.gz`);
  gz[block.gzOffset + block.gzLength - 10]! ^= 0x10;
  directory.write(`${DAY_NAME}.jsonl.gz`, gz);
  await using opened = await openArchive(directory);
  const { archive } = opened;
  const reader = archive.openText(DAY).getReader();
  let read = 0;
  await assert.rejects(
    async () => {
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        read += piece.value.length;
        await new Promise((resolve) => setTimeout(resolve, 0)); // blocks read ahead fail while nobody waits for them
      }
    },
    /^Error: Cannot read block at \d+ of "2026-11-22.jsonl.gz": (checksum is|length is|it does not inflate)/,
  );
  assert.equal(read, block.rawOffset);
  const behind = { start: block.rawOffset + block.rawLength, end: text.length };
  assert.ok(await textFrom(archive.openText(DAY, behind)) === text.slice(behind.start));
});

Deno.test("OpenDay reads a sealed day wherever its bytes lie: these are in memory", async () => {
  using directory = new TestDirectory();
  const text = textOf(0, 2500, 1000);
  {
    await using opened = await openArchive(directory);
    appendLines(opened.archive, 0, 2500, 1000);
    await opened.seal();
  }
  const gz = new MemoryBytes(`${DAY_NAME}.jsonl.gz`, directory.read(`${DAY_NAME}.jsonl.gz`));
  const index = new MemoryBytes(`${DAY_NAME}.index`, directory.read(`${DAY_NAME}.index`));
  const clock = new FakeClock(NOON);
  const pool = new ReadPool(clock, 1);
  const memory = new MemoryBudget({ limitBytes: LARGEST_BYTES, clock });
  {
    using day = new OpenDay({
      day: DAY,
      seal: parseSealedIndex(directory.text(`${DAY_NAME}.index`), DAY).seal,
      gz,
      index,
      edits: null,
      plain: null,
      part: { bytes: null, index: { header: indexHeader(DAY, text.length, 0), blocks: [], seal: null } },
      reading: { pool, indexes: new IndexCache() },
      damage: { mendIndex: (reason) => Promise.reject(new Error(reason)), onMasked: () => {} },
    });
    const range = { start: 1_048_000, end: 1_050_000 };
    const slice = await Array.fromAsync(day.text(range, memory));
    assert.equal(slice.map((piece) => decoder.decode(piece)).join(""), text.slice(range.start, range.end));
    const pieces = await Array.fromAsync(day.gzip());
    assert.deepEqual(
      new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer()),
      directory.read(gz.name),
    );
  }
  pool.close();
  assert.deepEqual([gz.disposed, index.disposed, index.reads.length], [1, 1, 1]);
});
