/**
 * Promises that recording never stops: one session follows the other for ever, whatever ends them, and
 * every span between two is a gap in the ledger, from the last moment that is known good.
 *
 * @module
 */

import { HEARTBEAT_INTERVAL_MS, type HeartbeatFiles } from "../gaps/heartbeat_files.ts";
import type { Archive } from "../archive/archive.ts";
import type { GapLedger } from "../gaps/ledger.ts";
import { Backpressure, type DropCause } from "./backpressure.ts";
import { Backoff, LONGEST_WAIT_MS } from "../backoff.ts";
import { Canary } from "./canary.ts";
import { type Cancel, type Clock, sleep } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { Intake } from "./intake.ts";
import { GAP_MARGIN_MS, KnownGood } from "./known_good.ts";
import { ASK_AFTER_MS, LastGood } from "./last_good.ts";
import { Heartbeat } from "./heartbeat.ts";
import { LineRules } from "../filter/rules.ts";
import type { Logger } from "../logger.ts";
import {
  type Source,
  type SourceEnd,
  SourceError,
  type SourceFailure,
  type SourcePositions,
  type SourceSession,
} from "../source/source.ts";
import { Outages } from "./outages.ts";
import { SafePositions } from "./safe_positions.ts";
import { watchForStall } from "./stall_watch.ts";
import type { Readiness, RecorderState, RecorderStatus } from "./status.ts";

/** A session that lasted this long resets the backoff, in milliseconds. */
export const HEALTHY_MS = 60_000;

/** How often the recorder looks up to when everything is here, so that a kill is known to that, in milliseconds. */
export const LOOK_INTERVAL_MS = 100;

/** What a recorder reads of the configuration. */
export type RecorderConfig = Pick<
  Config,
  | "app"
  | "excludeApps"
  | "includeApps"
  | "excludeText"
  | "bufferLimitBytes"
  | "syncIntervalMs"
  | "canaryIntervalMs"
  | "stallAfterMs"
>;

/** See {@linkcode Recorder}. */
export interface RecorderOptions {
  /** Where the lines come from. */
  source: Source;
  /** Which lines, how many may wait, and how long to wait for one. */
  config: RecorderConfig;
  /** Takes the lines. */
  archive: Archive;
  /** Takes the spans in which lines may be missing. */
  gaps: GapLedger;
  /** Where the heartbeat is left: the moment up to which nothing is missing, for after a crash. */
  heartbeatFiles: HeartbeatFiles;
  /** The time, for every wait and every gap. */
  clock: Clock;
  /** Takes the beginnings and the ends of sessions. */
  logger: Logger;
  /** Prints the canary; see there. */
  print(line: string): void;
  /** Hears of each session that begins. */
  onSession?(): void;
  /** Hears of each canary that comes back. */
  onRoundTrip?(roundTripMs: number): void;
  /** For tests that count answers: null asks nothing. Default: {@linkcode ASK_AFTER_MS}. */
  askAfterMs?: number | null;
}

/** The supervised task that takes lines from a source. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #intake: Intake;
  readonly #canary: Canary | null;
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff();
  readonly #knownGood: KnownGood;
  readonly #outages: Outages;
  readonly #heartbeat: Heartbeat;
  readonly #backpressure: Backpressure;
  readonly #lastGood: LastGood;
  #state: RecorderState = "connecting";
  #sinceMs: number;
  #session: SourceSession | null = null;
  #lastError: RecorderStatus["lastError"] = null;
  #running: Promise<void> | null = null;
  #cancels: Cancel[] = [];
  /** The source of each session that has ended is being told what is safe. */
  #finishing: Promise<unknown> = Promise.resolve();

  /** Records nothing before {@linkcode Recorder.start}. */
  constructor(options: RecorderOptions) {
    this.#options = options;
    const { config, clock, source } = options;
    this.#sinceMs = clock.now();
    const knownGood = this.#knownGood = new KnownGood(clock);
    this.#outages = new Outages({ gaps: options.gaps, clock, knownGood });
    this.#heartbeat = new Heartbeat({
      ...options,
      knownGood,
      session: () => this.#session,
    });
    this.#backpressure = new Backpressure({
      archive: options.archive,
      limitBytes: config.bufferLimitBytes,
      onDropping: (cause) => this.#beginDropping(cause),
      onTaking: () => this.#outages.endDropping(),
    });
    this.#intake = new Intake({
      archive: options.archive,
      clock,
      rules: new LineRules({ ...config, ownApp: config.app }),
      backpressure: this.#backpressure,
      onLine: (elapsedMs, stampMs) => this.#knownGood.noteLine(elapsedMs, stampMs),
    });
    this.#canary = config.canaryIntervalMs === null || !source.hasEcho ? null : new Canary({
      intervalMs: config.canaryIntervalMs,
      clock,
      print: options.print,
      onMissed: () => this.#session?.endStalled("Stream stalled: two canaries in a row did not come back"),
      onReturn: options.onRoundTrip,
    });
    const { askAfterMs = ASK_AFTER_MS } = options;
    this.#lastGood = new LastGood({ knownGood, canary: this.#canary, clock, askAfterMs });
  }

  /** Begins to record, and to write down what was missed since the last time. */
  start(): void {
    const { archive, clock } = this.#options;
    const marking = this.#heartbeat.readPast();
    this.#cancels.push(
      archive.onChange(() => {
        this.#backpressure.follow();
        this.#heartbeat.followArchive();
      }),
      clock.every(HEARTBEAT_INTERVAL_MS, () => this.#moveMark()),
      clock.every(LOOK_INTERVAL_MS, () => this.#look()),
    );
    this.#running = marking.then(() => this.#run());
  }

  /**
   * Takes what the source has sent until now and stops. What was recorded is not synced by this: closing
   * the archive is.
   */
  async stop(): Promise<void> {
    const { clock } = this.#options;
    const session = this.#session;
    this.#stopping.abort();
    if (session !== null) {
      const beforeMs = clock.elapsed();
      const end = await session.stop();
      // The source stops sending at some moment after the call, and nobody is told when. So a line that comes while the
      // session stops does not prove that those published just before it were sent too: the gap begins at the call.
      if (end.cause === "stop") this.#outages.begin("stop", Math.min(beforeMs, this.#lastGood.goodMs(end)));
    }
    await this.#running;
    // Not earlier: while the archive writes what waits, a session that is paused has to be resumed to come to its end.
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#enter("stopped");
  }

  /**
   * Leaves the heartbeat that everything until now is on the disk, once the source has been told so; to be called after
   * {@linkcode stop}, when the archive and the ledger have said that it is.
   */
  async leave(): Promise<void> {
    await this.#finishing;
    await this.#heartbeat.leave();
  }

  /** The recorder as it is now. */
  status(): RecorderStatus {
    return {
      state: this.#backpressure.isDropping || this.#options.archive.trouble !== null
        ? "holding"
        : this.#state,
      sinceMs: this.#sinceMs,
      server: this.#options.source.name,
      counters: { ...this.#intake.counters },
      lagMs: this.#intake.lagMs,
      lastLineMs: this.#intake.lastLineMs,
      canary: this.#canary?.status ?? null,
      lastError: this.#lastError,
    };
  }

  /** Whether lines are recorded now, and why not. */
  readiness(): Readiness {
    const reasons: string[] = [];
    const { trouble } = this.#options.archive;
    if (trouble !== null) reasons.push(`The disk takes no lines: ${trouble}.`);
    else if (this.#backpressure.isDropping) {
      reasons.push("Lines are dropped: they come faster than the disk takes them.");
    }
    if (this.#state !== "recording") {
      const why = this.#lastError === null ? "" : ` ${this.#lastError.message}.`;
      reasons.push(`There is no session with ${this.#options.source.name}: ${this.#state}.${why}`);
    }
    return { ready: reasons.length === 0, reasons };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#enter("connecting");
      const end = await this.#runSession(signal);
      if (end === null || signal.aborted) return;
      this.#options.logger.log("error", "session ended", { kind: end.kind, reason: end.message });
      this.#lastError = { atMs: this.#options.clock.now(), message: end.message };
      this.#enter("waiting");
      const waitMs = this.#backoff.next();
      await sleep(this.#options.clock, end.needsHelp ? LONGEST_WAIT_MS : waitMs, signal);
    }
  }

  /** Runs one session to its end; null when it was stopped on purpose. */
  async #runSession(signal: AbortSignal): Promise<SourceFailure | null> {
    const { clock, source } = this.#options;
    const { dropped } = this.#intake.counters;
    let session: SourceSession;
    try {
      session = await source.open({
        onMessage: (message) => this.#intake.take(message),
        onEcho: (payload) => this.#canary?.take(payload),
      }, signal);
    } catch (error) {
      if (signal.aborted) return null;
      const failure = failureOf(error);
      // The gap that lasts already has all that was missed before, so this one begins at this moment.
      if (failure.cause === "refused") this.#outages.begin("refused", clock.elapsed() + GAP_MARGIN_MS);
      return failure;
    }
    if (signal.aborted) {
      await session.stop();
      return null;
    }
    this.#session = session;
    const undo = this.#watch(session, () => this.#intake.counters.dropped > dropped);
    const end: SourceEnd = await session.ended;
    undo();
    this.#session = null;
    this.#backpressure.end();
    if (end.cause === "stop") return null;
    this.#outages.begin(end.cause, this.#lastGood.goodMs(end));
    return end;
  }

  /** What is done while a session lasts; returns what undoes it. */
  #watch(session: SourceSession, hasDropped: () => boolean): Cancel {
    const { clock, config, logger, source, onSession } = this.#options;
    this.#outages.beginSession(this.#backpressure.isDropping);
    this.#lastGood.begin();
    this.#enter("recording");
    onSession?.();
    logger.log("info", "recording", source.details);
    const cancels = [clock.after(HEALTHY_MS, () => this.#backoff.reset())];
    this.#canary?.start();
    cancels.push(() => this.#canary?.stop());
    if (config.stallAfterMs !== null) {
      cancels.push(watchForStall({
        clock,
        stallAfterMs: config.stallAfterMs,
        countReceived: () => this.#intake.counters.received,
        onStall: (silentMs) => session.endStalled(`Stream stalled: no line within ${silentMs} ms`),
      }));
    }
    if (session.positions !== null) cancels.push(this.#tellPositions(session.positions, hasDropped));
    this.#backpressure.begin(session);
    this.#look();
    this.#moveMark();
    return () => {
      this.#outages.endSession();
      for (const cancel of cancels) cancel();
    };
  }

  /** Tells the source what is safe, no more often than the disk is synced anyway; and once more when the session ends. */
  #tellPositions(positions: SourcePositions, hasDropped: () => boolean): Cancel {
    const { archive, clock, config, logger } = this.#options;
    const safe = new SafePositions({ archive, positions, hasDropped });
    const onError = (error: unknown): void =>
      logger.log("error", "source not told what is safe", { reason: (error as Error).message });
    const cancel = clock.every(Math.max(config.syncIntervalMs, LOOK_INTERVAL_MS), () => {
      safe.look().catch(onError);
    });
    return () => {
      cancel();
      this.#finishing = Promise.all([this.#finishing, safe.finish().catch(onError)]);
    };
  }

  #enter(state: RecorderState): void {
    this.#state = state;
    this.#sinceMs = this.#options.clock.now();
  }

  #beginDropping(cause: DropCause): void {
    // What a disk that fails has not taken stays in memory, where nobody can read it: the gap begins where the text
    // in the files ends.
    const keptMs = cause === "disk" ? this.#heartbeat.keptMs : null;
    this.#outages.begin(cause, keptMs ?? this.#options.clock.elapsed());
  }

  #moveMark(): void {
    if (this.#session === null) return;
    this.#lastGood.noteAnswer(this.#session);
    this.#heartbeat.moveMark();
  }

  /** Looks up to when everything is here, and how far the archive has come with it. */
  #look(): void {
    this.#knownGood.look();
    const session = this.#session;
    if (session === null) return;
    this.#lastGood.noteAnswer(session);
    this.#outages.look(this.#backpressure.isDropping);
    this.#heartbeat.look();
    // A session that is held back does not read, also no answer.
    if (!this.#backpressure.isPaused) this.#lastGood.askIfSilent(session);
  }
}

/** Why a session could not be opened. An error of another class is a mistake in the source, which is tried again too. */
function failureOf(error: unknown): SourceFailure {
  if (error instanceof SourceError) return error.failure;
  return { cause: "disconnect", kind: "fault", message: (error as Error).message, needsHelp: false };
}
