import assert from "node:assert/strict";
import type { Finding } from "../../../lib/archive/repair/aside.ts";
import { RepairPlace } from "../../../lib/archive/repair/repair_place.ts";
import { DAY } from "../archive_rig.ts";

Deno.test("RepairPlace names files in its directory, and adds what is noted to the findings", () => {
  const findings: Finding[] = [];
  const place = new RepairPlace("/logs", DAY, findings);
  assert.equal(place.path("2026-11-22.jsonl"), "/logs/2026-11-22.jsonl");
  place.note("2026-11-22.jsonl", "was missing", true);
  assert.deepEqual(findings, [{ file: "2026-11-22.jsonl", what: "was missing", damage: true }]);
});
