import assert from "node:assert/strict";
import {
  compareGenerations,
  type Generation,
  isArchiveName,
  parseStoredKey,
  storedKey,
} from "../../lib/store/layout.ts";

const GENERATION: Generation = { day: 20_779, edition: 0, rawBytes: 0, digest: "00000000000000ff" };

Deno.test("parseStoredKey() reads what storedKey() writes", () => {
  for (const kind of ["gz", "edits", "index"] as const) {
    for (const change of [{}, { edition: 12 }, { rawBytes: 9_007_199_254_740_991 }]) {
      const generation = { ...GENERATION, ...change };
      assert.deepEqual(parseStoredKey("web", storedKey("web", generation, kind)), { generation, kind });
    }
  }
});

for (
  const key of [
    "v1/api/days/2026-11-22/0.1000.9f86d081884c7d65.index",
    "v2/web/days/2026-11-22/0.1000.9f86d081884c7d65.index",
    "v1/web/days/2026-11-31/0.1000.9f86d081884c7d65.index",
    "v1/web/days/2026-11-22/0.1000.9f86d081884c7d6.index",
    "v1/web/days/2026-11-22/01.1000.9f86d081884c7d65.index",
    "v1/web/days/2026-11-22/0.-1.9f86d081884c7d65.index",
    "v1/web/days/2026-11-22/0.1000.9F86D081884C7D65.index",
    "v1/web/days/2026-11-22/0.1000.9f86d081884c7d65.index.tmp",
    "v1/web/days/2026-11-22/0.1000.9f86d081884c7d65",
    "v1/web/days/",
  ]
) {
  Deno.test(`parseStoredKey() knows no file of the archive "web" named "${key}"`, () => {
    assert.equal(parseStoredKey("web", key), null);
  });
}

Deno.test("compareGenerations() puts a generation with more text later", () => {
  const generations: Generation[] = [
    { ...GENERATION, rawBytes: 1000 },
    { ...GENERATION, rawBytes: 1000, digest: "ff00000000000000" },
    { ...GENERATION, rawBytes: 1000, edition: 1 },
    { ...GENERATION, rawBytes: 20_000 },
    { ...GENERATION, rawBytes: 30_000, edition: 1 },
  ];
  assert.deepEqual(generations.toReversed().sort(compareGenerations), generations);
  assert.equal(compareGenerations(GENERATION, { ...GENERATION }), 0);
});

Deno.test("isArchiveName() takes a name that is one part of an object's name", () => {
  for (const name of ["web", "flightlog-ams_2", "0"]) assert.ok(isArchiveName(name), name);
  for (const name of ["", "-a", "Web", "a/b", "..", "a.b", "a".repeat(65)]) {
    assert.ok(!isArchiveName(name), name);
  }
});
