import assert from "node:assert/strict";
import * as v from "valibot";
import { statusSchema } from "../../routes/wire/status.ts";
import { createParts, ListedDays, listedGaps, readProblem, serve } from "./rig.ts";

Deno.test("GET /ready answers 200 while recording", async () => {
  await using api = serve(createParts());
  const answer = await api.ask("/ready");
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), "ready\n");
});

Deno.test("GET /ready answers 503 with the reasons when nothing is recorded", async () => {
  const { recorder } = createParts();
  const reasons = ["The server does not answer", "The disk is full"];
  await using api = serve(
    createParts({ recorder: { ...recorder, readiness: () => ({ ready: false, reasons }) } }),
  );
  const answer = await api.ask("/ready");
  assert.equal(answer.status, 503);
  const problem = await readProblem(answer);
  assert.equal(problem.type, "urn:flightlog:problem:not-ready");
  assert.deepEqual(problem.reasons, reasons);
});

Deno.test("GET /status tells the session, the counters, the archive, the disk and the last gap", async () => {
  const archive = new ListedDays({
    "2026-11-21": { text: "{}\n{}\n", sealed: false },
    "2026-11-22": { text: "{}\n", sealed: false },
  });
  const gaps = listedGaps([{
    id: 1,
    sinceMs: Date.parse("2026-11-22T09:00:00Z"),
    untilMs: null,
    cause: "disconnect",
    state: "open",
    healing: null,
  }]);
  archive.findings = [{
    file: "2026-11-22.jsonl",
    what: 'was a directory: kept as "2026-11-22.jsonl.damaged"',
    damage: false,
  }];
  const scrub = {
    status: () => ({
      lastFinishedMs: Date.parse("2026-11-22T03:00:00Z"),
      daysChecked: 2,
      damaged: [{ day: "2026-11-20", what: "block 3 at 4711 is not what was written" }],
    }),
  };
  await using api = serve(createParts({ archive, gaps, scrub }));
  const answer = await api.ask("/status");
  assert.equal(answer.headers.get("Content-Type"), "application/json");
  const status = v.parse(statusSchema, await answer.json());
  assert.deepEqual({ ...status, archive: { ...status.archive, gzBytes: 0 } }, {
    version: "1.2.3",
    ready: true,
    reasons: [],
    session: {
      state: "recording",
      since: "2026-11-22T10:00:00.000Z",
      server: "nats://127.0.0.1:4222",
      lastLine: "2026-11-22T11:59:59.000Z",
      lagMs: 12,
      canary: null,
      lastError: null,
    },
    counters: { received: 7, recorded: 4, rejected: 1, filtered: 2, empty: 1, dropped: 0, bytes: 900 },
    archive: { days: 2, lines: 3, bytes: 9, gzBytes: 0 },
    held: null,
    repaired: [{ file: "2026-11-22.jsonl", what: 'was a directory: kept as "2026-11-22.jsonl.damaged"' }],
    scrub: {
      lastFinished: "2026-11-22T03:00:00.000Z",
      daysChecked: 2,
      damaged: [{ day: "2026-11-20", what: "block 3 at 4711 is not what was written" }],
    },
    disk: { totalBytes: 1000, freeBytes: 400 },
    healing: null,
    lastGap: {
      since: "2026-11-22T09:00:00.000Z",
      until: null,
      cause: "disconnect",
      state: "open",
      healed: null,
      reason: null,
    },
  });
});

Deno.test("GET /status answers when there is no line yet, an error, and a volume that cannot be measured", async () => {
  const { recorder } = createParts();
  const status = () => ({
    ...recorder.status(),
    state: "waiting" as const,
    lagMs: null,
    lastLineMs: null,
    canary: { everReturned: false, missed: 3, roundTripMs: null, lastGoodMs: null },
    lastError: { atMs: Date.parse("2026-11-22T11:00:00Z"), message: "Connection refused" },
  });
  await using api = serve(createParts({
    recorder: { ...recorder, status },
    volumeUsage: () => Promise.reject(new Error("Input/output error")),
  }));
  const { session, disk } = v.parse(statusSchema, await (await api.ask("/status")).json());
  assert.equal(disk, null);
  assert.equal(session.lastLine, null);
  assert.deepEqual(session.canary, { everReturned: false, missed: 3, roundTripMs: null });
  assert.deepEqual(session.lastError, { at: "2026-11-22T11:00:00.000Z", message: "Connection refused" });
});
