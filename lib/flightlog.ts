/**
 * Promises the one order in which the parts of a recorder are built, started and stopped, so that no line that was taken
 * is lost by it, and that what could not be kept is known at the next start.
 *
 * **Start.** The archive is opened first, since it takes the lock of the directory and repairs what a crash has left. The
 * caller can serve what is there before recording starts.
 *
 * **Stop.** Each step rests on the one before:
 *
 * 1. What the caller has around it, such as HTTP servers, begins to shut down: nobody new comes.
 * 2. The recorder takes what the source has sent until now. The gap of the stop begins.
 * 3. The archive writes and syncs these lines, and the source is told that they are safe. Whoever reads can read on.
 * 4. The followers get these lines, and their streams end.
 * 5. The ledger has the gap of the stop on the disk.
 * 6. The heartbeat moves to the present, but only if steps 3 and 5 have brought everything to the disk. Otherwise it stays
 *    where it was, and the next start begins a gap there.
 * 7. When the answers under way have ended, the archive ends its readers and gives the lock back.
 *
 * @module
 */

import { Archive, type ArchiveOptions } from "./archive/archive.ts";
import { Scrub } from "./archive/repair/scrub.ts";
import type { Config } from "./config/config.ts";
import { Followers } from "./follow/followers.ts";
import { HeartbeatFiles } from "./gaps/heartbeat_files.ts";
import { GapLedger } from "./gaps/ledger.ts";
import { RecordedSpan } from "./gaps/recorded_span.ts";
import { spanBefore } from "./heal/fly/days_before.ts";
import { FlyHealer } from "./heal/fly/fly_healer.ts";
import { Healer, type HealerOptions } from "./heal/healer.ts";
import type { ResolveName } from "./heal/peers/peer_addresses.ts";
import { PeerHealer } from "./heal/peers/peer_healer.ts";
import { Recorder, type RecorderOptions } from "./recorder/recorder.ts";

/** See {@linkcode Flightlog.open}. */
export interface FlightlogOptions
  extends
    Pick<ArchiveOptions, "memory" | "readWorkers" | "onTiming" | "openFile" | "onLockLost">,
    Pick<
      RecorderOptions,
      "source" | "clock" | "logger" | "print" | "onSession" | "onRoundTrip" | "askAfterMs"
    > {
  /** Where the archive lies, how long it is kept, which lines are recorded, and who is asked for those that are missing. */
  config: Config;
  /** Tells this run of the program from every other, for peers that ask. */
  instance: string;
  /** Looks up the addresses of peers; `Deno.resolveDns`. */
  resolve: ResolveName;
  /** See {@linkcode HealerOptions.onHealed}. */
  onHealed?: HealerOptions["onHealed"];
}

/** A recorder with everything that it needs. */
export class Flightlog {
  /** The days. */
  readonly archive: Archive;
  /** The gaps since the first start. */
  readonly ledger: GapLedger;
  /** The gaps, the time before the first start too. */
  readonly gaps: RecordedSpan;
  /** Where the heartbeat is left. */
  readonly heartbeatFiles: HeartbeatFiles;
  /** What records. */
  readonly recorder: Recorder;
  /** What brings back lines that are missing. */
  readonly healer: Healer;
  /** What reads the archive back. */
  readonly scrub: Scrub;
  /** Those who follow what is recorded. */
  readonly followers: Followers;

  private constructor(archive: Archive, options: FlightlogOptions) {
    const { config, clock, logger, memory, onHealed } = options;
    const { logDir: directory } = config;
    this.archive = archive;
    const ledger = this.ledger = GapLedger.open(directory, { clock, logger });
    archive.onLoss((span) => ledger.cover("disk", [span]));
    const heartbeatFiles = this.heartbeatFiles = new HeartbeatFiles(directory);
    this.recorder = new Recorder({ ...options, archive, gaps: ledger, heartbeatFiles });
    const peers = config.peers.length === 0 ? null : new PeerHealer({
      ...options,
      archive,
      lagMs: () => this.recorder.status().lagMs ?? 0,
    });
    const fly = FlyHealer.of(config, archive, clock);
    const gaps = this.gaps = new RecordedSpan({ ledger, archive, clock });
    this.healer = new Healer({ ledger, gaps, archive, peers, fly, clock, logger, onHealed });
    if (this.healer.hasSource && isNew(archive, ledger)) {
      ledger.onChange((gap, was) => {
        if (gap.cause === "start" && was === null) {
          ledger.noteBefore(spanBefore(gap.sinceMs, config.retentionDays));
        }
      });
    }
    this.scrub = new Scrub(directory, { archive, clock, logger });
    this.followers = new Followers({ archive, gaps, clock, logger, memory });
  }

  /**
   * Opens the archive and builds everything on it. Records nothing before {@linkcode Flightlog.start}.
   *
   * @throws {Error} As {@linkcode Archive.open}.
   */
  static async open(options: FlightlogOptions): Promise<Flightlog> {
    const { config, clock, logger, memory, readWorkers, onTiming, openFile, onLockLost } = options;
    const archive = await Archive.open({
      ...{ ...config, directory: config.logDir, clock, logger, memory, readWorkers, onTiming, openFile },
      onLockLost,
    });
    return new Flightlog(archive, options);
  }

  /** Begins to record, to bring back what is missing, and to read back what was recorded. */
  start(): void {
    this.recorder.start();
    this.healer.start();
    this.scrub.start();
  }

  /**
   * Stops everything in the order that the module's comment tells. `shutDownAround` begins to shut down what asks these
   * parts, and resolves when nothing asks any more. Returns how many lines could not be written.
   *
   * @throws What `shutDownAround` rejects with, when everything is stopped.
   */
  async stop(shutDownAround: () => Promise<unknown> = () => Promise.resolve()): Promise<number> {
    const around = shutDownAround();
    around.catch(() => {}); // it is awaited below, and lines come first
    const healed = this.healer.stop(); // what is being inserted is begun anew at the next start
    await this.recorder.stop();
    const scrubbed = this.scrub.stop(); // a piece that is being read ends with the archive's tasks
    const unwritten = await this.archive.stop();
    await this.followers.close();
    // After the ledger and the archive: a heartbeat says that all lines and all gaps up to its moment are on the disk.
    if (await this.ledger.close() && await this.archive.sync()) await this.recorder.leave();
    try {
      await Promise.all([around, scrubbed, healed]);
    } finally {
      await this.archive.close();
    }
    return unwritten;
  }
}

/** Whether nothing was ever recorded: then other copies may have the days before the start. */
function isNew(archive: Archive, ledger: GapLedger): boolean {
  return ledger.lastId === 0 && archive.oldestDay() === null && archive.newestRemovedDay() === null;
}
