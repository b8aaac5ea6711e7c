import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import type { Archive } from "../../lib/archive/archive.ts";
import { compileFilter } from "../../lib/filter/filter.ts";
import { createParts, readAll, serve } from "../routes/rig.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { GZ, GZ_PART, hot, INDEX, LINES, PADDING, PLAIN, sealed } from "./repair/damages.ts";
import {
  bytesOf,
  DAY,
  dayText,
  keepingLogger,
  numbersIn,
  openArchive,
  type TestArchive,
  TestDirectory,
  textOf,
} from "./archive_rig.ts";

const text = textOf(0, LINES, PADDING);

function put(directory: TestDirectory, files: Record<string, Uint8Array<ArrayBuffer>>): void {
  for (const [name, bytes] of Object.entries(files)) directory.write(name, bytes);
}

function flip(directory: TestDirectory, name: string, at: number): void {
  const bytes = directory.read(name);
  bytes[at]! ^= 1;
  directory.write(name, bytes);
}

/** The damage is done while the archive is open: opening would look at some of the files. */
async function openHot(directory: TestDirectory): Promise<TestArchive & { logger: { events: string[] } }> {
  put(directory, hot);
  const logger = keepingLogger();
  return Object.assign(await openArchive(directory, { logger }), { logger });
}

async function openSealed(directory: TestDirectory): Promise<TestArchive & { logger: { events: string[] } }> {
  put(directory, sealed);
  const logger = keepingLogger();
  const clock = new FakeClock("2026-11-24T12:00:00Z");
  return Object.assign(await openArchive(directory, { logger, clock }), { logger });
}

/** The numbers of the lines of an app. */
async function search(archive: Archive, app: string): Promise<number[]> {
  const filter = { apps: [app], regions: [], instances: [], levels: [] };
  assert.ok(compileFilter(filter));
  const ranges = [{ day: DAY, start: 0, end: archive.day(DAY)!.bytes, edition: 0, timedOnly: false }];
  let found = "";
  for await (
    const { bytes } of archive.lines.read({ ranges, filter, style: "jsonl", events: null, limit: null })
  ) {
    found += new TextDecoder().decode(bytes);
  }
  return numbersIn(found);
}

Deno.test("A changed letter in an app's name in an index leaves no line out: the index is made again", async () => {
  using directory = new TestDirectory();
  put(directory, sealed);
  directory.write(INDEX, directory.text(INDEX).replace('"apps":["web"]', '"apps":["wec"]'));
  const logger = keepingLogger();
  const clock = new FakeClock("2026-11-24T12:00:00Z");
  await using opened = await openArchive(directory, { logger, clock });
  assert.deepEqual(opened.archive.findings, []); // opening looks only at its ends
  assert.equal((await search(opened.archive, "web")).length, LINES);
  assert.deepEqual(directory.read(INDEX), sealed[INDEX]);
  assert.deepEqual(logger.events, [
    'warn archive repaired {"file":"2026-11-22.index","what":"made again from the gzip file: ' +
    'Cannot use \\"2026-11-22.index\\": Cannot read line 2: its checksum is wrong"}',
  ]);
});

Deno.test("A damaged index whose gzip file is damaged there too ends a search with an error", async () => {
  using directory = new TestDirectory();
  await using opened = await openSealed(directory);
  directory.write(INDEX, directory.text(INDEX).replace('"apps":["web"]', '"apps":["wec"]'));
  flip(directory, GZ, 500);
  await assert.rejects(search(opened.archive, "web"), /checksum is wrong; it cannot be made again either/);
});

Deno.test("A changed byte of the plain file is not served where a block was made of it", async () => {
  using directory = new TestDirectory();
  await using opened = await openHot(directory);
  flip(directory, PLAIN, 5000);
  flip(directory, PLAIN, 1_500_000);
  assert.ok(await dayText(opened.archive) === text);
  assert.deepEqual(await search(opened.archive, "web"), numbersIn(text));
  assert.ok(gunzipSync(await bytesOf(opened.archive.openGzip(DAY))).toString() === text);
  const told = opened.logger.events.filter((event) => event.includes("is not that of the block made of it"));
  assert.equal(told.length, 2, "each is said once");
});

Deno.test("A changed byte in a block of a hot day is not served: the block is made again from the plain file", async () => {
  using directory = new TestDirectory();
  await using opened = await openHot(directory);
  flip(directory, GZ_PART, 500);
  assert.ok(gunzipSync(await bytesOf(opened.archive.openGzip(DAY))).toString() === text);
  assert.ok(await dayText(opened.archive) === text);
});

Deno.test("A byte changed in the plain file and in its block breaks every way out", async () => {
  using directory = new TestDirectory();
  await using opened = await openHot(directory);
  flip(directory, GZ_PART, 500);
  flip(directory, PLAIN, 5000);
  await assert.rejects(dayText(opened.archive), /is not that of the block made of it, and the block/);
  await assert.rejects(search(opened.archive, "web"), /is not that of the block made of it, and the block/);
  await assert.rejects(bytesOf(opened.archive.openGzip(DAY)), /is not that of the block made of it/);
});

/** Asks over a socket and gives what arrived: the length that was promised, and the length of what came. */
async function download(
  port: number,
  path: string,
  header: string,
): Promise<{ promised: number; came: number }> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${header}\r\n`,
  ));
  const answer = await readAll(connection);
  const [head, ...rest] = answer.split("\r\n\r\n");
  const length = /content-length: (\d+)/i.exec(head!)?.[1];
  const body = rest.join("\r\n\r\n");
  if (length !== undefined) return { promised: Number(length), came: body.length };
  // A chunked body that is whole ends with an empty chunk.
  return { promised: body.endsWith("0\r\n\r\n") ? body.length : Infinity, came: body.length };
}

const WAYS: [name: string, path: string, header: string][] = [
  ["the file", "/logs/2026-11-22.jsonl.gz", ""],
  ["the file from the middle on", "/logs/2026-11-22.jsonl.gz", "Range: bytes=400-\r\n"],
  ["a part of the damaged block", "/logs/2026-11-22.jsonl.gz", "Range: bytes=505-510\r\n"],
  ["--compressed", "/logs/2026-11-22", "Accept-Encoding: gzip\r\n"],
  ["plain", "/logs/2026-11-22", ""],
  ["a part of it, plain", "/logs/2026-11-22", "Range: bytes=1000-2000\r\n"],
  ["text", "/logs/2026-11-22.log", ""],
  ["a search", "/search?since=2026-11-22&until=2026-11-23&limit=100000", ""],
];
for (const [name, path, header] of WAYS) {
  Deno.test(`A changed byte in a sealed gzip file breaks the download: ${name}`, async () => {
    using directory = new TestDirectory();
    await using opened = await openSealed(directory);
    const { archive, clock } = opened;
    await using api = serve(createParts({ archive, lines: archive.lines, clock }));
    const whole = await download(await api.port(), path, header);
    assert.equal(whole.came, whole.promised);
    assert.ok(whole.came > 0);
    flip(directory, GZ, 505);
    const broken = await download(await api.port(), path, header);
    assert.ok(broken.came < broken.promised, `${broken.came} of ${broken.promised}`);
  });
}

Deno.test("A changed byte in the header or the trailer of a sealed gzip file does not reach a download", async () => {
  for (const at of [0, 5, -1, -5, -10]) {
    using directory = new TestDirectory();
    await using opened = await openSealed(directory);
    flip(directory, GZ, at < 0 ? sealed[GZ]!.length + at : at);
    assert.deepEqual(await bytesOf(opened.archive.openGzip(DAY)), sealed[GZ]);
  }
});
