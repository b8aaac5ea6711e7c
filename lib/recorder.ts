/**
 * Promises that recording never stops: one session follows the other for ever, whatever ends them, and
 * every span between two is a gap in the ledger, from the last moment that is known good.
 *
 * @module
 */

import type { AliveMark } from "./archive/alive_mark.ts";
import { ALIVE_INTERVAL_MS } from "./archive/alive_mark.ts";
import type { Archive } from "./archive/archive.ts";
import type { GapLedger } from "./archive/gap_ledger.ts";
import { Backoff, LONGEST_WAIT_MS } from "./backoff.ts";
import { Canary } from "./canary.ts";
import { type Cancel, type Clock, sleep } from "./clock.ts";
import { ClockJumps } from "./clock_jumps.ts";
import type { Config } from "./config.ts";
import type { GapCause } from "./gap.ts";
import { Intake } from "./intake.ts";
import { LineRules } from "./line_rules.ts";
import type { Logger } from "./logger.ts";
import { openSession, type Session, type Subscription } from "./nats/session.ts";
import { type EndKind, type SessionEnd, SessionError } from "./nats/session_end.ts";
import type { Readiness, RecorderState, RecorderStatus } from "./status.ts";

/** A session that lasted this long resets the backoff, in milliseconds. */
export const HEALTHY_MS = 60_000;

/**
 * Lines come in the order in which servers carry them, not in that of their timestamps: one that is lost may
 * have been on its way longer than any that came, by this much in milliseconds. Gaps start earlier by it.
 */
export const GAP_MARGIN_MS = 1000;

/** Lines that arrive while a pause of reading takes effect: a socket buffer of the session's and one message. */
const OVERSHOOT_BYTES = 4 * 1024 * 1024;

/** See {@linkcode Recorder}. */
export interface RecorderOptions {
  /** Where from, which lines, and how long to wait. */
  config: Config;
  /** Takes the lines. */
  archive: Archive;
  /** Takes the spans in which lines may be missing. */
  gaps: GapLedger;
  /** Keeps the moment up to which nothing is missing, for after a crash. */
  alive: AliveMark;
  /** Goes for every wait and every gap. */
  clock: Clock;
  /** Takes the beginnings and the ends of sessions. */
  logger: Logger;
  /** Prints the canary; see there. */
  print(line: string): void;
  /** Hears of each session that begins. */
  onSession?(): void;
  /** Hears of each canary that comes back. */
  onRoundTrip?(roundTripMs: number): void;
  /** For tests: sessions with other times. Default: {@linkcode openSession}. */
  openSession?: typeof openSession;
}

/** The supervised subscriber task. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #intake: Intake;
  readonly #canary: Canary | null;
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff();
  readonly #jumps: ClockJumps;
  #state: RecorderState = "connecting";
  #sinceMs: number;
  #session: Session | null = null;
  #paused = false;
  #dropping: GapCause | null = null;
  #lastError: RecorderStatus["lastError"] = null;
  #running: Promise<void> | null = null;
  #cancels: Cancel[] = [];
  #movingMark: Promise<void> | null = null;

  /** Records nothing before {@linkcode Recorder.start}. */
  constructor(options: RecorderOptions) {
    this.#options = options;
    const { config, clock } = options;
    this.#sinceMs = clock.now();
    this.#jumps = new ClockJumps(clock);
    this.#intake = new Intake({
      archive: options.archive,
      clock,
      rules: new LineRules({ ...config, ownApp: config.app }),
      hasRoom: () => this.#hasRoom(),
      onDrop: () => this.#beginDropping(),
    });
    this.#canary = config.canaryIntervalMs === null ? null : new Canary({
      intervalMs: config.canaryIntervalMs,
      clock,
      print: options.print,
      onMissed: () => this.#session?.end("stall", "Stream stalled: two canaries in a row did not come back"),
      onReturn: options.onRoundTrip,
    });
  }

  /** Begins to record, and to write down what was missed since the last time. */
  start(): void {
    const { archive, clock } = this.#options;
    const marking = this.#noteMissedTime();
    this.#cancels.push(
      archive.onChange(() => this.#followArchive()),
      clock.every(ALIVE_INTERVAL_MS, () => {
        this.#moveMark();
        this.#intake.forgetOldLags();
      }),
    );
    this.#running = marking.then(() => this.#run());
  }

  /**
   * Takes what the server has sent until now and stops. What was recorded is not synced by this: closing
   * the archive is.
   */
  async stop(): Promise<void> {
    const { gaps, clock } = this.#options;
    const session = this.#session;
    this.#stopping.abort();
    if (session !== null) {
      const beforeMs = clock.now();
      const end = await session.stop();
      // What came meanwhile vouches for nothing: the server may have left out others by then.
      if (end.kind === "stop") gaps.begin("stop", Math.min(beforeMs - GAP_MARGIN_MS, this.#lastGoodMs(end)));
    }
    await this.#running;
    // Not before: a session that is held back must be let go on to its end as the archive drains.
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#enter("stopped");
  }

  /** The recorder as it is now. */
  status(): RecorderStatus {
    return {
      state: this.#dropping !== null || this.#options.archive.trouble !== null ? "holding" : this.#state,
      sinceMs: this.#sinceMs,
      server: this.#options.config.server.redacted,
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
    else if (this.#dropping !== null) {
      reasons.push("Lines are dropped: they come faster than the disk takes them.");
    }
    if (this.#state !== "recording") {
      const why = this.#lastError === null ? "" : ` ${this.#lastError.message}.`;
      reasons.push(`There is no session with ${this.#options.config.server.redacted}: ${this.#state}.${why}`);
    }
    return { ready: reasons.length === 0, reasons };
  }

  /**
   * What was not recorded before this process: after a crash from the mark on, else since it was stopped. Where
   * there never was a mark, resolves when there is one: a crash from then on has a start.
   */
  async #noteMissedTime(): Promise<void> {
    const { gaps, alive, clock, logger } = this.#options;
    const nowMs = clock.now();
    const markMs = alive.read();
    const openMs = gaps.open.reduce((first, { sinceMs }) => Math.min(first, sinceMs), Infinity);
    if (markMs !== null) {
      // A mark in the future is of a clock that was set back since.
      if (markMs < openMs) gaps.begin("crash", Math.min(markMs, nowMs));
      return;
    }
    // A ledger without a mark: the mark was lost, and what is known is that the last gap has ended.
    const lastMs = gaps.latest()?.untilMs ?? null;
    if (openMs === Infinity && lastMs === null) gaps.begin("start", nowMs);
    if (openMs === Infinity && lastMs !== null) gaps.begin("crash", Math.min(lastMs, nowMs));
    try {
      await alive.move(Math.min(openMs, lastMs ?? nowMs, nowMs));
    } catch (error) {
      logger.log("error", "mark of life not moved", { reason: (error as Error).message });
    }
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
      await sleep(this.#options.clock, end.kind === "refused" ? LONGEST_WAIT_MS : waitMs, signal);
    }
  }

  /** Runs one session to its end; null when it was stopped on purpose. */
  async #runSession(signal: AbortSignal): Promise<Pick<SessionEnd, "kind" | "message"> | null> {
    const { clock, gaps } = this.#options;
    let session: Session;
    try {
      session = await (this.#options.openSession ?? openSession)({
        server: this.#options.config.server,
        name: "flightlog",
        subscriptions: this.#subscriptions(),
        clock,
      }, signal);
    } catch (error) {
      if (signal.aborted) return null;
      const reason = error instanceof SessionError ? error.kind : "protocol";
      const kind = reason === "unreachable" ? "disconnect" : reason;
      if (causeOf(kind) === "refused") gaps.begin("refused", clock.now());
      return { kind, message: (error as Error).message };
    }
    if (signal.aborted) {
      await session.stop();
      return null;
    }
    this.#session = session;
    this.#paused = false;
    const undo = this.#watch(session);
    const end = await session.ended;
    undo();
    this.#session = null;
    if (end.kind === "stop") return null;
    gaps.begin(causeOf(end.kind), this.#lastGoodMs(end));
    return end;
  }

  /** What is done while a session lasts; gives what undoes it. */
  #watch(session: Session): Cancel {
    const { clock, gaps, config, logger, onSession } = this.#options;
    const causes = this.#dropping === null ? undefined : NOT_RECORDING;
    gaps.end(this.#jumps.latest(clock.now()), causes);
    this.#jumps.forget();
    this.#enter("recording");
    onSession?.();
    logger.log("info", "recording", {
      server: this.#options.config.server.redacted,
      subject: config.subject,
    });
    const cancels = [clock.after(HEALTHY_MS, () => this.#backoff.reset())];
    this.#canary?.start();
    cancels.push(() => this.#canary?.stop());
    if (config.stallAfterMs !== null) cancels.push(this.#watchForStall(session, config.stallAfterMs));
    this.#followArchive();
    this.#moveMark();
    return () => {
      for (const cancel of cancels) cancel();
    };
  }

  /** Ends the session once no line has come for `stallAfterMs`. */
  #watchForStall(session: Session, stallAfterMs: number): Cancel {
    const { clock } = this.#options;
    const { counters } = this.#intake;
    let received = counters.received;
    let cancel = clock.after(stallAfterMs, check);
    let sinceMs = clock.elapsed();
    function check(): void {
      if (counters.received === received) {
        return session.end("stall", `Stream stalled: no line within ${clock.elapsed() - sinceMs} ms`);
      }
      received = counters.received;
      sinceMs = clock.elapsed();
      cancel = clock.after(stallAfterMs, check);
    }
    return () => cancel();
  }

  #subscriptions(): Subscription[] {
    const { config } = this.#options;
    const subscriptions: Subscription[] = [{
      subject: config.subject,
      ...(config.queue === null ? {} : { queue: config.queue }),
      onMessage: (message) => this.#intake.take(message),
    }];
    if (this.#canary !== null) {
      subscriptions.push({
        subject: `logs.${config.app}.${config.region}.${config.machine}`,
        onMessage: (message) => this.#canary?.take(message.payload),
      });
    }
    return subscriptions;
  }

  /** The last moment up to which lines are known to be here, as {@linkcode Gap.sinceMs} of what follows. */
  #lastGoodMs(end: SessionEnd): number {
    if (end.kind !== "stall") return this.#knownGoodMs(end.lastGoodMs);
    // A PING is answered by the server beside the stream, and says nothing about that.
    return this.#knownGoodMs(this.#canary?.status.lastGoodMs ?? Math.min(this.#sinceMs, end.lastGoodMs));
  }

  /**
   * What is known to be here of lines: `answeredMs` is when something was asked for that came behind all lines
   * before it, and a line that came vouches for those before it. None is older than its longest way.
   */
  #knownGoodMs(answeredMs: number): number {
    const { lastTimedMs, largestLagMs } = this.#intake;
    const goodMs = Math.max(answeredMs, lastTimedMs ?? -Infinity) - largestLagMs - GAP_MARGIN_MS;
    return this.#jumps.earliest(goodMs);
  }

  #enter(state: RecorderState): void {
    this.#state = state;
    this.#sinceMs = this.#options.clock.now();
  }

  #hasRoom(): boolean {
    const { archive, config } = this.#options;
    const limit = config.bufferLimitBytes;
    if (archive.waitingBytes < limit) return true;
    this.#followArchive();
    return this.#paused && archive.waitingBytes < limit + OVERSHOOT_BYTES;
  }

  #beginDropping(): void {
    if (this.#dropping !== null) return;
    const { archive, gaps, clock } = this.#options;
    this.#dropping = archive.trouble === null ? "overflow" : "disk";
    gaps.begin(this.#dropping, this.#knownGoodMs(clock.now()));
  }

  /** Holds the source back while too much waits, and lets it go on when half of that is written. */
  #followArchive(): void {
    const { archive, config, gaps, clock } = this.#options;
    const isLow = archive.waitingBytes <= config.bufferLimitBytes / 2;
    if (isLow && this.#dropping !== null) {
      this.#dropping = null;
      gaps.end(this.#jumps.latest(clock.now()), ["overflow", "disk"]);
    }
    const session = this.#session;
    if (session === null || !session.canPause) return;
    // On a disk that fails reading goes on: what the server holds for a reader that pauses is less than this.
    const shouldPause = archive.trouble === null &&
      (this.#paused ? !isLow : archive.waitingBytes >= config.bufferLimitBytes);
    if (shouldPause === this.#paused) return;
    this.#paused = shouldPause;
    if (shouldPause) session.pause();
    else session.resume();
  }

  /** Moves the mark of life to the time up to which everything is known to be here, once it is on the disk. */
  #moveMark(): void {
    const session = this.#session;
    if (session === null || this.#movingMark !== null) return;
    const { archive, gaps, alive, logger } = this.#options;
    const markMs = this.#knownGoodMs(session.lastGoodMs);
    this.#movingMark = Promise.all([archive.sync(), gaps.flush()])
      .then(async () => {
        // Behind a session there is a gap, which may begin before; and a closed archive only seems to be synced.
        if (this.#session === session) await alive.move(markMs);
      })
      .catch((error) => logger.log("error", "mark of life not moved", { reason: (error as Error).message }))
      .finally(() => this.#movingMark = null);
  }
}

/** The causes that end when a session begins; those of the disk end when lines are taken again. */
const NOT_RECORDING: readonly GapCause[] = ["start", "stop", "crash", "disconnect", "stall", "refused"];

function causeOf(kind: EndKind): GapCause {
  if (kind === "stall") return "stall";
  return kind === "refused" || kind === "denied" ? "refused" : "disconnect";
}
