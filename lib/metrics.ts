/**
 * Promises the recorder's numbers in the text format of Prometheus, under names by its conventions: base
 * units, `_total` for what only grows (https://prometheus.io/docs/practices/naming/). They are read when
 * somebody asks, so they cost nothing while nobody does.
 *
 * @module
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Archive } from "./archive/archive.ts";
import type { Scrub } from "./archive/repair/scrub.ts";
import type { VolumeUsage } from "./archive/volume.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config/config.ts";
import { type Gap, GAP_CAUSES, GAP_STATES, type GapSource } from "./gaps/gap.ts";
import { timeInGaps } from "./gaps/time_in_gaps.ts";
import type { Recorder } from "./recorder/recorder.ts";
import type { RecorderCounters } from "./recorder/status.ts";

/** Upper bounds of the durations of writes and syncs, in seconds: a page cache at the low end, a stalled disk at the high. */
const DURATION_BUCKETS = [0.0001, 0.001, 0.005, 0.02, 0.1, 0.5, 2, 10];

/** Upper bounds of the canary's round trip, in seconds. */
const ROUND_TRIP_BUCKETS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];

/** What each counter of the recorder is called, and what it counts. */
const COUNTERS: Record<keyof RecorderCounters, [name: string, help: string]> = {
  received: ["flightlog_messages_received_total", "Messages that arrived from NATS"],
  recorded: ["flightlog_lines_recorded_total", "Lines handed to the archive"],
  rejected: ["flightlog_messages_rejected_total", "Messages that are no Fly record, recorded in an envelope"],
  filtered: ["flightlog_messages_filtered_total", "Messages left out on purpose"],
  empty: ["flightlog_messages_empty_total", "Messages without a payload"],
  dropped: ["flightlog_messages_dropped_total", "Messages lost because nothing could hold them"],
  bytes: ["flightlog_received_bytes_total", "Payload bytes that arrived from NATS"],
};

/** Where lines are brought back from: another recorder, or Fly's own store. */
export type HealingSourceKind = "peer" | "fly";

/** What metrics are read from. */
export interface MetricsSources {
  /** The days, and what waits for the disk. */
  archive: Pick<Archive, "days" | "held" | "waitingBytes">;
  /** The counters and the state of the session. */
  recorder: Pick<Recorder, "status">;
  /** What came of reading the archive back. */
  scrub: Pick<Scrub, "status">;
  /** The gaps of the ledger, which are counted by cause and state. */
  gaps: GapSource;
  /** How many gaps wait to be healed. Default: none. */
  healDue?(): number;
  /** Now is where a gap ends that lasts. */
  clock: Pick<Clock, "now">;
  /** How much may wait for the disk. */
  config: Pick<Config, "bufferLimitBytes">;
  /** Measures the volume under the archive; asked at each scrape. */
  volumeUsage(): Promise<VolumeUsage>;
}

/** The metrics of one process. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #writes: Histogram;
  readonly #syncs: Histogram;
  readonly #roundTrips: Histogram;
  readonly #sessions: Counter;
  readonly #healedLines: Counter<"source">;
  readonly #answers: Counter<"method" | "status">;

  constructor() {
    this.#writes = this.#histogram(
      "flightlog_write_duration_seconds",
      "Writes to a day's file",
      DURATION_BUCKETS,
    );
    this.#syncs = this.#histogram(
      "flightlog_sync_duration_seconds",
      "fdatasyncs of a day's file",
      DURATION_BUCKETS,
    );
    this.#roundTrips = this.#histogram(
      "flightlog_canary_round_trip_seconds",
      "The way of a line from this process's stdout through Fly and back",
      ROUND_TRIP_BUCKETS,
    );
    const registers = [this.#registry];
    this.#sessions = new Counter({
      name: "flightlog_sessions_total",
      help: "Sessions that the server confirmed",
      registers,
    });
    this.#healedLines = new Counter({
      name: "flightlog_healed_lines_total",
      help: "Lines of gaps that were brought back, by where they came from",
      labelNames: ["source"],
      registers,
    });
    // From the first scrape on, so that the first lines are an increase.
    for (const source of ["peer", "fly"] as const) this.#healedLines.inc({ source }, 0);
    this.#answers = new Counter({
      name: "flightlog_http_answers_total",
      help: "Answers of the API",
      labelNames: ["method", "status"],
      registers,
    });
  }

  /** Has the numbers that others keep read from them from now on. */
  connect(sources: MetricsSources): void {
    const { archive, recorder, gaps, healDue, clock, scrub, config, volumeUsage } = sources;
    for (const [counter, [name, help]] of Object.entries(COUNTERS)) {
      this.#growing(name, help, () => recorder.status().counters[counter as keyof RecorderCounters]);
    }
    this.#value(
      "flightlog_recording",
      "1 while lines are recorded",
      () => recorder.status().state === "recording" ? 1 : 0,
    );
    this.#value(
      "flightlog_line_lag_seconds",
      "How long the last line was on its way",
      () => (recorder.status().lagMs ?? NaN) / 1000,
    );
    this.#value(
      "flightlog_last_line_timestamp_seconds",
      "When the last line arrived",
      () => (recorder.status().lastLineMs ?? NaN) / 1000,
    );
    this.#value("flightlog_buffer_bytes", "Bytes that wait for the disk", () => archive.waitingBytes);
    this.#value("flightlog_buffer_limit_bytes", "How many may wait", () => config.bufferLimitBytes);
    this.#value(
      "flightlog_held_lines",
      "Lines that were received and cannot be read, since the disk does not take them",
      () => archive.held()?.lines ?? 0,
    );
    this.#value("flightlog_archive_days", "Days in the archive", () => archive.days().length);
    this.#value(
      "flightlog_archive_sealed_days",
      "Sealed days in the archive",
      () => archive.days().filter(({ sealed }) => sealed).length,
    );
    this.#value(
      "flightlog_scrub_damaged",
      "Places in the archive that were found damaged and could not be put right",
      () => scrub.status().damaged.length,
    );
    this.#value(
      "flightlog_scrub_finished_timestamp_seconds",
      "When every day had last been read back",
      () => (scrub.status().lastFinishedMs ?? NaN) / 1000,
    );
    this.#gapCounter(gaps);
    this.#gapSeconds(gaps, clock);
    this.#value("flightlog_heal_due", "Gaps that wait to be healed", () => healDue?.() ?? 0);
    // A broken disk is what metrics are looked at for; it must not break them.
    const usage = () => volumeUsage().catch(() => ({ totalBytes: NaN, availableBytes: NaN }));
    this.#value("flightlog_disk_size_bytes", "Size of the volume", async () => (await usage()).totalBytes);
    this.#value(
      "flightlog_disk_available_bytes",
      "Room on the volume",
      async () => (await usage()).availableBytes,
    );
  }

  /** Notes how long a write or a sync took, in milliseconds. */
  noteTiming(what: "write" | "sync", durationMs: number): void {
    (what === "write" ? this.#writes : this.#syncs).observe(durationMs / 1000);
  }

  /** Notes the way of a canary, in milliseconds. */
  noteRoundTrip(roundTripMs: number): void {
    this.#roundTrips.observe(roundTripMs / 1000);
  }

  /** Notes that a session began. */
  noteSession(): void {
    this.#sessions.inc();
  }

  /** Notes that so many lines of a gap were brought back. */
  noteHealed(source: HealingSourceKind, lines: number): void {
    this.#healedLines.inc({ source }, lines);
  }

  /** Notes an answer of the API. */
  noteAnswer(method: string, status: number): void {
    this.#answers.inc({ method: METHODS.has(method) ? method : "other", status });
  }

  /** The text format, and its media type. */
  async exposition(): Promise<{ text: string; contentType: string }> {
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.#registry] });
  }

  #value(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await read());
      },
    });
  }

  #growing(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  #gapCounter(gaps: GapSource): void {
    new Gauge({
      name: "flightlog_gaps",
      help: "Gaps in the ledger, by cause and state",
      labelNames: ["cause", "state"],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const cause of GAP_CAUSES) this.set({ cause, state: "open" }, 0);
        for (const { cause, state } of gaps.touching(-Infinity, Infinity)) this.inc({ cause, state });
      },
    });
  }

  #gapSeconds(gaps: GapSource, clock: Pick<Clock, "now">): void {
    new Gauge({
      name: "flightlog_gap_seconds",
      help: "Seconds that lie in gaps of the ledger, by state; those in several of one state count once",
      labelNames: ["state"],
      registers: [this.#registry],
      collect() {
        const ofState = new Map<string, Gap[]>(GAP_STATES.map((state) => [state, []]));
        for (const gap of gaps.touching(-Infinity, Infinity)) ofState.get(gap.state)!.push(gap);
        for (const [state, found] of ofState) {
          this.set({ state }, timeInGaps(found, -Infinity, clock.now()) / 1000);
        }
      },
    });
  }
}

/** Methods are labels, and a client can make up any. */
const METHODS = new Set(["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]);
