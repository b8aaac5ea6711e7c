import assert from "node:assert/strict";
import {
  gzFile,
  gzPartFile,
  indexFile,
  indexPartFile,
  parseFileName,
  plainFile,
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
  Deno.test(`parseFileName() gives null for "${name}"`, () => assert.equal(parseFileName(name), null));
}
