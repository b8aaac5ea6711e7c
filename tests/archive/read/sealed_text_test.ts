import assert from "node:assert/strict";
import { makeBlock } from "../../../lib/archive/blocks/block.ts";
import type { BlockEntry } from "../../../lib/archive/format.ts";
import { ReadPool } from "../../../lib/archive/read/pool.ts";
import { sealedText } from "../../../lib/archive/read/sealed_text.ts";
import { MemoryBudget, READER_BYTES } from "../../../lib/machine/memory_budget.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { NOON } from "../archive_rig.ts";
import { MemoryBytes } from "./memory_bytes.ts";

/** Five blocks of a line of four bytes each. */
function fiveBlocks(damaged?: number): { gz: MemoryBytes; blocks: BlockEntry[] } {
  const blocks: BlockEntry[] = [];
  const content: number[] = [];
  for (let number = 0; number < 5; number++) {
    const text = new TextEncoder().encode(`{${number}}\n`);
    const { bytes, entry } = makeBlock(text, {
      rawOffset: number * 4,
      gzOffset: content.length,
      totalCrc32: 0,
    });
    if (number === damaged) bytes[1]! ^= 0xff;
    content.push(...bytes);
    blocks.push(entry);
  }
  return { gz: new MemoryBytes("2026-11-22.jsonl.gz", Uint8Array.from(content)), blocks };
}

function pooled(limitBytes: number, workers = 2) {
  const clock = new FakeClock(NOON);
  const pool = new ReadPool(clock, workers);
  return { pool, memory: new MemoryBudget({ limitBytes, clock }), [Symbol.dispose]: () => pool.close() };
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string[]> {
  return (await Array.fromAsync(pieces)).map((piece) => new TextDecoder().decode(piece));
}

Deno.test("sealedText() gives a piece for each block that the range touches, and reads no other", async () => {
  using host = pooled(100 * READER_BYTES);
  const { gz, blocks } = fiveBlocks();
  const pieces = await textOf(sealedText(gz, blocks, { start: 6, end: 13 }, host));
  assert.deepEqual(pieces, ["}\n", "{2}\n", "{"]);
  assert.equal(gz.reads.length, 3);
});

Deno.test("sealedText() reads as many blocks ahead as there are threads, and gives their room back", async () => {
  using host = pooled(100 * READER_BYTES);
  const { gz, blocks } = fiveBlocks();
  const pieces = sealedText(gz, blocks, { start: 0, end: 20 }, host);
  await pieces.next();
  assert.equal(gz.reads.length, 3, "the first one and two ahead");
  assert.equal(host.memory.heldBytes, 2 * READER_BYTES);
  await pieces.return(undefined);
  assert.equal(host.memory.heldBytes, 0);
});

Deno.test("sealedText() reads one block after another where there is no room for more", async () => {
  using host = pooled(READER_BYTES);
  const { gz, blocks } = fiveBlocks();
  const pieces = sealedText(gz, blocks, { start: 0, end: 20 }, host);
  await pieces.next();
  assert.equal(gz.reads.length, 1);
  assert.deepEqual(await textOf(pieces), ["{1}\n", "{2}\n", "{3}\n", "{4}\n"]);
});

Deno.test("sealedText() fails at a damaged block, after the text before it", async () => {
  using host = pooled(100 * READER_BYTES);
  const { gz, blocks } = fiveBlocks(2);
  const pieces = sealedText(gz, blocks, { start: 0, end: 20 }, host);
  await pieces.next();
  await pieces.next();
  await assert.rejects(
    pieces.next(),
    new RegExp(`^Error: Cannot read block at ${blocks[2]!.gzOffset} of "2026-11-22.jsonl.gz": `),
  );
  assert.equal(host.memory.heldBytes, 0);
});

Deno.test("sealedText() fails where the file ends early, and says which and where", async () => {
  using host = pooled(READER_BYTES);
  const { gz, blocks } = fiveBlocks();
  const cut = new MemoryBytes(gz.name, await gz.read(0, blocks[4]!.gzOffset + 1));
  const { gzOffset, gzLength } = blocks[4]!;
  await assert.rejects(textOf(sealedText(cut, blocks, { start: 16, end: 20 }, host)), {
    message: `Cannot read ${gzLength} bytes at ${gzOffset} of "2026-11-22.jsonl.gz": it ends after 1 of them`,
  });
});
