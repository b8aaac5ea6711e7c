import assert from "node:assert/strict";
import { Findings, FINDINGS_LIMIT, TOLD_LIMIT } from "../../lib/archive/findings.ts";
import { keepingLogger } from "./archive_rig.ts";

const TORN = { file: "2026-11-22.jsonl", what: "cut to its last whole line", damage: false };
const LOST = { file: "2026-11-21.jsonl", what: "was missing", damage: true };

Deno.test("Findings are logged and remembered, in their order, and damage as an error", () => {
  const logger = keepingLogger();
  const findings = new Findings(logger, [TORN]);
  findings.note(LOST);
  assert.deepEqual(findings.all, [TORN, LOST]);
  assert.deepEqual(logger.events, [
    'warn archive repaired {"file":"2026-11-22.jsonl","what":"cut to its last whole line"}',
    'error archive repaired {"file":"2026-11-21.jsonl","what":"was missing"}',
  ]);
});

Deno.test("Findings beyond a limit are logged, and not remembered", () => {
  const logger = keepingLogger();
  const findings = new Findings(logger, []);
  for (let count = 0; count <= FINDINGS_LIMIT; count++) findings.note(LOST);
  assert.equal(findings.all.length, FINDINGS_LIMIT);
  assert.equal(logger.events.length, FINDINGS_LIMIT + 1);
});

Deno.test("tellOnce() tells each damage once, and of so many at the most", () => {
  const logger = keepingLogger();
  const findings = new Findings(logger, []);
  for (let count = 0; count < 3; count++) findings.tellOnce("2026-11-22.jsonl.gz", "block 0");
  assert.deepEqual(logger.events, ['error archive damaged {"file":"2026-11-22.jsonl.gz","what":"block 0"}']);
  for (let count = 0; count < 2 * TOLD_LIMIT; count++) {
    findings.tellOnce("2026-11-22.jsonl.gz", `block ${count}`);
  }
  assert.equal(logger.events.length, TOLD_LIMIT);
  assert.deepEqual(findings.all, []);
});

Deno.test("reportFailure() logs what failed, until that is what is to be expected", () => {
  const logger = keepingLogger();
  const findings = new Findings(logger, []);
  findings.reportFailure("sealing 2026-11-22", new Error("No space left"));
  findings.expectFailures();
  findings.reportFailure("sealing 2026-11-23", new Error("terminated"));
  assert.deepEqual(logger.events, [
    'error archive task failed {"what":"sealing 2026-11-22","reason":"No space left"}',
  ]);
});
