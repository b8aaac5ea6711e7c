import assert from "node:assert/strict";
import { OpenDay } from "../../lib/archive/day/open_day.ts";
import type { LineRequest } from "../../lib/archive/read/line_chunk.ts";
import { LineReader } from "../../lib/archive/read/line_reader.ts";
import type { FilterSpec } from "../../lib/filter/filter.ts";
import { ATTEMPTS_LIMIT } from "../../lib/store/bucket_connection.ts";
import type { Bucket } from "../../lib/store/bucket.ts";
import { DayUploader } from "../../lib/store/day_uploader.ts";
import { openFarDay } from "../../lib/store/far_day.ts";
import { FarReads } from "../../lib/store/far_reads.ts";
import { DAY, DAY_NAME } from "../archive/archive_rig.ts";
import { s3Test } from "../rig/s3_case.ts";
import { assertFails, startBucket } from "./bucket_rig.ts";
import { type ReadingRig, SealedRig, startReading } from "./sealed_rig.ts";

const decoder = new TextDecoder();

/** Stores a day, and returns what opens it from the bucket. */
async function store(bucket: Bucket, sealed: SealedRig, { memory, reading, damage }: ReadingRig) {
  using files = sealed.open();
  const stored = await new DayUploader({ bucket, archive: "test" }).upload(files);
  const reads = new FarReads();
  const shared = { bucket, reads, memory, reading };
  return {
    stored,
    open: (): OpenDay => openFarDay({ stored, seal: files.seal, index: null, damage }, shared),
  };
}

async function bytesFrom(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all = await Array.fromAsync(pieces, (piece) => piece.slice());
  return new Uint8Array(await new Blob(all).arrayBuffer());
}

for (const isHealed of [false, true]) {
  s3Test(
    `A far day that was ${isHealed ? "" : "never "}healed has the text and the gzip file of the near one`,
    async (given) => {
      await using rig = startBucket(given);
      using reading = startReading();
      using sealed = await SealedRig.make({ lines: 6000, isHealed });
      const { open } = await store(rig.bucket, sealed, reading);
      using day = open();
      const whole = { start: 0, end: sealed.text.length };
      assert.ok(decoder.decode(await bytesFrom(day.text(whole, reading.memory))) === sealed.text);
      const part = { start: 2_000_001, end: 3_500_000 };
      assert.ok(
        decoder.decode(await bytesFrom(day.text(part, reading.memory))) ===
          sealed.text.slice(2_000_001, 3_500_000),
      );
      const gz = sealed.directory.read(`${DAY_NAME}.jsonl.gz`);
      assert.deepEqual(await bytesFrom(day.gzip()), gz);
      assert.deepEqual(
        await bytesFrom(day.gzipRange({ start: 5, end: 1_500_000 })),
        gz.subarray(5, 1_500_000),
      );
      // As a link to the line at the end of what was recorded that was given out before lines were brought back.
      const recorded = sealed.text.length - (sealed.seal.healed?.bytes ?? 0);
      assert.equal(await day.translate(recorded, 0, "start"), sealed.text.length);
      assert.equal(day.edition, isHealed ? 1 : 0);
    },
  );
}

s3Test("A search over a far day finds what it finds in the near one, in both directions", async (given) => {
  await using rig = startBucket(given);
  using reading = startReading();
  using sealed = await SealedRig.make({ lines: 6000 });
  const { open } = await store(rig.bucket, sealed, reading);
  const lines = new LineReader({ open, pool: reading.reading.pool, memory: reading.memory });
  const filter: FilterSpec = { apps: [], regions: [], instances: [], levels: [], texts: ["line 59"] };
  const ranges = [{ day: DAY, start: 0, end: sealed.text.length, edition: 0, timedOnly: false }];
  const request: LineRequest = { ranges, filter, style: "jsonl", events: null, limit: null };
  const wanted = sealed.text.split("\n").filter((line) => line.includes('"line 59'));
  assert.equal(wanted.length, 111, "59, 590 to 599, and 5900 to 5999");
  const found = decoder.decode(await bytesFrom(bytesOfChunks(lines.read(request))));
  assert.ok(found === wanted.join("\n") + "\n");
  using tail = await lines.readTail({ ...request, limit: 105 });
  const last = tail.chunks!.map(({ bytes }) => decoder.decode(bytes)).join("");
  assert.ok(last === wanted.slice(-105).join("\n") + "\n");
});

s3Test(
  "A search for a window of a far day reads the blocks of that window and nothing else",
  async (given) => {
    await using rig = startBucket(given);
    using reading = startReading();
    using sealed = await SealedRig.make({ lines: 6000 });
    const { stored, open } = await store(rig.bucket, sealed, reading);
    const before = rig.proxy.lengths.length;
    const lines = new LineReader({ open, pool: reading.reading.pool, memory: reading.memory });
    const filter: FilterSpec = {
      apps: [],
      regions: [],
      instances: [],
      levels: [],
      since: { seconds: DAY * 86_400 + 2500, nanoseconds: 0 },
      until: { seconds: DAY * 86_400 + 2560, nanoseconds: 0 },
    };
    const ranges = [{ day: DAY, start: 0, end: sealed.text.length, edition: 0, timedOnly: false }];
    const request: LineRequest = { ranges, filter, style: "jsonl", events: null, limit: null };
    const found = decoder.decode(await bytesFrom(bytesOfChunks(lines.read(request))));
    assert.deepEqual(found.match(/"line \d+/g)?.length, 60);
    const fetched = rig.proxy.lengths.slice(before).reduce((sum, { answer }) => sum + answer, 0);
    assert.ok(fetched - stored.index.size < stored.gz.size / 4, `${fetched} of ${stored.gz.size} bytes`);
  },
);

s3Test("A far block of which a bit has flipped is not shown", async (given) => {
  await using rig = startBucket(given);
  using reading = startReading();
  using sealed = await SealedRig.make({ lines: 2000 });
  const { open } = await store(rig.bucket, sealed, reading);
  {
    using day = open();
    await day.sealedBlocks();
    rig.proxy.fail({ kind: "flipAnswer", at: 1000 });
    const range = { start: 0, end: sealed.text.length };
    await assert.rejects(
      bytesFrom(day.text(range, reading.memory)),
      /^Error: Cannot read block at 10 of "2026-11-22.jsonl.gz": /,
    );
    rig.proxy.fail({ kind: "flipAnswer", at: 1000 });
    await assert.rejects(
      bytesFrom(day.gzip()),
      /block at 10 of "2026-11-22.jsonl.gz": its bytes are not those/,
    );
    assert.ok(decoder.decode(await bytesFrom(day.text(range, reading.memory))) === sealed.text);
  }
});

s3Test(
  "A far day that is cut off in its middle ends with an error, never as if it were whole",
  async (given) => {
    await using rig = startBucket(given);
    using reading = startReading();
    using sealed = await SealedRig.make({ lines: 6000 });
    const { open } = await store(rig.bucket, sealed, reading);
    using day = open();
    let read = 0;
    const broken = (async () => {
      for await (const piece of day.text({ start: 0, end: sealed.text.length }, reading.memory)) {
        read += piece.length;
        rig.proxy.fail({ kind: "cutAnswer", after: 500 }, { times: 10 * ATTEMPTS_LIMIT });
      }
    })();
    await assertFails(
      broken,
      "down",
      /^Cannot read "v1\/test\/days\/2026-11-22\/.*\.jsonl\.gz" in bucket .*; try again later$/,
    );
    assert.ok(read > 0 && read < sealed.text.length, `${read} bytes`);
  },
);

async function* bytesOfChunks(chunks: AsyncIterable<{ bytes: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of chunks) yield bytes;
}
