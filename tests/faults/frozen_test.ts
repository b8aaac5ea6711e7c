import assert from "node:assert/strict";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";
import { checkOracle, type FoundGap, NumberedLines, readGaps, untilLastReadable } from "./oracle.ts";

/** Fast enough that what the system keeps for a process, some megabytes, is full within seconds. */
const LINES_PER_SECOND = 20_000;

/** How long lines go on after the server has put the recorder out, in seconds. */
const LOST_SECONDS = 4;

/** A gap may claim so much more than was lost, in milliseconds: a second before, and the time to the next session. */
const EXCESS_LIMIT_MS = 2_500;

Deno.test("Flightlog that was frozen until the server evicted it names all that it missed, without a hole", async () => {
  await using server = await NatsServer.start({ maxPendingBytes: 1024 * 1024, writeDeadlineMs: 300 });
  await using publisher = await Publisher.connect({ port: server.port });
  await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url } });
  const lines = new NumberedLines();
  await flightlog.untilLog("recording");
  await lines.publishEvenly(publisher, 1_000, 2);
  const from = flightlog.log.count;
  let isEvicted = false;
  const evicted = server.log.until((line) => line.includes("Slow Consumer"), "the eviction")
    .then(() => isEvicted = true);
  flightlog.signal("SIGSTOP");
  while (!isEvicted) await lines.publishEvenly(publisher, LINES_PER_SECOND, 0.5);
  await evicted;
  await lines.publishEvenly(publisher, 1_000, LOST_SECONDS);
  flightlog.signal("SIGCONT");
  await lines.publishEvenly(publisher, 1_000, 1);
  await flightlog.untilLog("recording", from);
  await lines.publishEvenly(publisher, 1_000, 1);
  await untilLastReadable(flightlog, lines);
  const { missing, causes, edges } = await checkOracle(flightlog, lines);
  assert.ok(missing >= LOST_SECONDS * 1_000, `${missing} lines are missing`);
  assert.deepEqual([...new Set(causes)], ["disconnect", "start"]);
  const gaps = (await readGaps(flightlog)).filter(({ cause }) => cause === "disconnect");
  const { since, until } = joined(gaps);
  const lostMs = Math.max(...edges) - Math.min(...edges);
  const excessMs = until - since - lostMs;
  assert.ok(
    excessMs <= EXCESS_LIMIT_MS,
    `${excessMs} ms more are claimed than the ${lostMs} ms that were lost`,
  );
});

/**
 * The span of gaps that adjoin. There may be several: on a busy machine the first lines of the next session take longer than
 * any before, which adds a piece in front of the gap.
 */
function joined(gaps: readonly FoundGap[]): { since: number; until: number } {
  const [first, ...others] = gaps.toSorted((a, b) => a.since - b.since);
  let { until } = first!;
  for (const gap of others) {
    assert.ok(gap.since <= until, `nothing is said of ${until} to ${gap.since}`);
    until = Math.max(until, gap.until);
  }
  return { since: first!.since, until };
}

Deno.test("Flightlog that was frozen, and not evicted, names nothing", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  await using flightlog = await FlightlogProcess.start({ env: { NATS_URL: server.url } });
  const lines = new NumberedLines();
  await flightlog.untilLog("recording");
  await lines.publishEvenly(publisher, 1_000, 1);
  flightlog.signal("SIGSTOP");
  await lines.publishEvenly(publisher, 1_000, 3);
  flightlog.signal("SIGCONT");
  await lines.publishEvenly(publisher, 1_000, 1);
  await untilLastReadable(flightlog, lines);
  const { missing, causes } = await checkOracle(flightlog, lines);
  assert.deepEqual({ missing, causes }, { missing: 0, causes: ["start"] });
});
