/**
 * Promises that recording never stops: one session follows the other for ever, whatever ends them, and
 * every span between two is a gap in the ledger, from the last moment that is known good.
 *
 * @module
 */

import type { AliveMark, KeptNote } from "./archive/alive_mark.ts";
import { ALIVE_INTERVAL_MS } from "./archive/alive_mark.ts";
import type { Archive } from "./archive/archive.ts";
import type { GapLedger } from "./archive/gap_ledger.ts";
import { Backoff, LONGEST_WAIT_MS } from "./backoff.ts";
import { Canary } from "./canary.ts";
import { type Cancel, type Clock, sleep } from "./clock.ts";
import type { Config } from "./config.ts";
import { type Gap, GAP_CAUSES, type GapCause, type Span } from "./gap.ts";
import { Intake } from "./intake.ts";
import { KeptMoments } from "./kept_moments.ts";
import { GAP_MARGIN_MS, KnownGood } from "./known_good.ts";
import { LineRules } from "./line_rules.ts";
import type { Logger } from "./logger.ts";
import { openSession, type Session, type Subscription } from "./nats/session.ts";
import { type EndKind, type SessionEnd, SessionError } from "./nats/session_end.ts";
import type { Readiness, RecorderState, RecorderStatus } from "./status.ts";
import { parseTimestamp, timestampMs } from "./timestamp.ts";

/** A session that lasted this long resets the backoff, in milliseconds. */
export const HEALTHY_MS = 60_000;

/** How often it is looked up to when everything is here, for after a kill, in milliseconds. */
export const LOOK_INTERVAL_MS = 100;

/** A server from which nothing came for this long is asked whether there was anything, in milliseconds. */
export const ASK_AFTER_MS = 400;

/** So long after a session has begun its lines may still show that the clock was wrong, in milliseconds. */
const RETURN_WATCH_MS = 10_000;

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
  /** For tests that count answers: null asks nothing. Default: {@linkcode ASK_AFTER_MS}. */
  askAfterMs?: number | null;
}

/** The supervised subscriber task. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #intake: Intake;
  readonly #canary: Canary | null;
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff();
  readonly #knownGood: KnownGood;
  readonly #kept = new KeptMoments();
  /** Up to when everything was here when a gap of this cause began that lasts, by {@linkcode Clock.elapsed}. */
  readonly #goodBefore = new Map<GapCause, number>();
  #state: RecorderState = "connecting";
  #sinceMs: number;
  #sinceElapsedMs: number;
  #session: Session | null = null;
  #paused = false;
  #dropping: GapCause | null = null;
  #lastError: RecorderStatus["lastError"] = null;
  #running: Promise<void> | null = null;
  #cancels: Cancel[] = [];
  #movingMark: Promise<void> | null = null;
  #noting: Promise<void> | null = null;
  #notedMs = -Infinity;
  #noteFails = false;
  #asked: Session | null = null;
  /** When the session began, by {@linkcode Clock.elapsed}, and the gaps that it has ended, as long as that is watched. */
  #return: { backMs: number; ended: { cause: GapCause; goodMs: number | null; sinceMs: number }[] } | null =
    null;

  /** Records nothing before {@linkcode Recorder.start}. */
  constructor(options: RecorderOptions) {
    this.#options = options;
    const { config, clock } = options;
    this.#sinceMs = clock.now();
    this.#sinceElapsedMs = clock.elapsed();
    this.#knownGood = new KnownGood(clock);
    this.#intake = new Intake({
      archive: options.archive,
      clock,
      rules: new LineRules({ ...config, ownApp: config.app }),
      hasRoom: () => this.#hasRoom(),
      onDrop: () => this.#beginDropping(),
      onLine: (elapsedMs, stampMs) => this.#knownGood.noteLine(elapsedMs, stampMs),
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
      archive.onChange(() => {
        this.#followArchive();
        if (this.#kept.isWaiting) this.#writeNote();
      }),
      clock.every(ALIVE_INTERVAL_MS, () => this.#moveMark()),
      clock.every(LOOK_INTERVAL_MS, () => this.#look()),
    );
    this.#running = marking.then(() => this.#run());
  }

  /**
   * Takes what the server has sent until now and stops. What was recorded is not synced by this: closing
   * the archive is.
   */
  async stop(): Promise<void> {
    const { clock } = this.#options;
    const session = this.#session;
    this.#stopping.abort();
    if (session !== null) {
      const beforeMs = clock.elapsed();
      const end = await session.stop();
      // What came meanwhile vouches for nothing: the server may have left out others by then.
      if (end.kind === "stop") this.#begin("stop", Math.min(beforeMs, this.#lastGoodMs(end)));
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
      const goodMs = Math.max(markMs, this.#keptMs(alive.readNote()));
      // What is in the future was told by another clock: whatever is right, the last line had come.
      const sinceMs = goodMs > nowMs ? Math.min(goodMs, this.#lastStampMs() ?? nowMs) : goodMs;
      if (goodMs < openMs) gaps.begin("crash", sinceMs);
      gaps.flush().then(() => alive.forgetNote()).catch((error) => this.#reportNote(error));
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

  /** What the note says, if the archive has all that it rests on; else -Infinity. */
  #keptMs(note: KeptNote | null): number {
    const { archive } = this.#options;
    if (note === null || archive.findings.some(({ damage }) => damage)) return -Infinity;
    const holds = note.days.every(({ day, bytes }) => (archive.day(day)?.bytes ?? -1) >= bytes);
    return holds ? note.sinceMs : -Infinity;
  }

  /** The latest timestamp of a line in the archive's last day, in milliseconds since 1970; null if it has none. */
  #lastStampMs(): number | null {
    const last = parseTimestamp(this.#options.archive.days()[0]?.last ?? "");
    return last === null ? null : timestampMs(last);
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
    const { clock } = this.#options;
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
      // Nothing was here before either, so there is nothing to begin earlier for.
      if (causeOf(kind) === "refused") this.#begin("refused", clock.elapsed() + GAP_MARGIN_MS);
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
    this.#begin(causeOf(end.kind), this.#lastGoodMs(end));
    return end;
  }

  /** What is done while a session lasts; gives what undoes it. */
  #watch(session: Session): Cancel {
    const { clock, config, logger, onSession } = this.#options;
    this.#return = { backMs: clock.elapsed(), ended: [] };
    this.#followReturn();
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
    this.#look();
    this.#moveMark();
    return () => {
      this.#return = null;
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

  /** The last moment up to which lines are known to be here, by {@linkcode Clock.elapsed}. */
  #lastGoodMs(end: SessionEnd): number {
    const { lineMs } = this.#knownGood;
    if (end.kind !== "stall") return Math.max(lineMs, end.lastGoodMs);
    // A PING is answered by the server beside the stream, and says nothing about that.
    return Math.max(lineMs, this.#canary?.goodMs ?? Math.min(this.#sinceElapsedMs, end.lastGoodMs));
  }

  /** A gap begins; everything up to `goodMs`, by {@linkcode Clock.elapsed}, is here. */
  #begin(cause: GapCause, goodMs: number): void {
    const { gaps } = this.#options;
    if (gaps.open.some((gap) => gap.cause === cause)) return;
    this.#goodBefore.set(cause, goodMs);
    gaps.begin(cause, this.#knownGood.sinceMs(goodMs));
  }

  /** What a gap has been that ends because everything from `backMs` on is here; nothing while that cannot be told. */
  #spansOf({ cause, sinceMs }: Pick<Gap, "cause" | "sinceMs">, backMs: number): Span[] {
    const goodMs = this.#goodBefore.get(cause);
    if (goodMs !== undefined) return this.#knownGood.spans(goodMs, backMs);
    // It began before this process. An end before its beginning is told by a clock that is wrong.
    const untilMs = this.#knownGood.untilMs(backMs);
    return untilMs > sinceMs ? [{ sinceMs, untilMs }] : [];
  }

  /**
   * Ends the gaps that a session ends. Where a clock was wrong, that is known as its first lines come: until then
   * a gap may have to last on, or be told to have lasted longer.
   */
  #followReturn(): void {
    const watched = this.#return;
    if (watched === null) return;
    const { gaps, clock } = this.#options;
    const { backMs, ended } = watched;
    for (const { cause, goodMs, sinceMs } of ended) {
      const spans = goodMs === null
        ? [{ sinceMs, untilMs: this.#knownGood.untilMs(backMs) }]
        : this.#knownGood.spans(goodMs, backMs);
      gaps.cover(cause, spans);
    }
    const causes = this.#dropping === null ? GAP_CAUSES : NOT_RECORDING;
    gaps.end((gap) => {
      const spans = this.#spansOf(gap, backMs);
      if (spans.length > 0) {
        ended.push({
          cause: gap.cause,
          goodMs: this.#goodBefore.get(gap.cause) ?? null,
          sinceMs: gap.sinceMs,
        });
        this.#goodBefore.delete(gap.cause);
      }
      return spans;
    }, causes);
    const isOver = clock.elapsed() - backMs > RETURN_WATCH_MS && this.#knownGood.lineMs > backMs;
    if (isOver && !gaps.open.some(({ cause }) => causes.includes(cause))) this.#return = null;
  }

  #enter(state: RecorderState): void {
    this.#state = state;
    this.#sinceMs = this.#options.clock.now();
    this.#sinceElapsedMs = this.#options.clock.elapsed();
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
    const { archive, clock } = this.#options;
    this.#dropping = archive.trouble === null ? "overflow" : "disk";
    // What a disk that fails has not taken stays in memory, where nobody can read it.
    const isHeld = this.#dropping === "disk" && this.#kept.written !== null;
    this.#begin(this.#dropping, isHeld ? this.#kept.written!.goodMs : clock.elapsed());
  }

  /** Holds the source back while too much waits, and lets it go on when half of that is written. */
  #followArchive(): void {
    const { archive, config, gaps, clock } = this.#options;
    const isLow = archive.waitingBytes <= config.bufferLimitBytes / 2;
    if (isLow && this.#dropping !== null) {
      this.#dropping = null;
      const backMs = clock.elapsed();
      gaps.end((gap) => this.#spansOf(gap, backMs), DROPPING);
      for (const cause of DROPPING) this.#goodBefore.delete(cause);
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

  /** Looks up to when everything is here, and how far the archive has come with it. */
  #look(): void {
    this.#knownGood.look();
    const session = this.#session;
    if (session === null) return;
    // While a canary is overdue the stream may be dead, and a server answers beside it.
    if ((this.#canary?.status.missed ?? 0) === 0) this.#knownGood.noteAnswer(session.lastGoodMs);
    this.#followReturn();
    this.#kept.look(this.#knownGood.goodMs, this.#options.archive.ends());
    this.#writeNote();
    this.#ask(session);
  }

  /** Asks a server from which nothing has come for a while whether there was anything; at most once at a time. */
  #ask(session: Session): void {
    const { clock, askAfterMs = ASK_AFTER_MS } = this.#options;
    if (askAfterMs === null || this.#paused || this.#asked === session) return;
    if (clock.elapsed() - this.#knownGood.goodMs < askAfterMs) return;
    this.#asked = session;
    session.ask().finally(() => {
      if (this.#asked === session) this.#asked = null;
    });
  }

  /** Writes down up to when everything is in the files, and what that rests on. */
  #writeNote(): void {
    const session = this.#session;
    if (session === null || this.#noting !== null) return;
    const { archive, gaps, alive } = this.#options;
    this.#kept.follow(archive.ends());
    const moment = this.#kept.written;
    if (moment === null || moment.goodMs <= this.#notedMs) return;
    const days = moment.ends
      .filter(({ appended, synced }) => appended > synced)
      .map(({ day, appended }) => ({ day, bytes: appended }));
    const sinceMs = this.#knownGood.sinceMs(moment.goodMs);
    this.#noting = gaps.flush()
      .then(async () => {
        // After a session there is a gap, which may begin before.
        if (this.#session !== session) return;
        await alive.note({ sinceMs, days });
        this.#notedMs = moment.goodMs;
        this.#noteFails = false;
      })
      .catch((error) => this.#reportNote(error))
      .finally(() => this.#noting = null);
  }

  #reportNote(error: unknown): void {
    if (this.#noteFails) return;
    this.#noteFails = true; // it is tried many times a second
    this.#options.logger.log("error", "mark of life not noted", { reason: (error as Error).message });
  }

  /** Moves the mark of life to the time up to which everything is known to be here, once it is on the disk. */
  #moveMark(): void {
    const session = this.#session;
    if (session === null || this.#movingMark !== null) return;
    const { archive, gaps, alive, logger } = this.#options;
    const markMs = this.#knownGood.sinceMs(Math.max(this.#knownGood.goodMs, session.lastGoodMs));
    this.#movingMark = Promise.all([archive.sync(), gaps.flush()])
      .then(async () => {
        // Behind a session there is a gap, which may begin before; and a closed archive only seems to be synced.
        if (this.#session === session) await alive.move(markMs);
      })
      .catch((error) => logger.log("error", "mark of life not moved", { reason: (error as Error).message }))
      .finally(() => this.#movingMark = null);
  }
}

/** The causes that end when lines are taken again. */
const DROPPING: readonly GapCause[] = ["overflow", "disk"];

/** The causes that end when a session begins; those of the disk end when lines are taken again. */
const NOT_RECORDING: readonly GapCause[] = ["start", "stop", "crash", "disconnect", "stall", "refused"];

function causeOf(kind: EndKind): GapCause {
  if (kind === "stall") return "stall";
  return kind === "refused" || kind === "denied" ? "refused" : "disconnect";
}
