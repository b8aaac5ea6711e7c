import assert from "node:assert/strict";
import { checkedLine, readCheckedLine } from "../../../lib/archive/checked_line.ts";
import {
  type DayIndex,
  IndexDamage,
  indexText,
  insertedBytes,
  intactEntries,
  intactSeal,
  parseIndex,
  parseSeal,
  sealOf,
} from "../../../lib/archive/blocks/day_index.ts";
import { DAY } from "../archive_rig.ts";

const HEADER =
  '{"flightlog":"index","version":2,"day":"2026-11-22","rawFrom":0,"gzFrom":0,"check":"a77d7be6"}';
const FIRST =
  '{"rawOffset":0,"rawLength":100,"gzOffset":10,"gzLength":40,"lines":2,"first":"2026-11-22T10:00:00.000000001Z",' +
  '"last":"2026-11-22T11:00:00.000000000Z","untimed":0,"crc32":"00000001","totalCrc32":"00000001",' +
  '"apps":["api","web"],"gzCrc32":"0000000a","check":"988db9f2"}';
const SECOND =
  '{"rawOffset":100,"rawLength":50,"gzOffset":50,"gzLength":20,"lines":1,"first":null,"last":null,"untimed":1,' +
  '"crc32":"000000aa","totalCrc32":"000000bb","apps":null,"gzCrc32":"0000000b","check":"7b2ab0fe"}';
const SEAL =
  '{"sealed":true,"rawBytes":150,"gzBytes":80,"lines":3,"first":"2026-11-22T10:00:00.000000001Z",' +
  '"last":"2026-11-22T11:00:00.000000000Z","untimed":1,"crc32":"000000bb","check":"a48e2a83"}';
const WHOLE = [HEADER, FIRST, SECOND, SEAL].join("\n") + "\n";

/** An index as version 1 wrote it. */
const OLD_HEADER = '{"flightlog":"index","version":1,"day":"2026-11-22","rawFrom":0,"gzFrom":0}';
const OLD_WHOLE = [
  OLD_HEADER,
  '{"rawOffset":0,"rawLength":100,"gzOffset":10,"gzLength":40,"lines":2,"first":"2026-11-22T10:00:00.000000001Z",' +
  '"last":"2026-11-22T11:00:00.000000000Z","untimed":0,"crc32":"00000001","totalCrc32":"00000001","apps":["api","web"]}',
  '{"rawOffset":100,"rawLength":50,"gzOffset":50,"gzLength":20,"lines":1,"first":null,"last":null,"untimed":1,' +
  '"crc32":"000000aa","totalCrc32":"000000bb","apps":null}',
  '{"sealed":true,"rawBytes":150,"gzBytes":80,"lines":3,"first":"2026-11-22T10:00:00.000000001Z",' +
  '"last":"2026-11-22T11:00:00.000000000Z","untimed":1,"crc32":"000000bb"}',
].join("\n") + "\n";

/** Gives a line of a damaged text the checksum that it would have if it had been written so. */
function writtenSo(text: string): string {
  return text.split("\n").map((line) => {
    const { json, check } = readCheckedLine(line);
    return check === "wrong" ? checkedLine(JSON.parse(json)) : line;
  }).join("\n");
}

function damageOf(text: string): IndexDamage {
  try {
    parseIndex(text, DAY);
  } catch (error) {
    assert.ok(error instanceof IndexDamage);
    return error;
  }
  throw new Error("Cannot find damage: the index was read");
}

Deno.test("parseIndex() reads what indexText() writes, byte for byte", () => {
  const index: DayIndex = parseIndex(WHOLE, DAY);
  assert.equal(index.blocks.length, 2);
  assert.equal(index.seal?.lines, 3);
  assert.equal(indexText(index), WHOLE);
});

Deno.test("parseIndex() reads an index of version 1, whose entries have no checksums", () => {
  const index: DayIndex = parseIndex(OLD_WHOLE, DAY);
  assert.equal(index.header.version, 1);
  assert.deepEqual(index.blocks.map(({ gzCrc32, apps }) => ({ gzCrc32, apps })), [
    { gzCrc32: null, apps: ["api", "web"] },
    { gzCrc32: null, apps: null },
  ]);
  assert.equal(index.seal?.lines, 3);
});

Deno.test("parseSeal() reads the two ends alone, of either version", () => {
  for (const whole of [WHOLE, OLD_WHOLE]) {
    const start = whole.slice(0, 128);
    assert.equal(parseSeal(start, whole.slice(-250), DAY)?.rawBytes, 150);
    assert.equal(parseSeal(start, whole.slice(-250), DAY + 1), null);
    assert.equal(parseSeal(start, whole.slice(0, -1), DAY), null);
    assert.equal(parseSeal(start, whole.split("\n").slice(0, 2).join("\n") + "\n", DAY), null);
    assert.equal(parseSeal("", whole, DAY), null);
  }
  assert.equal(parseSeal(WHOLE.slice(0, 128), OLD_WHOLE.slice(-250), DAY), null);
});

Deno.test("parseIndex() believes no line of which a byte has changed, and says which", () => {
  const bytes = new TextEncoder().encode(WHOLE);
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [bytes[at]! ^ 1, bytes[at]! ^ 0x20, 0x0a, 0x30, 0x22]) {
      if (value === bytes[at]) continue;
      const changed = bytes.slice();
      changed[at] = value;
      const damage = damageOf(new TextDecoder().decode(changed));
      assert.equal(damage.unknownVersion, false, `${at}: ${value}`);
    }
  }
});

Deno.test("intactEntries() finds those entries whose checksums are right, wherever the damage is", () => {
  const damaged = WHOLE.replace('"version":2', '"version":7').replace('["api","web"]', '["apj","web"]');
  assert.deepEqual([...intactEntries(damaged).keys()], [50]);
  assert.deepEqual([...intactEntries(OLD_WHOLE).keys()], []);
});

Deno.test("parseIndex() of an index cut anywhere gives the blocks that are whole", () => {
  for (let length = HEADER.length + 1; length < WHOLE.length; length++) {
    const text = WHOLE.slice(0, length);
    const wholeLines = text.split("\n").length - 2; // without the header and what is unfinished
    if (text.endsWith("\n")) {
      assert.equal(parseIndex(text, DAY).blocks.length, wholeLines);
      continue;
    }
    const damage = damageOf(text);
    assert.equal(damage.intact?.blocks.length, Math.min(wholeLines, 2));
    assert.equal(damage.intactBytes, text.lastIndexOf("\n") + 1);
    assert.match(damage.message, /^Cannot read line \d: it has no end$/);
  }
});

const DAMAGES: [string, string, RegExp][] = [
  ["a hole in the text", WHOLE.replace('"rawOffset":100', '"rawOffset":101'), /line 3: it does not continue/],
  [
    "a hole in the gzip file",
    WHOLE.replace('"gzOffset":50', '"gzOffset":51'),
    /line 3: it does not continue/,
  ],
  ["totals that are others", WHOLE.replace('"lines":3', '"lines":4'), /line 4: its totals are not those/],
  ["a line behind the seal", WHOLE + SECOND + "\n", /line 5: there is more behind the seal/],
  ["a negative length", WHOLE.replace('"rawLength":50', '"rawLength":-50'), /line 3: it is no index entry/],
  ["a member too many", WHOLE.replace('"untimed":1', '"untimed":1,"x":1'), /line 3: it is no index entry/],
  [
    "text for a number in an old index",
    OLD_WHOLE.replace('"lines":2', '"lines":"2"'),
    /line 2: it is no index entry/,
  ],
  ["a line without its checksum", WHOLE.replace(',"check":"7b2ab0fe"', ""), /line 3: it is no index entry/],
  ["an empty line", WHOLE.replace("\n", "\n\n"), /line 2: it is no index entry/],
  [
    "the header of another day",
    WHOLE.replace("11-22", "11-23"),
    /line 1: it is no index header of 2026-11-22/,
  ],
  ["no text", "", /line 1: it is no index header/],
];
for (const [name, text, message] of DAMAGES) {
  Deno.test(`parseIndex() names the line when there is ${name}`, () => {
    const damage = damageOf(writtenSo(text));
    assert.match(damage.message, message);
    assert.equal(damage.unknownVersion, false);
  });
}

Deno.test("parseIndex() names a checksum that is not that of its line", () => {
  assert.match(damageOf(WHOLE.replace('"web"', '"wec"')).message, /line 2: its checksum is wrong/);
  assert.match(
    damageOf(WHOLE.replace('"day":"2026-11-22"', '"day":"2026-11-23"')).message,
    /line 1: its checksum/,
  );
});

Deno.test("parseIndex() tells a later version from damage", () => {
  const later =
    '{"flightlog":"index","version":4,"day":"2026-11-22","rawFrom":0,"gzFrom":0,"more":true,"check":"60bbfd43"}';
  const damage = damageOf(WHOLE.replace(HEADER, later));
  assert.equal(damage.unknownVersion, true);
  assert.equal(damage.message, "Cannot read an index of version 4: this program knows versions up to 3");
  assert.equal(damageOf(WHOLE.replace(HEADER, later.replace("60bbfd43", "60bbfd40"))).unknownVersion, false);
  assert.equal(damageOf(OLD_WHOLE.replace('"version":1', '"version":4')).unknownVersion, false);
});

/** The index of a day into which lines were inserted. */
const HEALED_WHOLE = writtenSo(
  WHOLE.replace('"version":2', '"version":3').replace(
    '"crc32":"000000bb","check":"a48e2a83"',
    '"crc32":"000000bb","healed":{"edition":2,"bytes":60,"lines":1,"editsBytes":96},"check":"a48e2a83"',
  ),
);

Deno.test("parseIndex() reads what was inserted into a day, and indexText() writes it", () => {
  const index: DayIndex = parseIndex(HEALED_WHOLE, DAY);
  assert.deepEqual(index.seal?.healed, { edition: 2, bytes: 60, lines: 1, editsBytes: 96 });
  assert.equal(indexText(index), HEALED_WHOLE);
});

Deno.test("parseSeal() reads what was inserted into a day from the two ends alone", () => {
  const [start, end] = [HEALED_WHOLE.slice(0, 128), HEALED_WHOLE.slice(-330)];
  assert.deepEqual(parseSeal(start, end, DAY), parseIndex(HEALED_WHOLE, DAY).seal);
  assert.equal(insertedBytes(parseSeal(start, end, DAY)), 60);
  assert.equal(insertedBytes(parseSeal(WHOLE.slice(0, 128), WHOLE.slice(-250), DAY)), 0);
});

Deno.test("parseIndex() refuses a seal that is not of the version of its header", () => {
  const healedAsOther = HEALED_WHOLE.replace('"version":3', '"version":2');
  assert.match(damageOf(writtenSo(healedAsOther)).message, /line 4: it is of another version/);
  const otherAsHealed = WHOLE.replace('"version":2', '"version":3');
  assert.match(damageOf(writtenSo(otherAsHealed)).message, /line 4: it is of another version/);
});

Deno.test("sealOf() of blocks keeps what was inserted, which no block tells", () => {
  const { blocks, seal } = parseIndex(HEALED_WHOLE, DAY);
  assert.deepEqual(sealOf(blocks, seal!.healed), seal);
  assert.equal("healed" in sealOf(blocks), false);
});

Deno.test("intactSeal() reads the last line alone, if its checksum is right", () => {
  const { seal } = parseIndex(HEALED_WHOLE, DAY);
  assert.deepEqual(intactSeal(HEALED_WHOLE), seal);
  assert.deepEqual(intactSeal(`garbage\n${HEALED_WHOLE.slice(300)}`), seal);
  assert.equal(intactSeal(HEALED_WHOLE.replace('"edition":2', '"edition":3')), null);
  assert.equal(intactSeal(HEALED_WHOLE.slice(0, -2)), null);
  assert.equal(intactSeal(OLD_WHOLE), null);
  assert.equal(intactSeal([HEADER, FIRST].join("\n") + "\n"), null);
  assert.equal(intactSeal(""), null);
});
