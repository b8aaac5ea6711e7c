/**
 * Promises to bring back from Fly's own store what is missing of a span, once each, and to say truly whether that was all.
 *
 * **What is asked for.** Each app that exists or that the last eight days have lines of, one after another, from a little before
 * to a little after the gap (overlap_bounds.ts). What is before and after is here as well, so it proves whether the source is whole (proof.ts), and
 * is never inserted.
 *
 * **Slices.** A long span is gone through hour by hour, oldest first. The lines of an hour are inserted at once, whichever app
 * they are of, and what was done is told. What is read of an hour is in memory piece by piece (fly_piece.ts), and what is
 * missing of it waits on the disk. If it ends in the middle, the rest can be done later, from where it was.
 *
 * Example: 7 days are 168 slices. The program is stopped in the 100th. The first 99 are inserted, and it was told so; of the
 * 100th nothing is. It goes on with the 100th.
 *
 * @module
 */

import type { Archive } from "../../archive/archive.ts";
import { EVERY_LINE } from "../../archive/read/line_chunk.ts";
import { planRanges } from "../../archive/read/plan.ts";
import type { Clock } from "../../clock.ts";
import type { Config, FlyAccess } from "../../config/config.ts";
import type { Span } from "../../gaps/gap.ts";
import { NoRoom } from "../../machine/memory_budget.ts";
import { timestampFromMs } from "../../timestamp.ts";
import { FlyApi } from "./fly_api.ts";
import type { FlyApiError } from "./fly_api_error.ts";
import { FlyApps, MACHINES_PACE } from "./fly_apps.ts";
import { FlyComparison } from "./fly_comparison.ts";
import type { PieceLimits } from "./fly_piece.ts";
import { FlyReader } from "./fly_reader.ts";
import { FLY_KEEPS_MS } from "../heal_plan.ts";
import { HEALED_BY_FLY } from "./fly_record.ts";
import { FlySlices, type HealProgress, type LineInserter } from "./fly_slices.ts";
import { type FoundApps, KnownApps } from "./known_apps.ts";
import type { SourceOutcome } from "../outcome.ts";
import type { FlySource } from "../source.ts";
import { chooseOverlaps } from "./overlap_bounds.ts";
import { OverlapIdentities } from "./overlap_identities.ts";
import { eachOwnLine } from "./own_lines.ts";
import type { PaceLimit } from "./pace.ts";
import { WantedRows } from "./wanted_rows.ts";

/** How fast the logs API is asked: 400 lines a second at the most. Its own limit is not documented. */
export const LOGS_PACE: PaceLimit = { burst: 4, intervalMs: 250 };

/** An app that is gone may have printed lines of a gap if it printed some so long before or after it, in milliseconds. */
export const GONE_NEAR_MS: number = 60 * 60_000;

/** See {@linkcode FlyHealer}. */
export interface FlyHealerOptions {
  /** Where Fly's APIs are. */
  access: FlyAccess;
  /** What is here, and takes what is missing. */
  archive: Pick<Archive, "days" | "lines" | "untouched" | "wasRemoved"> & LineInserter;
  /** Where the archive lies. */
  directory: string;
  /** What is recorded here. */
  wanted: WantedRows;
  /** Tells what is too old, and goes for every wait. */
  clock: Clock;
  /** How much is done at once; for tests. */
  limits?: PieceLimits & { sliceLines?: number };
}

/** How a span is healed. */
export interface FlyHealOptions {
  /** Ends it. */
  signal?: AbortSignal;
  /** Everything of the span before this moment was done already, as {@linkcode HealProgress} told. Default: nothing. */
  fromMs?: number;
  /** What {@linkcode HealProgress} told of that. Default: null. */
  doubt?: string | null;
  /** Hears of each slice that is done. */
  onProgress?(progress: HealProgress): void;
}

/** What came of asking Fly. */
export interface FlyOutcome extends SourceOutcome {
  /**
   * How many lines Fly has of the span, or of the rest of it that was asked for, those that were here already among them. If it
   * is the same when asked again later, no late ones have come.
   */
  found: number;
  /** Whether it is no use to ask for this span again: Fly does not have it any more, or there is nobody to ask for. */
  isFinal: boolean;
}

/** Heals spans from Fly's logs API, one at a time. */
export class FlyHealer implements FlySource {
  readonly #options: FlyHealerOptions;
  readonly #logs: FlyApi;
  readonly #apps: FlyApps;
  readonly #known: KnownApps;
  #isHealing = false;
  /** How many rows the longest page had that was ever seen: what a full page is, is best known when many were seen. */
  #longestPage = 0;

  /**
   * Sends nothing yet.
   *
   * @throws {TypeError} If the token or a URL cannot be used; the configuration refuses such ones.
   */
  constructor(options: FlyHealerOptions) {
    const { access: { org, token, logsUrl, machinesUrl }, archive, clock } = options;
    this.#options = options;
    this.#logs = new FlyApi({ url: logsUrl, token, clock, pace: LOGS_PACE });
    this.#apps = new FlyApps(new FlyApi({ url: machinesUrl, token, clock, pace: MACHINES_PACE }));
    this.#known = new KnownApps({ apps: this.#apps, archive, org, clock });
  }

  /** The healer that the configuration asks for; null where it asks for none. */
  static of(config: Config, archive: FlyHealerOptions["archive"], clock: Clock): FlyHealer | null {
    const { healFromFly: access, logDir: directory } = config;
    if (access === null) return null;
    const wanted = new WantedRows({ ...config, ownApp: config.app });
    return new FlyHealer({ access, archive, directory, wanted, clock });
  }

  /** From which moment on Fly may still have lines, in milliseconds since 1970. */
  get oldestMs(): number {
    return Math.ceil(this.#options.clock.now()) - FLY_KEEPS_MS;
  }

  /**
   * Inserts what Fly has of `span` and is missing here. The state of what comes of it is about the whole span: `complete` only if
   * Fly was asked for all of it, from `fromMs` on, and all of the overlaps that are here is there, too.
   *
   * @throws {Error} If another span is being healed, if what is here cannot be read, or if lines cannot be inserted. What was
   * told to be done is done.
   * @throws The reason of `signal`, if it aborts; likewise.
   */
  async healSpan(span: Span, options: FlyHealOptions = {}): Promise<FlyOutcome> {
    if (this.#isHealing) throw new Error("Cannot heal two spans from Fly at once: wait for the first");
    this.#isHealing = true;
    try {
      return await this.#heal(span, options);
    } finally {
      this.#isHealing = false;
    }
  }

  async #heal(asked: Span, options: FlyHealOptions): Promise<FlyOutcome> {
    const { signal } = options;
    const { oldestMs } = this;
    const whole = { sinceMs: Math.floor(asked.sinceMs), untilMs: Math.ceil(asked.untilMs) };
    if (whole.untilMs <= oldestMs) {
      return nothing("Fly no longer has it: it keeps logs for about seven days", true);
    }
    const apps = await this.#known.find((app) => this.#options.wanted.mayHave(app), signal);
    if (apps.names.length === 0) {
      return nothing(apps.doubt ?? "No app of the organisation is recorded here", apps.doubt === null);
    }
    const gap = { ...whole, sinceMs: Math.max(whole.sinceMs, oldestMs) };
    try {
      return await this.#healFrom(apps, gap, { ...options, hasBefore: whole.sinceMs >= oldestMs });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof NoRoom) return nothing(wordsOf(error), false);
      throw error;
    }
  }

  async #healFrom(
    { names, doubt }: FoundApps,
    gap: Span,
    options: FlyHealOptions & { hasBefore: boolean },
  ): Promise<FlyOutcome> {
    const { archive, directory, wanted, clock, limits } = this.#options;
    const { signal, onProgress, hasBefore } = options;
    const overlaps = new OverlapIdentities();
    const reader = new FlyReader({
      ...{ logs: this.#logs, apps: this.#apps, wanted, names, limits, signal },
      longestPage: this.#longestPage,
    });
    const comparison = new FlyComparison({ archive, wanted, names, gap, overlaps, signal });
    const slices = new FlySlices({
      ...{ reader, comparison, overlaps, archive, directory, gap, onProgress, signal },
      linesLimit: limits?.sliceLines,
      doubt: options.doubt,
      oldestMs: () => this.oldestMs,
    });
    const { overlapMs, sinceMs, untilMs } = await chooseOverlaps({
      ...{ gap, hasBefore, nowMs: clock.now() },
      hasLines: (span) => this.#hasLines(span, names, signal),
    });
    const fromMs = Math.min(options.fromMs ?? -Infinity, gap.untilMs);
    const isResumed = fromMs > gap.sinceMs;
    if (!hasBefore && !isResumed) slices.noteTooOld(gap.sinceMs);
    const failure = (isResumed ? await slices.heal({ sinceMs, untilMs: gap.sinceMs }) : null) ??
      await slices.heal({ sinceMs: isResumed ? fromMs : sinceMs, untilMs });
    this.#longestPage = reader.longestPage;
    const proof = overlaps.prove(names, reader, overlapMs);
    const reasons = [
      failure && wordsOf(failure),
      failure !== null
        ? null
        : proof.state === "proven"
        ? await this.#goneNear(gap, reader.gone, signal)
        : `Not proven to be all: ${proof.reason}`,
      slices.tooOld,
      options.doubt ?? null,
      doubt,
      slices.skipped,
    ].filter((reason) => reason !== null);
    const isNothing = reader.answered === 0 || (failure !== null && slices.lines === 0);
    const state = reasons.length === 0 ? "complete" : isNothing ? "nothing" : "incomplete";
    const reason = reasons.length === 0 ? null : reasons.join("; ");
    return {
      source: HEALED_BY_FLY,
      lines: slices.lines,
      state,
      reason,
      found: comparison.rows,
      isFinal: false,
    };
  }

  /**
   * Why apps that are gone make it doubtful that nothing is missing; null where they do not: the last lines of one that went long
   * before the gap are not in it.
   */
  async #goneNear(
    gap: Span,
    gone: ReadonlySet<string>,
    signal: AbortSignal | undefined,
  ): Promise<string | null> {
    const { archive } = this.#options;
    const [since, until] = [gap.sinceMs - GONE_NEAR_MS, gap.untilMs + GONE_NEAR_MS].map(timestampFromMs);
    for (const app of gone) {
      const filter = { ...EVERY_LINE, since, until, apps: [app], timedOnly: true };
      using _slot = await archive.lines.reserve(signal);
      const ranges = planRanges(archive.days(), filter, { day: null, start: null });
      const request = { ranges, filter, style: "jsonl", events: null, limit: 1 } as const;
      for await (const { lines } of archive.lines.read(request)) {
        signal?.throwIfAborted();
        if (lines === 1) {
          return `App "${app}" had lines within an hour of it, and is gone, and its logs with it`;
        }
      }
    }
    return null;
  }

  /** Whether a line of these apps is here. */
  async #hasLines(span: Span, names: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
    const { archive, wanted } = this.#options;
    const asked = new Set(names);
    let hasLines = false;
    await eachOwnLine(archive, span, (line) => {
      hasLines = asked.has(line.app) && !wanted.leavesOut(line);
      return !hasLines;
    }, signal);
    return hasLines;
  }
}

function nothing(reason: string, isFinal: boolean): FlyOutcome {
  return { source: HEALED_BY_FLY, lines: 0, state: "nothing", reason, found: 0, isFinal };
}

function wordsOf(error: FlyApiError | NoRoom): string {
  return error instanceof NoRoom
    ? `There is no room in memory to compare lines, so try again later: ${error.message}`
    : error.message;
}
