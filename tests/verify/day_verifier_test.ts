import assert from "node:assert/strict";
import { indexHeader, indexLine, sealCrc32 } from "../../lib/archive/blocks/day_index.ts";
import { listDayFiles } from "../../lib/archive/day_files.ts";
import { makeBlocks } from "../../lib/archive/day/sealing.ts";
import { sizeOf } from "../../lib/archive/disk.ts";
import { gzPartFile, indexPartFile, plainFile } from "../../lib/archive/format.ts";
import { DayVerifier, type VerifiedDay } from "../../lib/verify/day_verifier.ts";
import {
  EDITS,
  GZ,
  INDEX,
  insertFound,
  readIndex,
  timedLine,
  writeSealed,
} from "../archive/day/insertion_rig.ts";
import { DAY, DAY_NAME, TestDirectory } from "../archive/archive_rig.ts";

const MEANS = "cursors and links into this day from before lines were inserted cannot be followed, " +
  "its lines are all there";

/** Lines of the minutes from `from` to before `end` after ten o'clock. */
function minutes(from: number, end: number): string {
  let text = "";
  for (let at = from; at < end; at++) {
    text += `${timedLine(`${at}`, `10:${String(at).padStart(2, "0")}:00`)}\n`;
  }
  return text;
}

/** What was recorded first, as blocks, and what is recorded after lines were inserted. */
const RECORDED = [minutes(0, 10), minutes(10, 20)];
const LATER = minutes(20, 30);

/** Three lines, inserted in two goes. */
async function writeHealed(directory: TestDirectory): Promise<void> {
  writeSealed(directory, RECORDED);
  await insertFound(directory, [[timedLine("a", "10:05:30"), "10:05:30"], [
    timedLine("b", "10:15:30"),
    "10:15:30",
  ]]);
  await insertFound(directory, [[timedLine("c", "10:05:40"), "10:05:40"]]);
}

async function verify(directory: TestDirectory): Promise<{ verified: VerifiedDay; faults: string[] }> {
  const faults: string[] = [];
  const found = (await listDayFiles(directory.path)).get(DAY)!;
  const files = found.map(({ kind, path }) => ({ kind, bytes: sizeOf(path)! }));
  const events = { onFault: (fault: string) => void faults.push(fault), onProgress: () => {} };
  return { verified: new DayVerifier(directory.path, DAY, events).run(files), faults };
}

function flip(directory: TestDirectory, name: string, at: number): void {
  const bytes = directory.read(name);
  bytes[at]! ^= 1;
  directory.write(name, bytes);
}

Deno.test("A sealed day into which lines were inserted is whole", async () => {
  using directory = new TestDirectory();
  await writeHealed(directory);
  const { verified, faults } = await verify(directory);
  assert.deepEqual(faults, []);
  const insertedBytes = 3 * (timedLine("a", "10:05:30").length + 1);
  const bytes = RECORDED.join("").length + insertedBytes;
  assert.deepEqual(verified, { day: DAY_NAME, lines: 23, bytes, insertedBytes, sealed: true, faults: 0 });
});

const DAMAGES: [what: string, damage: (directory: TestDirectory) => void, fault: string][] = [
  ["is missing", (directory) => directory.remove(EDITS), "it is missing"],
  [
    "is cut",
    (directory) => directory.write(EDITS, directory.read(EDITS).slice(0, 80)),
    "it has 80 bytes of 120",
  ],
  ["has a changed bit", (directory) => flip(directory, EDITS, 50), "the record at 48 is damaged"],
  [
    "is that of another day",
    (directory) => directory.write(EDITS, new Uint8Array([...directory.read(EDITS), 0]).slice(72)),
    "it has 49 bytes of 120",
  ],
];
for (const [what, damage, fault] of DAMAGES) {
  Deno.test(`A file of edits that ${what} is a fault, and its lines are there`, async () => {
    using directory = new TestDirectory();
    await writeHealed(directory);
    damage(directory);
    const { verified, faults } = await verify(directory);
    assert.deepEqual(faults, [`Cannot verify "${EDITS}": ${fault}; ${MEANS}`]);
    assert.deepEqual([verified.lines, verified.faults], [23, 1]);
  });
}

Deno.test("What an insertion has left in the file of edits that never took place is no fault", async () => {
  using directory = new TestDirectory();
  await writeHealed(directory);
  directory.write(EDITS, new Uint8Array([...directory.read(EDITS), 1, 2, 3]));
  assert.deepEqual((await verify(directory)).faults, []);
});

Deno.test("A damaged index of a healed day is a fault, and what was inserted is known from the edits", async () => {
  using directory = new TestDirectory();
  await writeHealed(directory);
  const whole = (await verify(directory)).verified;
  flip(directory, INDEX, directory.read(INDEX).length - 50);
  const { verified, faults } = await verify(directory);
  assert.deepEqual(faults, [`Cannot verify "${INDEX}": Cannot read line 3: its checksum is wrong`]);
  assert.deepEqual(verified, { ...whole, faults: 1 });
});

/** A day that still grows: its plain file begins with what is sealed, and `later` has come since, some of it in a block. */
async function writeGrowing(directory: TestDirectory, later = LATER, plainFrom = 0): Promise<void> {
  await writeHealed(directory);
  directory.write(plainFile(DAY, plainFrom), RECORDED.join("").slice(plainFrom) + later);
  const { seal } = readIndex(directory);
  if (later === "") return;
  const gzFrom = seal.gzBytes - 10;
  makeBlocks({
    ...{ kind: "makeBlocks", plainPath: directory.file(plainFile(DAY, plainFrom)), final: true, gzFrom },
    plainFrom: plainFrom + seal.healed!.bytes,
    gzPartPath: directory.file(gzPartFile(DAY)),
    indexPartPath: directory.file(indexPartFile(DAY)),
    place: { rawOffset: seal.rawBytes, gzOffset: gzFrom, totalCrc32: sealCrc32(seal) },
    header: indexLine(indexHeader(DAY, seal.rawBytes, gzFrom)),
    upTo: seal.rawBytes + minutes(20, 25).length,
  });
}

for (const plainFrom of [0, RECORDED[0]!.length, RECORDED.join("").length]) {
  Deno.test(`A growing day into which lines were inserted counts no line twice, its plain file from ${plainFrom}`, async () => {
    using directory = new TestDirectory();
    await writeGrowing(directory, LATER, plainFrom);
    const { verified, faults } = await verify(directory);
    assert.deepEqual(faults, []);
    assert.deepEqual([verified.lines, verified.sealed], [33, false]);
    assert.equal(verified.bytes - verified.insertedBytes, RECORDED.join("").length + LATER.length);
  });
}

Deno.test("A growing day of which nothing came since lines were inserted has all of it sealed", async () => {
  using directory = new TestDirectory();
  await writeGrowing(directory, "");
  const { verified, faults } = await verify(directory);
  assert.deepEqual(faults, []);
  assert.deepEqual([verified.lines, verified.sealed], [23, true]);
});

Deno.test("A block of what came after lines were inserted is held against the plain file", async () => {
  using directory = new TestDirectory();
  await writeGrowing(directory);
  const text = directory.text(plainFile(DAY, 0));
  directory.write(plainFile(DAY, 0), text.replace('"message":"22"', '"message":"92"'));
  const { faults } = await verify(directory);
  assert.equal(faults.length, 1);
  assert.match(
    faults[0]!,
    /Cannot read block 0 of "2026-11-22.jsonl.gz.part": checksum of the plain text is/,
  );
});

Deno.test("A hole between what is sealed and the plain file is told in bytes as recorded", async () => {
  using directory = new TestDirectory();
  await writeHealed(directory);
  const end = RECORDED.join("").length;
  directory.write(plainFile(DAY, end + 1), LATER);
  assert.deepEqual((await verify(directory)).faults, [
    `Cannot verify "${plainFile(DAY, end + 1)}": the text before it ends at ${end}`,
  ]);
});

Deno.test("A bit in a block of a healed day is found", async () => {
  using directory = new TestDirectory();
  await writeHealed(directory);
  flip(directory, GZ, 60);
  assert.match((await verify(directory)).faults.join(), /Cannot read block 0 of "2026-11-22.jsonl.gz"/);
});
