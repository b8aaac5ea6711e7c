import assert from "node:assert/strict";
import { CONFLICT_SUFFIX, DAMAGED_SUFFIX } from "../../lib/archive/format.ts";
import { parseSealedIndex } from "../../lib/archive/blocks/day_index.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { DAY, DAY_NAME, dayText, openArchive, TestDirectory } from "./archive_rig.ts";
import { recoverArchive } from "../../lib/archive/repair/recovery.ts";
import { endingAtCall, type Files, filesOf, GZ, INDEX, PLAIN } from "./repair/damages.ts";
import {
  appendDayLines,
  type DayLine,
  insertDayLines,
  insertNaively,
  lineAt,
  linesBetween,
  textOfLines,
  verifyFaults,
} from "./healing_rig.ts";

/** Ten lines are a block. */
const PADDING = 100_000;
const EDITS = `${DAY_NAME}.edits`;

const FIRST = linesBetween("a", 36_000, 36_040, 1, PADDING);
/** Lines that were found for two places: they lie in the first and in the third block of the healed day. */
const FOUND = [lineAt("found 1", 36_002), lineAt("found 2", 36_002), lineAt("found 3", 36_025)];
const REST = linesBetween("b", 36_040, 36_045);
const RECORDED = [...FIRST, ...REST];
const HEALED = insertNaively(RECORDED, FOUND);

/** The files of a day that grows: healed, and gone on after that. */
const hot: Files = await (async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  appendDayLines(opened.archive, FIRST);
  await opened.archive.sync();
  await insertDayLines(opened.archive, directory.path, FOUND);
  appendDayLines(opened.archive, REST);
  await opened.archive.sync();
  return filesOf(directory);
})();

/** The files of a day that was sealed, healed, and reopened. */
const reopened: Files = await (async () => {
  using directory = new TestDirectory();
  await using opened = await openArchive(directory);
  appendDayLines(opened.archive, FIRST);
  await opened.seal();
  await insertDayLines(opened.archive, directory.path, FOUND);
  appendDayLines(opened.archive, REST);
  await opened.archive.sync();
  return filesOf(directory);
})();

interface Damage {
  name: string;
  files: Files;
  damage(directory: TestDirectory): void;
  /** The lines that are left. */
  left: DayLine[];
  /** Whether lines may be lost. */
  isDamage: boolean;
  /** Whether the times of lines that may be lost are told. */
  isLossTold: boolean;
}

const blocks = parseSealedIndex(new TextDecoder().decode(hot[INDEX]!), DAY).blocks;

/** Changes a byte of a block of the gzip file, and cuts off the file's end, so that it is not that of its index. */
function spoilBlock(number: number): (directory: TestDirectory) => void {
  return (directory) => {
    const bytes = directory.read(GZ);
    bytes[blocks[number]!.gzOffset + 500]! ^= 0x40;
    directory.write(GZ, bytes.slice(0, -3));
  };
}

const without = (lines: readonly DayLine[], names: RegExp): DayLine[] =>
  lines.filter(({ text }) => !names.test(text));

const DAMAGES: Damage[] = [
  {
    name: "the first block of a day that grows, in which lines were inserted",
    files: hot,
    damage: spoilBlock(0),
    left: without(HEALED, /found [12]/),
    ...{ isDamage: true, isLossTold: true },
  },
  {
    name: "the second block of a day that grows, which has only what was recorded",
    files: hot,
    damage: spoilBlock(1),
    left: HEALED,
    ...{ isDamage: false, isLossTold: false },
  },
  {
    name: "the last half of the gzip file of a day that grows",
    files: hot,
    damage: (directory) => directory.write(GZ, hot[GZ]!.slice(0, blocks[2]!.gzOffset + 100)),
    left: without(HEALED, /found 3/),
    ...{ isDamage: true, isLossTold: true },
  },
  {
    name: "all of the gzip file of a day that grows",
    files: hot,
    damage: (directory) => directory.write(GZ, ""),
    left: RECORDED,
    ...{ isDamage: true, isLossTold: true },
  },
  {
    name: "the gzip file of a day that grows, which is gone",
    files: hot,
    damage: (directory) => directory.remove(GZ),
    left: RECORDED,
    ...{ isDamage: true, isLossTold: true },
  },
  {
    name: "the gzip file of a day that grows, and the end of its index",
    files: hot,
    damage: (directory) => {
      spoilBlock(1)(directory);
      directory.write(INDEX, directory.read(INDEX).slice(0, -100));
    },
    left: RECORDED,
    ...{ isDamage: true, isLossTold: true },
  },
  {
    name: "the last half of the gzip file of a day that grows, and its index, which is gone",
    files: hot,
    damage: (directory) => {
      directory.write(GZ, hot[GZ]!.slice(0, blocks[2]!.gzOffset + 100));
      directory.remove(INDEX);
    },
    left: without(HEALED, /found 3/),
    ...{ isDamage: true, isLossTold: true },
  },
  {
    name:
      "the end of the gzip file of a day that grows, behind which there is more, and its index and its edits, which are gone",
    files: hot,
    damage: (directory) => {
      directory.write(GZ, new Uint8Array([...hot[GZ]!, 1, 2, 3]));
      for (const file of [INDEX, EDITS]) directory.remove(file);
    },
    left: HEALED,
    ...{ isDamage: true, isLossTold: true },
  },
  {
    name: "the last half of the gzip file of a reopened day, and its index, which is gone",
    files: reopened,
    damage: (directory) => {
      const { blocks } = parseSealedIndex(directory.text(INDEX), DAY);
      directory.write(GZ, reopened[GZ]!.slice(0, blocks[2]!.gzOffset + 100));
      directory.remove(INDEX);
    },
    left: [...HEALED.slice(0, 22), ...REST],
    ...{ isDamage: true, isLossTold: true },
  },
  {
    name: "the last half of the gzip file of a reopened day",
    files: reopened,
    damage: (directory) => {
      const { blocks } = parseSealedIndex(directory.text(INDEX), DAY);
      directory.write(GZ, reopened[GZ]!.slice(0, blocks[2]!.gzOffset + 100));
    },
    left: [...HEALED.slice(0, 22), ...REST],
    ...{ isDamage: true, isLossTold: true },
  },
  {
    name: "the index of a day that grows, which is gone",
    files: hot,
    damage: (directory) => directory.remove(INDEX),
    left: HEALED,
    ...{ isDamage: false, isLossTold: false },
  },
  {
    name: "the plain file of a day that grows, which is gone",
    files: hot,
    damage: (directory) => directory.remove(PLAIN),
    left: HEALED.slice(0, -REST.length),
    ...{ isDamage: false, isLossTold: false },
  },
  {
    name: "the plain file of a day that grows, cut before the end of the sealed text",
    files: hot,
    damage: (directory) => directory.write(PLAIN, hot[PLAIN]!.slice(0, 250_000)),
    left: HEALED.slice(0, -REST.length),
    ...{ isDamage: false, isLossTold: false },
  },
  ...[hot, reopened].flatMap((files): Damage[] =>
    ["gone", "cut", "changed"].map((how) => ({
      name: `the index of ${
        files === hot ? "a day that grows" : "a reopened day"
      } and its edits, which are ${how}`,
      files,
      damage: (directory) => {
        directory.remove(INDEX);
        const edits = directory.read(EDITS);
        directory.remove(EDITS);
        if (how === "cut") directory.write(EDITS, edits.slice(0, -30));
        if (how === "changed") directory.write(EDITS, edits.fill(0x55, 0, 10));
      },
      left: HEALED,
      ...{ isDamage: false, isLossTold: false },
    }))
  ),
  {
    name: "the index and the edits of a day that grows, and a line in its plain file that is sealed",
    files: hot,
    damage: (directory) => {
      for (const file of [INDEX, EDITS]) directory.remove(file);
      const plain = directory.read(PLAIN);
      plain[150_000] = 0x79;
      directory.write(PLAIN, plain);
    },
    // The plain file does not fit what is sealed, so it is set aside.
    left: HEALED.slice(0, -REST.length),
    ...{ isDamage: true, isLossTold: true },
  },
  {
    name: "the edits, which are gone",
    files: hot,
    damage: (directory) => directory.remove(EDITS),
    left: HEALED,
    ...{ isDamage: false, isLossTold: false },
  },
];

for (const { name, files, damage, left, isDamage, isLossTold } of DAMAGES) {
  Deno.test(`A healed day keeps every line that is left after damage to ${name}`, async () => {
    using directory = new TestDirectory();
    for (const [file, bytes] of Object.entries(files)) directory.write(file, bytes);
    damage(directory);
    const clock = new FakeClock("2026-11-24T12:00:00Z");
    {
      await using opened = await openArchive(directory, { clock });
      const { archive } = opened;
      const findings = archive.findings.map(({ file, what }) => `${file}: ${what}`).join("\n");
      assert.ok(await dayText(archive) === textOfLines(left), findings);
      assert.equal(archive.findings.some((finding) => finding.damage), isDamage, findings);
      assert.equal(archive.losses.length > 0, isLossTold, findings);
      archive.settleLosses();
    }
    await using again = await openArchive(directory, { clock });
    assert.deepEqual(again.archive.findings, []);
    const added = [lineAt("after", 36_100)];
    appendDayLines(again.archive, added);
    await again.archive.sync();
    const found = [lineAt("found again", 36_050)];
    await insertDayLines(again.archive, directory.path, found);
    const lines = insertNaively([...left, ...added], found);
    assert.ok(await dayText(again.archive) === textOfLines(lines), "gone on");
    await again.seal();
    assert.ok(await dayText(again.archive) === textOfLines(lines), "sealed");
    await again.close();
    if (!/edits, which are/.test(name)) assert.deepEqual(await verifyFaults(directory), []);
    const aside = directory.names().filter((file) =>
      ![GZ, INDEX, EDITS].includes(file) && !file.includes(DAMAGED_SUFFIX) && !file.includes(CONFLICT_SUFFIX)
    );
    assert.deepEqual(aside.filter((file) => file.startsWith(DAY_NAME)), []);
  });
}

for (const { name, files, damage, left } of DAMAGES.filter(({ isLossTold }) => isLossTold)) {
  Deno.test(`A healed day loses no other line if a kill comes while it is repaired after damage to ${name}`, async () => {
    for (let end = 1, wasEnded = true; wasEnded; end++) {
      using directory = new TestDirectory();
      for (const [file, bytes] of Object.entries(files)) directory.write(file, bytes);
      damage(directory);
      wasEnded = await endingAtCall(end, () => recoverArchive(directory.path));
      await using opened = await openArchive(directory, { clock: new FakeClock("2026-11-24T12:00:00Z") });
      const { findings } = opened.archive;
      const at = `ended at call ${end}: ${findings.map(({ file, what }) => `${file}: ${what}`).join("; ")}`;
      assert.ok(await dayText(opened.archive) === textOfLines(left), at);
      assert.ok(opened.archive.losses.length > 0, at);
    }
  });
}
