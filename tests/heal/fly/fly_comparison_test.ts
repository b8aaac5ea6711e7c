import assert from "node:assert/strict";
import { dayOf } from "../../../lib/day.ts";
import { FlyComparison } from "../../../lib/heal/fly/fly_comparison.ts";
import { FlyPiece } from "../../../lib/heal/fly/fly_piece.ts";
import { OverlapIdentities } from "../../../lib/heal/fly/overlap_identities.ts";
import { WantedRows } from "../../../lib/heal/fly/wanted_rows.ts";
import type { IdentityForm } from "../../../lib/line/identity.ts";
import { parseTimestamp } from "../../../lib/timestamp.ts";
import { openArchive, type TestArchive, TestDirectory } from "../../archive/archive_rig.ts";

const START_MS = Date.UTC(2026, 10, 22, 10);
const GAP = { sinceMs: START_MS + 10_000, untilMs: START_MS + 20_000 };
const NO_DOUBTS = { gone: new Set<string>(), faults: new Map(), doubts: new Map() };

/** A moment within the minute, with decimals as they are given, and what was printed then. */
type Line = [second: string, message: string, instance?: string];

Deno.test("FlyComparison.missing() has the last ones of rows that are here less often", async () => {
  const { missing } = await compare([["11", "a"], ["11", "a"]], [["11", "a"], ["11", "a"], ["11", "a"], [
    "12",
    "a",
  ]]);
  assert.deepEqual(missing, ["row 2", "row 3"]);
});

Deno.test("FlyComparison.missing() compares with as many decimals as the rows have", async () => {
  const ours: Line[] = [["11.123456789", "a"], ["12.987654321", "a"]];
  const theirs: Line[] = [["11.123", "a"], ["12.987", "a"], ["12.988", "a"]];
  assert.deepEqual((await compare(ours, theirs, { decimals: 3, hasInstance: true })).missing, ["row 2"]);
  assert.equal((await compare(ours, theirs)).missing.length, 3);
});

Deno.test("FlyComparison.missing() tells machines apart only if the rows do", async () => {
  const ours: Line[] = [["11", "a", "m1"]];
  const theirs: Line[] = [["11", "a", "m2"]];
  assert.equal((await compare(ours, theirs)).missing.length, 1);
  assert.equal((await compare(ours, theirs, { decimals: 9, hasInstance: false })).missing.length, 0);
});

Deno.test("FlyComparison.missing() has nothing of the overlaps, and gathers both sides of them", async () => {
  const { missing, overlaps, rows } = await compare(
    [["09.999", "a"], ["20", "b"], ["21", "c"]],
    [["09.999", "a"], ["10", "x"], ["19.999", "y"], ["20", "b"]],
  );
  assert.deepEqual([missing, rows], [["row 1", "row 2"], 2]);
  assert.deepEqual(overlaps.prove(["web"], NO_DOUBTS, 5000), {
    state: "unproven",
    reason: '"web": 1 of 2 lines in the 5 s after the gap are not there',
  });
});

Deno.test("FlyComparison.missing() holds lines against the source of an app without a row", async () => {
  const { overlaps } = await compare([["09", "a"]], []);
  assert.equal(overlaps.prove(["web"], NO_DOUBTS, 5000).state, "unproven");
});

async function compare(
  ours: Line[],
  theirs: Line[],
  form?: IdentityForm,
): Promise<{ missing: string[]; overlaps: OverlapIdentities; rows: number }> {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  for (const line of ours) append(test, line);
  await test.archive.sync();
  const piece = new FlyPiece({ sinceMs: START_MS, untilMs: START_MS + 60_000 });
  if (form !== undefined) piece.forms.set("web", form);
  for (const [number, line] of theirs.entries()) {
    const { seconds, nanoseconds } = parseTimestamp(timestampOf(line))!;
    piece.add({
      app: "web",
      atNs: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
      line: recordOf(line, { flightlog: { healed: "fly", id: `row ${number}` } }),
    });
  }
  const overlaps = new OverlapIdentities();
  const rules = { subject: "logs.>", ownApp: null, excludeApps: [], includeApps: [], excludeText: [] };
  const comparison = new FlyComparison({
    ...{ archive: test.archive, wanted: new WantedRows(rules), names: ["web"], gap: GAP, overlaps },
  });
  const missing = (await comparison.missing(piece)).map(({ line }) =>
    JSON.parse(new TextDecoder().decode(line)).flightlog.id
  );
  return { missing, overlaps, rows: comparison.rows };
}

function append({ archive }: TestArchive, line: Line): void {
  archive.append(dayOf(START_MS), recordOf(line), false, parseTimestamp(timestampOf(line)));
}

function timestampOf([second]: Line): string {
  return `2026-11-22T10:00:${second}Z`;
}

function recordOf(line: Line, more = {}): Uint8Array {
  const [, message, instance = "m1"] = line;
  const record = { fly: { app: { name: "web", instance } }, message, timestamp: timestampOf(line), ...more };
  return new TextEncoder().encode(JSON.stringify(record));
}
