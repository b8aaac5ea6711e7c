import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import type { Archive } from "../../lib/archive/archive.ts";
import { indexHeader, indexLine } from "../../lib/archive/blocks/day_index.ts";
import { checkedLine } from "../../lib/archive/checked_line.ts";
import { RemovedDays } from "../../lib/archive/removed_days.ts";
import { makeBlocks } from "../../lib/archive/day/sealing.ts";
import { verifyArchive } from "../../lib/verify/verify.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import {
  appendLines,
  bytesOf,
  DAY,
  DAY_NAME,
  dayText,
  numbersIn,
  openArchive,
  TestDirectory,
  textOf,
} from "./archive_rig.ts";

const GZ = `${DAY_NAME}.jsonl.gz`;
const INDEX = `${DAY_NAME}.index`;
const PLAIN = `${DAY_NAME}.jsonl`;
const NEXT_NOON = "2026-11-23T12:00:00Z";

/** Some files of an archive, small enough to change each of their bytes. */
type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** A sealed day of forty lines, a gap and a removed day. */
const sealed: Files = await (async () => {
  using directory = new TestDirectory();
  const opened = await openArchive(directory);
  appendLines(opened.archive, 0, 40);
  await opened.seal();
  await opened.close();
  RemovedDays.open(directory.path).add(DAY - 40, {
    lines: 1,
    bytes: 9,
    atMs: 0,
    reason: "older than 30 days",
  });
  const gap = { since: "2026-11-21T10:00:00.000Z", until: "2026-11-21T11:00:00.000Z", cause: "stop" };
  directory.write(
    "gaps.jsonl",
    checkedLine({ id: 1, ...gap, state: "lost" }) + "\n" + checkedLine({ id: 2, ...gap, state: "healed" }) +
      "\n",
  );
  return filesOf(directory);
})();

/** A hot day of forty lines, of which the first thirty have their block. */
const hot: Files = (() => {
  using directory = new TestDirectory();
  directory.write(PLAIN, textOf(0, 30));
  makeBlocks({
    kind: "makeBlocks",
    plainPath: directory.file(PLAIN),
    plainFrom: 0,
    gzPartPath: directory.file(`${GZ}.part`),
    indexPartPath: directory.file(`${INDEX}.part`),
    gzFrom: 0,
    place: { rawOffset: 0, gzOffset: 10, totalCrc32: 0 },
    header: indexLine(indexHeader(DAY, 0, 0)),
    upTo: textOf(0, 30).length,
    final: true,
  });
  directory.write(PLAIN, textOf(0, 40));
  return filesOf(directory);
})();

function filesOf(directory: TestDirectory): Files {
  return new Map(directory.names().map((name) => [name, directory.read(name)]));
}

function put(directory: TestDirectory, files: Files): void {
  for (const [name, bytes] of files) directory.write(name, bytes);
}

function flip(bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice();
  changed[at]! ^= 1 << at % 8;
  return changed;
}

async function faultsOf(directory: TestDirectory): Promise<string[]> {
  const faults: string[] = [];
  const onFault = (fault: string) => void faults.push(fault);
  const { faults: count } = await verifyArchive(directory.path, {
    onDay() {},
    onGzip() {},
    onFault,
    onProgress() {},
  });
  assert.equal(count, faults.length);
  return faults;
}

for (const [state, files] of [["sealed", sealed], ["hot", hot]] as const) {
  for (const [name, bytes] of files) {
    Deno.test(`verifyArchive() notices any changed byte in "${name}" of a ${state} day, and names the file`, async () => {
      using directory = new TestDirectory();
      put(directory, files);
      assert.deepEqual(await faultsOf(directory), []);
      // What has no block yet has no checksum either; a change in it shows only where it is no record any more.
      const end = name === PLAIN ? textOf(0, 30).length : bytes.length;
      for (let at = 0; at < end; at++) {
        if (name === "removed.jsonl" && at === 0) continue; // a line feed before the first line
        directory.write(name, flip(bytes, at));
        const faults = await faultsOf(directory);
        assert.ok(faults.length > 0, `byte ${at}`);
        assert.ok(faults.some((fault) => fault.includes(name.slice(0, 10))), faults.join("\n"));
      }
    });
  }
}

/** What a reader gets: the text, or null where it was broken off. */
async function read(way: () => Promise<string>): Promise<string | null> {
  try {
    return await way();
  } catch {
    return null;
  }
}

const WAYS: [name: string, way: (archive: Archive) => Promise<string>][] = [
  ["as text", (archive) => dayText(archive)],
  ["as gzip", async (archive) => gunzipSync(await bytesOf(archive.openGzip(DAY))).toString()],
  ["by a search", async (archive) => {
    const filter = { apps: ["web"], regions: [], instances: [], levels: [] };
    const ranges = [{ day: DAY, start: 0, end: archive.day(DAY)!.bytes, edition: 0, timedOnly: false }];
    const request = { ranges, filter, style: "jsonl", events: null, limit: null } as const;
    let text = "";
    for await (const { bytes } of archive.lines.read(request)) text += new TextDecoder().decode(bytes);
    return text;
  }],
];

for (
  const [state, files, name] of [["sealed", sealed, GZ], ["hot", hot, PLAIN], [
    "hot",
    hot,
    `${GZ}.part`,
  ]] as const
) {
  Deno.test(`No reader gets a wrong line when a byte of "${name}" of a ${state} day changes`, async () => {
    using directory = new TestDirectory();
    put(directory, files);
    const clock = new FakeClock(state === "sealed" ? NEXT_NOON : `${DAY_NAME}T12:00:00Z`);
    await using opened = await openArchive(directory, { clock });
    const wanted = textOf(0, 40);
    const end = name === PLAIN ? textOf(0, 30).length : files.get(name)!.length;
    let broken = 0;
    for (let at = 0; at < end; at++) {
      directory.write(name, flip(files.get(name)!, at));
      for (const [way, ask] of WAYS) {
        const text = await read(() => ask(opened.archive));
        if (text === null) broken++;
        assert.ok(text === null || text === wanted, `byte ${at}, ${way}`);
      }
    }
    // Of a hot day the same lines are in two places.
    if (state === "hot") assert.equal(broken, 0);
    else assert.ok(broken > 0);
  });
}

Deno.test("No search leaves a line out when a byte of an index changes, also one made at opening", async () => {
  const bytes = sealed.get(INDEX)!;
  for (let at = 0; at < bytes.length; at += 29) {
    using directory = new TestDirectory();
    put(directory, sealed);
    directory.write(INDEX, flip(bytes, at));
    await using opened = await openArchive(directory, { clock: new FakeClock(NEXT_NOON) });
    const text = await WAYS[2]![1](opened.archive);
    assert.equal(numbersIn(text).length, 40, `byte ${at}`);
    assert.deepEqual(directory.read(INDEX), bytes, `byte ${at}: made again`);
  }
});

Deno.test("A changed byte in the index of a hot day is mended when the archive is opened", async () => {
  const bytes = hot.get(`${INDEX}.part`)!;
  for (let at = 0; at < bytes.length; at++) {
    using directory = new TestDirectory();
    put(directory, hot);
    directory.write(`${INDEX}.part`, flip(bytes, at));
    await using opened = await openArchive(directory);
    assert.equal(await dayText(opened.archive), textOf(0, 40), `byte ${at}`);
    assert.deepEqual(await faultsOf(directory), [], `byte ${at}`);
  }
});
