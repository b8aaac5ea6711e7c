/**
 * Promises that what one other recorder has of a day and this one has not is here afterwards, once each, as far as it is wanted here
 * and can be believed; and tells what it cannot.
 *
 * What each has of a day is compared by digests first, so that two recorders with the same lines exchange nothing else. The minutes
 * that differ are fetched slice by slice (time_slices.ts, slice_comparison.ts), gathered on the disk, and inserted. Not compared
 * are lines of minutes far outside of their day, of which a digest tells the number only (minute_sums.ts).
 *
 * **Whose lines they are.** If both say of which organisation they are, that decides. Else what both have does: of lines that both
 * should have, some must be the same, before anything is inserted.
 *
 * @module
 */

import type { FoundLines } from "../../archive/found_lines.ts";
import type { Archive } from "../../archive/archive.ts";
import { dayName, type DayNumber } from "../../day.ts";
import type { LineRules } from "../../filter/rules.ts";
import type { Span } from "../../gaps/gap.ts";
import type { Identity } from "../../line/identity.ts";
import type { ComparedMinutes } from "./compared_minutes.ts";
import { FoundBatch } from "./found_batch.ts";
import { FoundSpans } from "./found_spans.ts";
import { OwnDays, type ReadArchive } from "./own_days.ts";
import type { Peer } from "./peer.ts";
import { type DayDigest, isSame } from "./peer_digest.ts";
import { PeerError } from "./peer_error.ts";
import type { RecordedLines } from "./recorded_lines.ts";
import { compareSlice, type Drops, type SliceComparison } from "./slice_comparison.ts";
import { halvesOf, type MinuteLines, type TimeSlice, timeSlices } from "./time_slices.ts";

/**
 * So many lines more than the digest has, and twice as many, are taken from a peer: more may have been recorded since the digest was
 * made. More than that is none of what it said.
 */
export const LINES_MARGIN = 10_000;

/** The digests of so many days are held at once: of a span's day, and of those before and after. */
const HELD_DAYS_LIMIT = 3;

const MINUTE_MS = 60_000;

/** What of the archive is asked and told. */
export interface HealedArchive extends ReadArchive, Pick<Archive, "wasRemoved" | "untouched"> {
  /** Inserts lines into their day; see archive.ts. */
  insert(found: FoundLines): Promise<{ lines: number; bytes: number }>;
}

/** What a {@linkcode PeerComparison} is made with. */
export interface PeerComparisonOptions {
  /** Where lines are missing. */
  archive: HealedArchive;
  /** Where it lies. */
  directory: string;
  /** Which lines are left out here. */
  rules: LineRules;
  /** Remembers which minutes differ for good. */
  compared: ComparedMinutes;
  /** The slug of this recorder's organisation; null if unknown. */
  org: string | null;
  /** For tests: lines are inserted when there are more bytes of them. Default: `BATCH_BYTES` of found_batch.ts. */
  batchBytes?: number;
}

/** What both have of a day. */
export interface BothDigests {
  /** What the peer has. */
  theirs: DayDigest;
  /** What is here. */
  ours: DayDigest;
  /** Why the peer cannot hand out lines of the day; null if it can. */
  refusal: string | null;
}

/** How a day is compared. */
export interface DayScope {
  /** Lines of these times; of a whole day all, also those of times outside of it. */
  span: Span;
  /** Whether minutes are fetched that were fetched before and still differ. */
  again: boolean;
}

/** Compares days with one peer, as long as one question lasts. */
export class PeerComparison {
  /** Whom it asks. */
  readonly peer: Peer;
  /** Reads what is here. */
  readonly own: OwnDays;
  /** How many lines it has inserted. */
  lines = 0;
  /** In which spans they were missing. */
  readonly found: FoundSpans;
  /** What it had to leave out. */
  readonly drops: Drops = { outside: 0, unusable: 0, tooLong: 0 };
  /** How many lines of minutes that are the same on both sides there were. */
  sameLines = 0;
  /** How many lines of each day that was asked for the peer has without an identity. */
  readonly withoutIdentity: Map<DayNumber, number> = new Map();
  /** How many records without a time came along with the lines of each day of which lines were fetched. */
  readonly untimed: Map<DayNumber, number> = new Map();
  /** Which run of a recorder the peer is; null if it does not say. */
  instance: string | null = null;
  /** What the peer records; null as long as it has not said so. */
  records: RecordedLines | null = null;
  readonly #options: PeerComparisonOptions;
  readonly #digests = new Map<DayNumber, BothDigests>();
  /** Of the lines that were compared one by one: how many are here, are there, are both. */
  #ours = 0;
  #theirs = 0;
  #matched = 0;
  /** Whether both say that they are of one organisation. */
  #isSameOrg = false;

  /** Nothing is asked yet. */
  constructor(peer: Peer, options: PeerComparisonOptions) {
    this.peer = peer;
    this.own = new OwnDays(options.archive);
    this.found = new FoundSpans(peer.name);
    this.#options = options;
  }

  /**
   * What both have of `day`.
   *
   * @throws {PeerError} If the peer does not say, or is of another organisation.
   * @throws {Error} As {@linkcode OwnDays.digest}; the reason of `signal`, if it aborts.
   */
  async digests(day: DayNumber, signal: AbortSignal): Promise<BothDigests> {
    const held = this.#digests.get(day);
    if (held !== undefined) return held;
    const { digest: theirs, instance, org, records, refusal } = await this.peer.digest(day, signal);
    this.instance = instance;
    this.records = records ?? this.records;
    this.withoutIdentity.set(day, theirs.withoutIdentity);
    const { org: own } = this.#options;
    if (own !== null && org !== null && own !== org) {
      throw new PeerError(
        "foreign",
        `"${this.peer.name}" records another organisation; take it out of PEERS`,
      );
    }
    this.#isSameOrg = own !== null && own === org;
    const both = { theirs, ours: await this.own.digest(day, signal), refusal };
    for (const [minute, { lines }] of both.ours.minutes) {
      if (isSame(both.theirs.minutes.get(minute), both.ours.minutes.get(minute))) this.sameLines += lines;
    }
    this.#digests.set(day, both);
    if (this.#digests.size > HELD_DAYS_LIMIT) this.#digests.delete(this.#digests.keys().next().value!);
    return both;
  }

  /** What both have of `day` is asked anew when it is looked at next. */
  forget(day: DayNumber): void {
    this.#digests.delete(day);
  }

  /**
   * Adds the identities of the lines of `span`, which is within `day`, on both sides to `keys`. Nothing is inserted. Returns false
   * when there are more than `limit` in them; then not all are. Throws as {@linkcode PeerComparison.compare} does.
   */
  async addKeys(
    keys: { ours: Identity[]; theirs: Identity[] },
    limit: number,
    day: DayNumber,
    span: Span,
    signal: AbortSignal,
  ): Promise<boolean> {
    const both = await this.digests(day, signal);
    if (both.refusal !== null) return true;
    const slice = { ...span, lines: 0 };
    for await (const [, { keys: found }] of this.#compareParts(day, slice, both, true, signal)) {
      for (const key of found!.ours) keys.ours.push(key);
      for (const key of found!.theirs) keys.theirs.push(key);
      if (keys.ours.length + keys.theirs.length > limit) return false;
    }
    return true;
  }

  /**
   * Inserts what of `day` is missing here.
   *
   * @throws {PeerError} If the peer cannot be asked or be believed. What came before is inserted, unless it cannot be believed.
   * @throws {Error} As {@linkcode OwnDays.lines}, or if lines cannot be inserted; the reason of `signal`, if it aborts.
   */
  async compare(day: DayNumber, scope: DayScope, signal: AbortSignal): Promise<void> {
    const both = await this.digests(day, signal);
    const minutes = this.#differing(day, both, scope);
    const slices = [...timeSlices(minutes, scope.span)];
    for (let at = 0; at < slices.length;) {
      const { directory, batchBytes } = this.#options;
      using batch = new FoundBatch(directory, day, this.peer.name, batchBytes);
      try {
        while (at < slices.length && !batch.isFull) {
          await this.#gather(day, slices[at++]!, scope.span, both, batch, signal);
        }
      } catch (error) {
        const isInterrupted = error instanceof PeerError &&
          (error.failure === "down" || error.failure === "busy");
        if (isInterrupted) await this.#insert(day, batch, both);
        throw error;
      }
      await this.#insert(day, batch, both);
    }
  }

  /**
   * Does nothing if lines of the peer may be inserted.
   *
   * @throws {PeerError} `foreign` if, of all lines that were compared, none is on both sides though there are some on each, and
   * the two do not say that they are of one organisation.
   */
  confirmSameStream(): void {
    if (this.#isSameOrg) return;
    if (this.sameLines > 0 || this.#matched > 0 || this.#ours === 0 || this.#theirs === 0) return;
    throw new PeerError(
      "foreign",
      `"${this.peer.name}" has ${this.#theirs} lines of the same time, but none of the ${this.#ours} lines that are here ` +
        "is there: is it of the same organisation?",
    );
  }

  /** The minutes that are to be fetched, in order. */
  #differing(day: DayNumber, { theirs, ours }: BothDigests, { span, again }: DayScope): MinuteLines[] {
    const minutes: MinuteLines[] = [];
    for (const [minute, digest] of theirs.minutes) {
      if ((minute + 1) * MINUTE_MS <= span.sinceMs || minute * MINUTE_MS >= span.untilMs) continue;
      const own = ours.minutes.get(minute);
      if (isSame(digest, own)) continue;
      const name = { peer: this.peer.name, day, minute };
      if (!again && this.#options.compared.isKnown(name, digest, own)) continue;
      minutes.push({ minute, lines: digest.lines + (own?.lines ?? 0) });
    }
    return minutes;
  }

  /** Adds what of `slice` is missing here to `batch`. */
  async #gather(
    day: DayNumber,
    slice: TimeSlice,
    span: Span,
    both: BothDigests,
    batch: FoundBatch,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const [part, comparison] of this.#compareParts(day, slice, both, false, signal)) {
      const { sent, missing, drops } = comparison;
      await batch.add({ sent, missing, tooLong: drops.tooLong, endMs: part.untilMs });
    }
    // A minute that is parted is whole with its last slice, since slices follow on each other.
    const isWhole = (minute: number) =>
      minute * MINUTE_MS >= span.sinceMs && (minute + 1) * MINUTE_MS <= slice.untilMs;
    batch.noteWhole([...minutesOf(slice)].filter(isWhole), both.theirs);
  }

  /** Compares a slice, and each half of it apart if it is too large. */
  async *#compareParts(
    day: DayNumber,
    slice: TimeSlice,
    both: BothDigests,
    withKeys: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<[TimeSlice, SliceComparison], void> {
    const { rules } = this.#options;
    const linesLimit = linesLimitOf(both.theirs, slice);
    const request = { peer: this.peer, own: this.own, day, slice, linesLimit, rules, withKeys };
    const comparison = await compareSlice(request, signal);
    if (comparison === null) {
      const halves = halvesOf(slice);
      if (halves === null) {
        throw new PeerError(
          "broken",
          `There are too many lines in one millisecond to compare, ${new Date(slice.sinceMs).toISOString()}`,
        );
      }
      for (const half of halves) yield* this.#compareParts(day, half, both, withKeys, signal);
      return;
    }
    this.#ours += comparison.ours;
    this.#theirs += comparison.theirs;
    this.#matched += comparison.matched;
    this.untimed.set(day, Math.max(this.untimed.get(day) ?? 0, comparison.untimed));
    for (const name of ["outside", "unusable", "tooLong"] as const) {
      this.drops[name] += comparison.drops[name];
    }
    yield [slice, comparison];
  }

  async #insert(day: DayNumber, batch: FoundBatch, both: BothDigests): Promise<void> {
    const { found, spans } = batch;
    if (found.lines > 0) {
      this.confirmSameStream();
      this.lines += (await this.insertFound(found)).lines;
      for (const { span, lines } of spans.spans) this.found.addSpan(span, lines);
    }
    for (const [minute, ours] of batch.after(both.ours)) {
      const theirs = both.theirs.minutes.get(minute);
      if (!isSame(theirs, ours)) {
        this.#options.compared.note({ peer: this.peer.name, day, minute }, theirs, ours);
      }
    }
  }

  /** Inserts lines into their day. What is known of it is forgotten, since it has changed. */
  async insertFound(found: FoundLines): Promise<{ lines: number; bytes: number }> {
    await found.close();
    const inserted = await this.#options.archive.insert(found);
    this.forget(found.day);
    return inserted;
  }

  /** Why lines of `day` cannot be inserted here; null if they can. */
  refusalOf(day: DayNumber): string | null {
    const { archive } = this.#options;
    if (archive.wasRemoved(day)) return `${dayName(day)} was removed here to make room`;
    return archive.untouched.has(day)
      ? `The files of ${dayName(day)} cannot be read here; see /status`
      : null;
  }
}

/** The minutes that a slice touches. */
function* minutesOf({ sinceMs, untilMs }: Span): Generator<number, void> {
  for (let minute = Math.floor(sinceMs / MINUTE_MS); minute * MINUTE_MS < untilMs; minute++) yield minute;
}

/** How many lines of a slice are taken: those of its minutes, and those without a time, which always come along. */
export function linesLimitOf(theirs: DayDigest, slice: Span): number {
  let promised = theirs.withoutIdentity;
  for (const minute of minutesOf(slice)) promised += theirs.minutes.get(minute)?.lines ?? 0;
  return 2 * promised + LINES_MARGIN;
}
