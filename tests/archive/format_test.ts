import assert from "node:assert/strict";
import { fitHealing } from "../../lib/gaps/healing.ts";
import { gapLine } from "../../lib/gaps/ledger_line.ts";
import { indexHeader, indexLine } from "../../lib/archive/blocks/day_index.ts";
import {
  GAP_LINE_LEAST_BYTES,
  GAP_LINE_LIMIT_BYTES,
  gzFile,
  gzPartFile,
  HEADER_LINE_LIMIT_BYTES,
  indexFile,
  indexPartFile,
  parseFileName,
  plainFile,
  SEAL_LINE_LIMIT_BYTES,
  tornFile,
} from "../../lib/archive/format.ts";
import { DAY } from "./archive_rig.ts";

const NAMES: [string, ReturnType<typeof parseFileName>][] = [
  [plainFile(DAY, 0), { kind: "plain", day: DAY, from: 0 }],
  [plainFile(DAY, 1_048_576), { kind: "plain", day: DAY, from: 1_048_576 }],
  [gzFile(DAY), { kind: "gz", day: DAY }],
  [indexFile(DAY), { kind: "index", day: DAY }],
  [gzPartFile(DAY), { kind: "gzPart", day: DAY }],
  [indexPartFile(DAY), { kind: "indexPart", day: DAY }],
  [tornFile(DAY, 0), { kind: "torn", day: DAY }],
];

Deno.test("Names of files are those that are documented, and are read back as what they mean", () => {
  assert.deepEqual(NAMES.map(([name]) => name), [
    "2026-11-22.jsonl",
    "2026-11-22.from-1048576.jsonl",
    "2026-11-22.jsonl.gz",
    "2026-11-22.index",
    "2026-11-22.jsonl.gz.part",
    "2026-11-22.index.part",
    "2026-11-22.at-0.torn",
  ]);
  for (const [name, meaning] of NAMES) assert.deepEqual(parseFileName(name), meaning);
});

Deno.test("The longest and the shortest lines are within their limits", () => {
  const [most, time] = [Number.MAX_SAFE_INTEGER, "2026-11-22T10:00:00.000000000Z"];
  assert.ok(indexLine(indexHeader(DAY, 0, 0)).length <= HEADER_LINE_LIMIT_BYTES);
  const seal = { sealed: true as const, rawBytes: most, gzBytes: most, lines: most, untimed: most };
  const sealLine = indexLine({ ...seal, first: time, last: time, crc32: "00000000" });
  assert.ok(sealLine.length + 1 <= SEAL_LINE_LIMIT_BYTES, "with the line feed before it");
  const healing = fitHealing({
    sources: Array.from({ length: 9 }, (_, number) => ({
      name: `${number}${"\\".repeat(300)}`,
      lines: number === 0 ? most - 8 : 1,
    })),
    atMs: 8.64e15,
    doneUntilMs: 8.64e15,
    reason: "€".repeat(400),
  });
  const gap = {
    sinceMs: 0,
    untilMs: 8.64e15,
    cause: "undelivered" as const,
    state: "partial" as const,
    healing,
  };
  assert.ok(new TextEncoder().encode(gapLine({ ...gap, id: most })).length <= GAP_LINE_LIMIT_BYTES);
  assert.ok('{"id":1,"until":"2026-11-22T10:00:00.000Z"}'.length >= GAP_LINE_LEAST_BYTES);
});

const FOREIGN = [
  "",
  "lock",
  "gaps.jsonl",
  "2026-02-30.jsonl",
  "2026-11-22",
  "2026-11-22.jsonl.tmp",
  "2026-11-22.from-0.jsonl",
  "2026-11-22.from-01.jsonl",
  "2026-11-22.from--1.jsonl",
  "2026-11-22.jsonl.gz.damaged",
  "2026-11-22.constructor",
  "x2026-11-22.jsonl",
];
for (const name of FOREIGN) {
  Deno.test(`parseFileName() returns null for "${name}"`, () => assert.equal(parseFileName(name), null));
}
