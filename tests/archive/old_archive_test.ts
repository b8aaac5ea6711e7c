import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { readGaps } from "../../lib/gaps/ledger_reader.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import {
  bytesOf,
  DAY,
  DAY_NAME,
  dayText,
  openArchive,
  record,
  type TestArchive,
  TestDirectory,
  textOf,
} from "./archive_rig.ts";

const encoder = new TextEncoder();

/** Three lines, sealed by the program as it was before lines of an index had checksums: {@linkcode textOf}(0, 3). */
const OLD_INDEX = `{"flightlog":"index","version":1,"day":"2026-11-22","rawFrom":0,"gzFrom":0}
{"rawOffset":0,"rawLength":261,"gzOffset":10,"gzLength":103,"lines":3,"first":"2026-11-22T10:00:00.500000000Z",` +
  `"last":"2026-11-22T10:00:02.500000000Z","untimed":0,"apps":["web"],"crc32":"fa7c3ef3","totalCrc32":"fa7c3ef3"}
{"sealed":true,"rawBytes":261,"gzBytes":123,"lines":3,"first":"2026-11-22T10:00:00.500000000Z",` +
  `"last":"2026-11-22T10:00:02.500000000Z","untimed":0,"crc32":"fa7c3ef3"}
`;
const OLD_GZ = Uint8Array.fromBase64(
  "H4sIAAAAAAAA/6pWSsupVLKqVkosKABReYm5qUpWSuWpSUq1tTpKuanFxYnpIJGczLxUBQMlHaWSzNzU4pLE3AIlKyUjAyMzXUNDXSOj" +
    "EEMDKwMQ0jONUqrlqibJWEOCxhqSY6wRQWONIMYCAAAA//8DAPM+fPoFAQAA",
);

/** A hot day of three lines, of which the first two were in a block: the files that the program left then. */
const OLD_INDEX_PART = `{"flightlog":"index","version":1,"day":"2026-11-22","rawFrom":0,"gzFrom":0}
{"rawOffset":0,"rawLength":174,"gzOffset":10,"gzLength":96,"lines":2,"first":"2026-11-22T10:00:00.500000000Z",` +
  `"last":"2026-11-22T10:00:01.500000000Z","untimed":0,"apps":["web"],"crc32":"d7d2aa13","totalCrc32":"d7d2aa13"}
`;
const OLD_GZ_PART = Uint8Array.fromBase64(
  "H4sIAAAAAAAA/6pWSsupVLKqVkosKABReYm5qUpWSuWpSUq1tTpKuanFxYnpIJGczLxUBQMlHaWSzNzU4pLE3AIlKyUjAyMzXUNDXSOj" +
    "EEMDKwMQ0jONUqrlqibJWEOCxhpCjAUAAAD//w==",
);

/** A ledger as it was: lines without checksums, the end of a gap in a line of its own, and room in line feeds. */
const OLD_GAPS = `{"id":1,"since":"2026-11-20T10:00:00.000Z","cause":"start","state":"open"}
{"id":1,"until":"2026-11-20T10:00:02.500Z","state":"lost"}
{"id":2,"since":"2026-11-22T09:00:00.000Z","cause":"disconnect","state":"open"}
${"\n".repeat(4096)}`;

function openSealed(directory: TestDirectory): Promise<TestArchive> {
  directory.write(`${DAY_NAME}.index`, OLD_INDEX);
  directory.write(`${DAY_NAME}.jsonl.gz`, OLD_GZ);
  return openArchive(directory, { clock: new FakeClock("2026-11-24T12:00:00Z") });
}

Deno.test("A day that was sealed before lines of an index had checksums is read in every form", async () => {
  using directory = new TestDirectory();
  await using opened = await openSealed(directory);
  const { archive } = opened;
  assert.deepEqual(archive.findings, []);
  assert.equal(await dayText(archive), textOf(0, 3));
  assert.deepEqual(await bytesOf(archive.openGzip(DAY)), OLD_GZ);
  assert.deepEqual(await bytesOf(archive.openGzip(DAY, { start: 5, end: 118 })), OLD_GZ.slice(5, 118));
});

Deno.test("A day that was sealed then takes a late line, and gets its checksums when it is sealed again", async () => {
  using directory = new TestDirectory();
  await using opened = await openSealed(directory);
  opened.archive.append(DAY, encoder.encode(record(3)), false, null);
  await opened.archive.sync();
  assert.equal(await dayText(opened.archive), textOf(0, 4));
  await opened.seal();
  assert.equal(gunzipSync(directory.read(`${DAY_NAME}.jsonl.gz`)).toString(), textOf(0, 4));
  const lines = directory.text(`${DAY_NAME}.index`).trimEnd().split("\n");
  assert.equal(lines.length, 4);
  for (const line of lines) assert.match(line, /,"check":"[0-9a-f]{8}"}$/);
  for (const line of lines.slice(1, 3)) assert.match(line, /"gzCrc32":"[0-9a-f]{8}"/);
});

Deno.test("A damaged block of a day that was sealed then breaks its downloads too", async () => {
  using directory = new TestDirectory();
  const gz = OLD_GZ.slice();
  gz[60]! ^= 1;
  await using opened = await openSealed(directory);
  directory.write(`${DAY_NAME}.jsonl.gz`, gz);
  await assert.rejects(bytesOf(opened.archive.openGzip(DAY)), /Cannot read block at 10/);
  await assert.rejects(dayText(opened.archive), /Cannot read block at 10/);
});

Deno.test("A hot day of then goes on with its blocks, and is sealed", async () => {
  using directory = new TestDirectory();
  directory.write(`${DAY_NAME}.jsonl`, textOf(0, 3));
  directory.write(`${DAY_NAME}.index.part`, OLD_INDEX_PART);
  directory.write(`${DAY_NAME}.jsonl.gz.part`, OLD_GZ_PART);
  await using opened = await openArchive(directory);
  assert.deepEqual(opened.archive.findings, []);
  assert.equal(await dayText(opened.archive), textOf(0, 3));
  assert.equal(gunzipSync(await bytesOf(opened.archive.openGzip(DAY))).toString(), textOf(0, 3));
  await opened.seal();
  assert.equal(gunzipSync(directory.read(`${DAY_NAME}.jsonl.gz`)).toString(), textOf(0, 3));
  assert.doesNotMatch(directory.text(`${DAY_NAME}.index`), /"gzCrc32":null/);
});

Deno.test("A ledger of then is read", () => {
  using directory = new TestDirectory();
  directory.write("gaps.jsonl", OLD_GAPS);
  assert.deepEqual(readGaps(directory.path), {
    gaps: [
      {
        id: 1,
        sinceMs: Date.parse("2026-11-20T10:00:00Z"),
        untilMs: Date.parse("2026-11-20T10:00:02.500Z"),
        cause: "start",
        state: "lost",
        healing: null,
      },
      {
        id: 2,
        sinceMs: Date.parse("2026-11-22T09:00:00Z"),
        untilMs: null,
        cause: "disconnect",
        state: "open",
        healing: null,
      },
    ],
    lastId: 2,
    damagedLines: 0,
    faults: [],
  });
});
