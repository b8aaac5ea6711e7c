import assert from "node:assert/strict";
import { PeerRules } from "../../../lib/heal/peers/peer_rules.ts";
import type { FlyRecord } from "../../../lib/line/fly_log.ts";
import { LineScanner } from "../../../lib/line/scanner.ts";

/** Whether a recorder with `subject` leaves out a line with this `fly` member, by both ways to look at it. */
function leavesOut(subject: string, fly: FlyRecord["fly"]): boolean {
  const rules = new PeerRules({
    subject,
    ownApp: "flightlog",
    excludeApps: ["noisy"],
    includeApps: [],
    excludeText: [],
  });
  const record = { fly, message: "hello", timestamp: "2026-11-22T10:00:00Z" };
  const bytes = new TextEncoder().encode(JSON.stringify(record));
  const scanner = new LineScanner();
  assert.ok(scanner.scan(bytes, 0, bytes.length));
  const isLeftOut = rules.leavesOut(bytes, scanner, { subject: "" });
  assert.equal(rules.leavesOutParsed(record, { subject: "" }), isLeftOut);
  return isLeftOut;
}

const WEB = { app: { name: "web", instance: "0e28" }, region: "fra" };

Deno.test("PeerRules want what the subscription gets", () => {
  for (const subject of ["logs.>", ">", "logs.web.>", "logs.*.fra.*", "logs.*.*.0e28", "*.web.>"]) {
    assert.equal(leavesOut(subject, WEB), false, subject);
  }
  for (const subject of ["logs.worker.>", "logs.*.iad.*", "logs.*.*.9999", "*.worker.>"]) {
    assert.equal(leavesOut(subject, WEB), true, subject);
  }
});

Deno.test("PeerRules want a line that does not say by what the subscription chooses", () => {
  assert.equal(leavesOut("logs.web.fra.*", { app: { name: "web" } }), false);
  assert.equal(leavesOut("logs.worker.fra.*", { app: { name: "web" } }), true);
});

Deno.test("PeerRules want everything where the subjects are none of Fly's", () => {
  assert.equal(leavesOut("acme.web.>", { app: { name: "worker" } }), false);
});

Deno.test("PeerRules leave out what the filters leave out", () => {
  assert.equal(leavesOut("logs.>", { app: { name: "noisy" } }), true);
  assert.equal(leavesOut("logs.>", { app: { name: "flightlog" } }), true);
});

Deno.test("PeerRules choose an envelope by the subject of its message", () => {
  const rules = new PeerRules({
    subject: "logs.web.>",
    ownApp: null,
    excludeApps: [],
    includeApps: [],
    excludeText: [],
  });
  const isLeftOut = (subject: string) => rules.leavesOutParsed({ message: "" }, { subject });
  assert.deepEqual([isLeftOut("logs.web.fra.0e28"), isLeftOut("logs.worker.fra.0e28")], [false, true]);
});
