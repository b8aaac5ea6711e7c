/**
 * Promises that other recorders are asked one after another for what is missing here, that what they have is here afterwards, once
 * each, and that of each it is said how far it can be relied on. None of them, down, slow, lying, full of gaps or of
 * another organisation, stops the others.
 *
 * **Not too early.** A line of this moment may be in one recorder and still on its way to the other. Brought back and then recorded, it
 * would be there twice. So nothing is looked at that is younger than {@linkcode SETTLED_MS}, and nothing at all while
 * lines that came wait for the disk.
 *
 * @module
 */

import type { Archive } from "../../archive/archive.ts";
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config/config.ts";
import { DAY_MS, type DayNumber, dayOf, dayStartMs } from "../../day.ts";
import type { Span } from "../../gaps/gap.ts";
import type { Logger } from "../../logger.ts";
import { ComparedMinutes } from "./compared_minutes.ts";
import type { SourceOutcome } from "../outcome.ts";
import type { ResolveName } from "./peer_addresses.ts";
import { type HealedArchive, PeerComparison } from "./peer_comparison.ts";
import { PeerError } from "./peer_error.ts";
import { beforeAbort, PeerList } from "./peer_list.ts";
import { PeerOwnGaps } from "./peer_own_gaps.ts";
import { PeerRules } from "./peer_rules.ts";
import { PeerOverlaps } from "./peer_overlaps.ts";
import { OVERLAP_MS } from "../proof.ts";
import { leftOutOf, recordedLinesOf } from "./recorded_lines.ts";
import type { Compared, PeerSource } from "../source.ts";
import { daysOf, UntimedComparison, within } from "./untimed_comparison.ts";

/** What is younger, in milliseconds, is not compared: it may still be on its way. */
export const SETTLED_MS = 60_000;

/** A line that is later, in milliseconds, says nothing about the clock. */
const LAG_LIMIT_MS = 600_000;

/** What is asked of the archive besides. */
export type PeerHealedArchive = HealedArchive & Pick<Archive, "held" | "trouble" | "sync">;

/** What a {@linkcode PeerHealer} is made with. */
export interface PeerHealerOptions {
  /** Where lines are missing. */
  archive: PeerHealedArchive;
  /** Whom to ask, with what, and which lines are left out. */
  config: Pick<
    Config,
    | "peers"
    | "peerToken"
    | "org"
    | "logDir"
    | "privateAddress"
    | "app"
    | "subject"
    | "queue"
    | "excludeApps"
    | "includeApps"
    | "excludeText"
  >;
  /** Tells this run of the program from every other; see `INSTANCE_HEADER` in routes/wire/digest.ts. */
  instance: string;
  /** What all times go by. */
  clock: Clock;
  /** Hears of lines that were left out. */
  logger: Logger;
  /** How long the last line was on its way by this machine's clock, in milliseconds. Default: no time. */
  lagMs?: () => number;
  /** Looks up the addresses of a name; `Deno.resolveDns`. */
  resolve: ResolveName;
}

/**
 * So long one peer is asked, in milliseconds, before it is the next one's turn, and that of whatever else is due. What came is inserted,
 * and it is gone on with when it is asked again. A week of 5,000,000 lines a day comes in less.
 */
export const ASKING_LIMIT_MS = 1_800_000;

/** What asking one peer came to. */
interface Worked {
  /** Why it is not complete; empty if it is. */
  reasons: string[];
  /** Whether asking again would come to the same. */
  isFinal: boolean;
  /** See {@linkcode SourceOutcome.except}. */
  except?: readonly Span[] | undefined;
}

/** Asks one peer. */
type Work = (comparison: PeerComparison, signal: AbortSignal) => Promise<Worked>;

/** Brings back what other recorders have. One question at a time: lines that were found lie in one file for a day. */
export class PeerHealer implements PeerSource {
  readonly #options: PeerHealerOptions;
  readonly #rules: PeerRules;
  readonly #compared = new ComparedMinutes();
  readonly #peers: PeerList;

  /** Nothing is asked yet. */
  constructor(options: PeerHealerOptions) {
    this.#options = options;
    this.#peers = new PeerList(options);
    this.#rules = new PeerRules({ ...options.config, ownApp: options.config.app });
  }

  /**
   * Inserts the lines of `span`, which is a gap, that peers have. A peer is complete over it if it says that it has recorded all of it,
   * and if all lines that are here in the {@linkcode OVERLAP_MS} before and after are there, too, as often. Where there are none, it
   * is enough that some minute of the same days has the same lines on both sides, or that those in `LONGER_OVERLAPS_MS` of peer_overlaps.ts are there. A gap that has just ended is not complete before
   * {@linkcode SETTLED_MS} and {@linkcode OVERLAP_MS} have gone by: ask again then.
   *
   * Where nothing but its own gaps speaks against a peer, its outcome names them: it is complete for all the rest.
   *
   * @throws The reason of `signal`, if it aborts.
   */
  async healSpan(span: Span, signal: AbortSignal): Promise<SourceOutcome[]> {
    const { outcomes } = await this.#askAll(
      span,
      (comparison, signal) => this.#healGap(comparison, span, signal),
      signal,
    );
    return outcomes;
  }

  /**
   * Inserts the lines of `span`, in whole minutes, that peers have and that nobody missed. Of days that are whole in it also lines
   * of a time outside of their day are compared. Here a peer is complete if every minute was compared, whatever gaps it has itself.
   *
   * @throws The reason of `signal`, if it aborts.
   */
  async compare(span: Span, signal: AbortSignal): Promise<Compared> {
    return await this.#askAll(
      span,
      (comparison, signal) => this.#compareDays(comparison, span, signal),
      signal,
    );
  }

  async #askAll(span: Span, work: Work, signal: AbortSignal): Promise<Compared> {
    const compared: Compared = { outcomes: [], found: [] };
    const instances = new Set<string | null>([this.#options.instance]);
    for (const peer of await this.#peers.now(signal)) {
      const { archive, config } = this.#options;
      const { logDir: directory, org } = config;
      const comparison = new PeerComparison(peer, {
        ...{ archive, directory, org, rules: this.#rules, compared: this.#compared },
      });
      const outcome = await this.#askOne(comparison, instances, span, work, signal);
      this.#tellDrops(comparison);
      if (outcome !== null) compared.outcomes.push(outcome);
      compared.found.push(...comparison.found.spans);
    }
    return compared;
  }

  /** Asks one peer; null if it is this recorder, or one that was asked under another address. */
  async #askOne(
    comparison: PeerComparison,
    instances: Set<string | null>,
    span: Span,
    work: Work,
    ended: AbortSignal,
  ): Promise<SourceOutcome | null> {
    const source = comparison.peer.name;
    const late = new AbortController();
    const cancel = this.#options.clock.after(ASKING_LIMIT_MS, () => late.abort(tooSlow(source)));
    const signal = AbortSignal.any([ended, late.signal]);
    try {
      const obstacle = await this.#obstacle(span, signal);
      if (obstacle !== null) return { source, lines: 0, state: "nothing", reason: obstacle };
      await comparison.digests(dayOf(span.sinceMs), signal);
      const { instance } = comparison;
      if (instance !== null && instances.has(instance)) return null;
      instances.add(instance);
      const worked = await work(comparison, signal);
      const drops = dropReasons(comparison);
      const reasons = [...worked.reasons, ...drops];
      const { lines } = comparison;
      if (reasons.length === 0) return { source, lines, state: "complete", reason: null };
      const outcome: SourceOutcome = { source, lines, state: "incomplete", reason: reasons.join("; ") };
      if (worked.isFinal) outcome.isFinal = true;
      if (worked.except !== undefined && drops.length === 0) outcome.except = worked.except;
      return outcome;
    } catch (error) {
      ended.throwIfAborted();
      const { lines } = comparison;
      return { source, lines, state: lines > 0 ? "incomplete" : "nothing", reason: (error as Error).message };
    } finally {
      cancel();
    }
  }

  async #healGap(comparison: PeerComparison, gap: Span, signal: AbortSignal): Promise<Worked> {
    const settledMs = this.#settledMs();
    const span = { sinceMs: gap.sinceMs, untilMs: Math.min(gap.untilMs, settledMs) };
    const reasons = gap.untilMs + OVERLAP_MS > settledMs ? [NOT_SETTLED] : [];
    const ownGaps = new PeerOwnGaps(comparison.peer, gap);
    const overlaps = new PeerOverlaps(comparison, { gap, settledMs, signal });
    await overlaps.compare();
    comparison.confirmSameStream();
    for (const day of daysOf(span)) {
      const part = within(span, day);
      const { refusal } = await comparison.digests(day, signal);
      const obstacle = comparison.refusalOf(day) ?? refusal;
      if (obstacle !== null) {
        reasons.push(obstacle);
        continue;
      }
      const unknown = await ownGaps.ask(day, part, signal);
      if (unknown !== null) reasons.push(unknown);
      comparison.forget(day);
      await comparison.compare(day, { span: part, again: true }, signal);
    }
    reasons.push(...await this.#healUntimed(comparison, span, signal));
    const doubt = await overlaps.prove();
    if (doubt !== null) reasons.push(doubt);
    const left = comparison.records && leftOutOf(comparison.records, recordedLinesOf(this.#options.config));
    if (left !== null) reasons.push(`It leaves out what is recorded here: ${left}`);
    const except = reasons.length === 0 ? ownGaps.except : undefined;
    return { reasons: [...reasons, ...ownGaps.reasons], isFinal: false, except };
  }

  async #healUntimed(comparison: PeerComparison, span: Span, signal: AbortSignal): Promise<string[]> {
    if (span.sinceMs >= span.untilMs) return [];
    const directory = this.#options.config.logDir;
    const untimed = new UntimedComparison(comparison, { directory, rules: this.#rules });
    const reason = await untimed.heal(span, signal);
    return reason === null ? [] : [reason];
  }

  /**
   * What is older, in milliseconds since 1970, is not on its way any more. How late the last line was by this machine's clock counts,
   * too: if that is two minutes ahead, a line that is stamped 11:59:59 may come at what it shows as 12:02:00.
   */
  #settledMs(): number {
    const { clock, lagMs = () => 0 } = this.#options;
    return clock.now() - SETTLED_MS - Math.min(Math.max(0, lagMs()), LAG_LIMIT_MS);
  }

  async #compareDays(
    comparison: PeerComparison,
    asked: Span,
    signal: AbortSignal,
  ): Promise<Worked> {
    const settledMs = this.#settledMs();
    const span = wholeMinutes({ sinceMs: asked.sinceMs, untilMs: Math.min(asked.untilMs, settledMs) });
    const isSettled = asked.untilMs <= settledMs;
    const reasons = isSettled ? [] : [NOT_SETTLED];
    for (const day of daysOf(span)) {
      const { refusal } = await comparison.digests(day, signal);
      const obstacle = comparison.refusalOf(day) ?? refusal;
      if (obstacle !== null) {
        reasons.push(obstacle);
        continue;
      }
      await comparison.compare(
        day,
        { span: isWhole(day, span) ? EVER : within(span, day), again: false },
        signal,
      );
    }
    return { reasons, isFinal: isSettled };
  }

  /** Why nothing can be compared now; null if it can. */
  async #obstacle({ sinceMs, untilMs }: Span, signal: AbortSignal): Promise<string | null> {
    const { archive } = this.#options;
    const held = archive.held(sinceMs - OVERLAP_MS, untilMs + OVERLAP_MS);
    if (archive.trouble !== null || held !== null) {
      return `Lines that came wait for the disk here, which takes none: ${
        archive.trouble ?? held?.reason ?? "it is slow"
      }`;
    }
    // What came before this is in the files then, and is found there.
    return await beforeAbort(archive.sync(), signal) ? null : "The archive is being closed";
  }

  #tellDrops({ peer, drops }: PeerComparison): void {
    if (drops.outside + drops.unusable + drops.tooLong === 0) return;
    this.#options.logger.log("warn", "peer lines dropped", { peer: peer.name, ...drops });
  }
}

/** All times: lines of a strange timestamp are recorded on the day on which they came. */
const EVER: Span = { sinceMs: -Infinity, untilMs: Infinity };

const MINUTE_MS = 60_000;

const NOT_SETTLED = `Lines younger than ${
  SETTLED_MS / 1000
} s are not compared yet, since they may be on their way`;

function tooSlow(peer: string): PeerError {
  const minutes = ASKING_LIMIT_MS / 60_000;
  return new PeerError(
    "down",
    `"${peer}" has not sent everything within ${minutes} minutes; the rest is asked for later`,
  );
}

function wholeMinutes({ sinceMs, untilMs }: Span): Span {
  return {
    sinceMs: Math.floor(sinceMs / MINUTE_MS) * MINUTE_MS,
    untilMs: Math.floor(untilMs / MINUTE_MS) * MINUTE_MS,
  };
}

function isWhole(day: DayNumber, { sinceMs, untilMs }: Span): boolean {
  return sinceMs <= dayStartMs(day) && untilMs >= dayStartMs(day) + DAY_MS;
}

/** Why a peer that sent lines which could not be read is not complete. */
function dropReasons({ drops: { outside, tooLong } }: PeerComparison): string[] {
  const reasons = [];
  if (outside > 0) reasons.push(`It sends ${outside} lines of another time than was asked for`);
  if (tooLong > 0) reasons.push(`It has ${tooLong} lines that are too long to be fetched`);
  return reasons;
}
