import assert from "node:assert/strict";
import { PendingLosses } from "../../../lib/archive/repair/pending_losses.ts";
import { TestDirectory } from "../archive_rig.ts";

const LOSS = { sinceMs: Date.parse("2026-11-22T10:00:00.5Z"), untilMs: Date.parse("2026-11-22T10:01:00Z") };

Deno.test("PendingLosses are there at the next start, until they are settled", () => {
  using directory = new TestDirectory();
  const losses = new PendingLosses(directory.path);
  assert.deepEqual(losses.spans, []);
  losses.settle();
  losses.add([LOSS]);
  losses.add([{ sinceMs: 0, untilMs: 1 }]);
  const again = new PendingLosses(directory.path);
  assert.deepEqual(again.spans, [LOSS, { sinceMs: 0, untilMs: 1 }]);
  again.settle();
  assert.deepEqual(again.spans, []);
  assert.deepEqual(directory.names(), []);
});

Deno.test("PendingLosses pass over a line that cannot be read", () => {
  using directory = new TestDirectory();
  new PendingLosses(directory.path).add([LOSS]);
  directory.write("lost.jsonl", `garbage\n${directory.text("lost.jsonl")}{"since":"x"}\n`);
  assert.deepEqual(new PendingLosses(directory.path).spans, [LOSS]);
});
