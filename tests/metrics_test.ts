import assert from "node:assert/strict";
import type { Gap, GapState } from "../lib/gaps/gap.ts";
import { Metrics, type MetricsSources } from "../lib/metrics.ts";

const GAP: Gap = { id: 1, sinceMs: 0, untilMs: 1000, cause: "crash", state: "lost", healing: null };

function connected(sources: Partial<MetricsSources> = {}): Metrics {
  const metrics = new Metrics();
  metrics.connect({
    archive: { days: () => [], held: () => ({ lines: 5, sinceMs: 0, reason: null }), waitingBytes: 77 },
    recorder: {
      status: () => ({
        state: "recording",
        sinceMs: 0,
        server: "nats://127.0.0.1:4222",
        counters: { received: 7, recorded: 4, rejected: 1, filtered: 2, empty: 1, dropped: 3, bytes: 900 },
        lagMs: 12,
        lastLineMs: 1_795_341_600_000,
        canary: null,
        lastError: null,
      }),
    },
    gaps: { touching: () => [GAP, GAP], latest: () => GAP },
    scrub: {
      status: () => ({
        lastFinishedMs: 1_795_300_000_000,
        daysChecked: 3,
        damaged: [{ day: "2026-11-20", what: "block 3 at 4711 is not what was written" }],
      }),
    },
    clock: { now: () => 10_000 },
    config: { bufferLimitBytes: 1000 },
    volumeUsage: () => Promise.resolve({ totalBytes: 1000, availableBytes: 400, usedPercent: 60 }),
    ...sources,
  });
  return metrics;
}

/** The samples, by name and labels. */
async function samples(metrics: Metrics): Promise<Record<string, string>> {
  const { text } = await metrics.exposition();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), line.slice(space + 1)];
  }));
}

Deno.test("Metrics.exposition() tells what the recorder has counted, each time anew and never added up", async () => {
  const metrics = connected();
  await metrics.exposition();
  const found = await samples(metrics);
  assert.equal(found["flightlog_messages_received_total"], "7");
  assert.equal(found["flightlog_lines_recorded_total"], "4");
  assert.equal(found["flightlog_messages_rejected_total"], "1");
  assert.equal(found["flightlog_messages_filtered_total"], "2");
  assert.equal(found["flightlog_messages_empty_total"], "1");
  assert.equal(found["flightlog_messages_dropped_total"], "3");
  assert.equal(found["flightlog_received_bytes_total"], "900");
  assert.equal(found["flightlog_recording"], "1");
  assert.equal(found["flightlog_line_lag_seconds"], "0.012");
  assert.equal(found["flightlog_last_line_timestamp_seconds"], "1795341600");
  assert.equal(found["flightlog_buffer_bytes"], "77");
  assert.equal(found["flightlog_buffer_limit_bytes"], "1000");
  assert.equal(found["flightlog_scrub_damaged"], "1");
  assert.equal(found["flightlog_scrub_finished_timestamp_seconds"], "1795300000");
  assert.equal(found["flightlog_disk_size_bytes"], "1000");
  assert.equal(found["flightlog_disk_available_bytes"], "400");
});

Deno.test("Metrics.exposition() counts gaps by cause and state, and says 0 of a cause that has none open", async () => {
  const found = await samples(connected());
  assert.equal(found['flightlog_gaps{cause="crash",state="lost"}'], "2");
  assert.equal(found['flightlog_gaps{cause="disconnect",state="open"}'], "0");
});

Deno.test("Metrics.exposition() measures gaps by state, each moment once, and one that lasts up to now", async () => {
  const gap = (sinceMs: number, untilMs: number | null, state: GapState): Gap => (
    { ...GAP, sinceMs, untilMs, state }
  );
  const gaps = [
    gap(0, 2000, "lost"),
    gap(1000, 3500, "lost"),
    gap(4000, 5000, "healed"),
    gap(7000, null, "open"),
  ];
  const found = await samples(connected({ gaps: { touching: () => gaps, latest: () => null } }));
  assert.equal(found['flightlog_gap_seconds{state="lost"}'], "3.5");
  assert.equal(found['flightlog_gap_seconds{state="healed"}'], "1");
  assert.equal(found['flightlog_gap_seconds{state="partial"}'], "0");
  assert.equal(found['flightlog_gap_seconds{state="open"}'], "3", "it is ten seconds past the epoch");
});

Deno.test("Metrics.exposition() counts lines that were brought back by where they came from, from 0 on", async () => {
  const metrics = connected();
  assert.equal((await samples(metrics))['flightlog_healed_lines_total{source="fly"}'], "0");
  metrics.noteHealed("fly", 400);
  metrics.noteHealed("fly", 12);
  metrics.noteHealed("peer", 3);
  const found = await samples(metrics);
  assert.equal(found['flightlog_healed_lines_total{source="fly"}'], "412");
  assert.equal(found['flightlog_healed_lines_total{source="peer"}'], "3");
});

Deno.test("Metrics.exposition() says how many gaps wait to be healed, and none where nothing heals", async () => {
  assert.equal((await samples(connected()))["flightlog_heal_due"], "0");
  assert.equal((await samples(connected({ healDue: () => 7 })))["flightlog_heal_due"], "7");
});

Deno.test("Metrics.exposition() puts durations into buckets, in seconds", async () => {
  const metrics = connected();
  metrics.noteTiming("write", 3);
  metrics.noteTiming("sync", 1500);
  metrics.noteRoundTrip(700);
  metrics.noteSession();
  const found = await samples(metrics);
  assert.equal(found['flightlog_write_duration_seconds_bucket{le="0.001"}'], "0");
  assert.equal(found['flightlog_write_duration_seconds_bucket{le="0.005"}'], "1");
  assert.equal(found["flightlog_sync_duration_seconds_sum"], "1.5");
  assert.equal(found['flightlog_canary_round_trip_seconds_bucket{le="1"}'], "1");
  assert.equal(found["flightlog_sessions_total"], "1");
});

Deno.test("Metrics.exposition() counts answers, and all methods that nobody knows as one", async () => {
  const metrics = connected();
  metrics.noteAnswer("GET", 200);
  metrics.noteAnswer("BREW", 405);
  metrics.noteAnswer("X".repeat(100), 405);
  const found = await samples(metrics);
  assert.equal(found['flightlog_http_answers_total{method="GET",status="200"}'], "1");
  assert.equal(found['flightlog_http_answers_total{method="other",status="405"}'], "2");
});

Deno.test("Metrics.exposition() answers although the volume cannot be measured", async () => {
  const metrics = connected({ volumeUsage: () => Promise.reject(new Error("Input/output error")) });
  const found = await samples(metrics);
  assert.equal(found["flightlog_disk_size_bytes"], "Nan");
  assert.equal(found["flightlog_messages_received_total"], "7");
});
