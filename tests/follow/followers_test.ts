import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { TailLines } from "../../lib/archive/read/line_reader.ts";
import { Followers } from "../../lib/follow/followers.ts";
import { silentLogger } from "../../lib/logger.ts";
import { openArchive, TestDirectory } from "../archive/archive_rig.ts";

Deno.test("close() waits for what is still being read for a client that has gone", async () => {
  using directory = new TestDirectory();
  await using test = await openArchive(directory);
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: tail, resolve: answer } = Promise.withResolvers<TailLines>();
  const lines = Object.create(test.archive.lines);
  lines.readTail = () => {
    ask();
    return tail;
  };
  const archive = Object.create(test.archive, { lines: { value: lines } });
  for (const name of ["days", "onCommit", "held", "openText"] as const) {
    archive[name] = test.archive[name].bind(test.archive);
  }
  const gaps = { onChange: () => () => {}, touching: () => [] };
  const followers = new Followers({ archive, gaps, clock: test.clock, logger: silentLogger });
  const reader = followers.follow({
    filter: { apps: [], regions: [], instances: [], levels: [] },
    style: "jsonl",
    isEvents: false,
    context: { kind: "tail", lines: 1, since: null, withinBytes: null },
    gapNotice: () => null,
    heldNotice: () => null,
  }).getReader();
  const read = reader.read();
  await asked;
  await reader.cancel();
  await read;
  let isClosed = false;
  const closed = followers.close().then(() => isClosed = true);
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  assert.equal(isClosed, false);
  answer({ start: null, chunks: [], [Symbol.dispose]: () => {} });
  await closed;
});
