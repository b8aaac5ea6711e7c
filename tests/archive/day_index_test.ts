import assert from "node:assert/strict";
import { type DayIndex, IndexDamage, indexText, parseIndex, parseSeal } from "../../lib/archive/day_index.ts";
import { DAY } from "./archive_rig.ts";

const HEADER = '{"flightlog":"index","version":1,"day":"2026-11-22","rawFrom":0,"gzFrom":0}';
const FIRST =
  '{"rawOffset":0,"rawLength":100,"gzOffset":10,"gzLength":40,"lines":2,"first":"2026-11-22T10:00:00.000000001Z",' +
  '"last":"2026-11-22T11:00:00.000000000Z","untimed":0,"crc32":"00000001","totalCrc32":"00000001","apps":["api","web"]}';
const SECOND =
  '{"rawOffset":100,"rawLength":50,"gzOffset":50,"gzLength":20,"lines":1,"first":null,"last":null,"untimed":1,' +
  '"crc32":"000000aa","totalCrc32":"000000bb","apps":null}';
const SEAL =
  '{"sealed":true,"rawBytes":150,"gzBytes":80,"lines":3,"first":"2026-11-22T10:00:00.000000001Z",' +
  '"last":"2026-11-22T11:00:00.000000000Z","untimed":1,"crc32":"000000bb"}';
const WHOLE = [HEADER, FIRST, SECOND, SEAL].join("\n") + "\n";

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

Deno.test("parseSeal() reads the last line alone", () => {
  assert.equal(parseSeal(WHOLE.slice(-200))?.rawBytes, 150);
  assert.equal(parseSeal(WHOLE.slice(0, -1)), null);
  assert.equal(parseSeal([HEADER, FIRST].join("\n") + "\n"), null);
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
    const damage = damageOf(text);
    assert.match(damage.message, message);
    assert.equal(damage.unknownVersion, false);
  });
}

Deno.test("parseIndex() tells another version from damage", () => {
  const damage = damageOf(WHOLE.replace('"version":1', '"version":2,"more":true'));
  assert.equal(damage.unknownVersion, true);
  assert.equal(damage.message, "Cannot read an index of version 2: this program knows version 1");
});
