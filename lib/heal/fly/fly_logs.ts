/**
 * Promises every row that Fly's store has of one app in a span of time: once each, oldest first, a page in memory at a time.
 *
 * **How it pages.** Nobody knows whether the row at the moment of a page's `next_token` comes again with the next page
 * (an *inclusive* cursor) or not (*exclusive*), and an exclusive one leaves rows out when a page ends in the middle of a
 * moment. So the next page is not asked for by that token, but by a token of our own: the moment of the last row, less one
 * nanosecond. Then all rows of that moment come again, whichever kind the cursor is of, and those that came before are
 * counted off by their content. `id` is not needed for this; whether it lasts is not known.
 *
 * Example: a page ends with rows a and b at 10:00:00.000000007. The next one is asked for with …006 and begins with a, b, c, all
 * at …007. a and b are counted off, and c is new. Had the store an inclusive cursor and a row at …006, it would come first,
 * and be left out because it is before …007.
 *
 * **A crowded moment.** When a page has nothing but rows of the moment that was asked for, and as many as any page before, there
 * may be more of them. Two ways lead on. If timestamps have three or six decimals, what looks like one moment is a millisecond
 * or a microsecond, within which the page's own `next_token` may lead on: it has nine. And if more than a page really is in
 * one nanosecond, which no token divides, the moment is asked for by each instance. What cannot be had in either way is
 * counted in {@linkcode FlyLogs.unsureMoments}, and is a {@linkcode FlyLogs.doubt}: the span cannot be called proven then.
 *
 * After a crowded moment the next one is asked for by the crowded one's last nanosecond. If that brings nothing but the crowded
 * moment again, the cursor is inclusive ({@linkcode FlyLogs.cursor}), and the next moment itself is asked for.
 *
 * **Where it ends.** The API has no end: after its last row it goes on answering. This ends with the first row at or after the
 * end of the span, or where a page has nothing new and its token does not lead further.
 *
 * @module
 */

import type { Span } from "../../gaps/gap.ts";
import type { Decimals, IdentityForm } from "../../line/identity.ts";
import { Multiset } from "../../line/multiset.ts";
import type { FlyApi } from "./fly_api.ts";
import { FlyApiError } from "./fly_api_error.ts";
import { appPathPart } from "./fly_apps.ts";
import { rowKey, rowsAfter } from "./fly_log_overlap.ts";
import { type FlyLogPage, type FlyLogRow, parseFlyLogPage } from "./fly_log_page.ts";

/** After so many crowded moments a source is given up: it may as well answer the same page for ever. */
export const CROWDED_LIMIT = 1000;

/**
 * The token of a page without new rows is followed if it leads on by at least so much: 1 s. A store that answers with less is at
 * its end, and its token follows the present.
 */
export const TOKEN_STEP_NS = 1_000_000_000n;

/** What is asked for. */
export interface FlyLogsOptions {
  /** The logs API. */
  api: FlyApi;
  /** The app's name. */
  app: string;
  /** From which moment, and up to which: rows at `untilMs` are not in it. */
  span: Span;
  /** The app's instances that are known, for crowded moments. Those of the rows are added. */
  instances?: Iterable<string>;
  /** Whether the app's logs were answered before, so that 401 means "too fast" also for the first page. Default: no. */
  wasAnswered?: boolean;
  /** How many rows the longest page had that was ever seen of any app: one with fewer is not full. Default: not known. */
  longestPage?: number;
  /** Ends it. */
  signal?: AbortSignal;
}

/** A page in the order of time, and by which token it was asked for. */
interface AskedPage extends FlyLogPage {
  askedBy: bigint;
}

/** Reads rows, once. What it found out on the way can be asked at any time. */
export class FlyLogs {
  readonly #api: FlyApi;
  readonly #path: string;
  readonly #sinceNs: bigint;
  readonly #untilNs: bigint;
  readonly #signal: AbortSignal | undefined;
  readonly #instances: Set<string>;
  readonly #wasAnswered: boolean;
  /** The keys of the rows of one moment that were yielded and are expected to come again. */
  readonly #yielded = new Multiset();
  #pages = 0;
  /** How many rows the longest page had. */
  #longest: number;
  #hasUnreadable = false;
  #crowdedMoments = 0;
  #unsureMoments = 0;
  /** Whether a moment was asked for by each instance that was known then. */
  #wasSplit = false;
  #lacksInstance = false;
  #decimals: Decimals | null = null;
  #cursor: "inclusive" | "exclusive" | null = null;
  #nextNs: bigint | null = null;

  /**
   * Takes what to ask for. Nothing is sent yet.
   *
   * @throws {FlyApiError} If no app can have that name.
   */
  constructor(options: FlyLogsOptions) {
    const { api, app, span, instances = [], wasAnswered = false, longestPage = 0, signal } = options;
    const part = appPathPart(app);
    if (part === null) {
      throw new FlyApiError("missing", `Cannot read logs from Fly: no app is called "${app}"`);
    }
    this.#api = api;
    this.#path = `/api/v1/apps/${part}/logs`;
    this.#sinceNs = BigInt(Math.floor(span.sinceMs)) * 1_000_000n;
    this.#untilNs = BigInt(Math.ceil(span.untilMs)) * 1_000_000n;
    this.#instances = new Set(instances);
    this.#wasAnswered = wasAnswered;
    this.#longest = longestPage;
    this.#signal = signal;
  }

  /** How many pages were read. */
  get pages(): number {
    return this.#pages;
  }

  /** How many rows the longest page had, of these and of those seen before. */
  get longestPage(): number {
    return this.#longest;
  }

  /** Of how many moments nobody can say that all rows were had. */
  get unsureMoments(): number {
    return this.#unsureMoments;
  }

  /** Why the rows may not be all that the store has; null if there is no reason to think so. */
  get doubt(): string | null {
    if (this.#hasUnreadable) return "there were rows that could not be read";
    if (this.#unsureMoments === 0) return null;
    return `moments that may have more lines than were returned: ${this.#unsureMoments}`;
  }

  /** How many decimals the timestamps have, as far as rows were yielded; null before the first one. */
  get decimals(): Decimals | null {
    return this.#decimals;
  }

  /** Of which kind the cursor is; null as long as that makes no difference. */
  get cursor(): "inclusive" | "exclusive" | null {
    return this.#cursor;
  }

  /**
   * The moment of the first row at or after the end of the span, in milliseconds since 1970, cut to whole ones, once all rows were
   * yielded: there is none before it. Null if none was seen; then nothing is known of what follows.
   */
  get nextMs(): number | null {
    return this.#nextNs === null ? null : Number(this.#nextNs / 1_000_000n);
  }

  /** The instances that were told and those of the rows. */
  get instances(): ReadonlySet<string> {
    return this.#instances;
  }

  /** What lines must have in common with the rows that were yielded to be the same; all there is before the first one. */
  get form(): IdentityForm {
    return { decimals: this.#decimals ?? 9, hasInstance: !this.#lacksInstance };
  }

  /**
   * Yields the rows.
   *
   * @throws {FlyApiError} If the API cannot be read on; the rows that were yielded before are good.
   * @throws The reason of the signal, if it aborts.
   */
  async *rows(): AsyncGenerator<FlyLogRow, void, void> {
    let from = this.#sinceNs;
    let isAfterCrowd = false;
    let stepNs = 1n;
    while (from < this.#untilNs) {
      const page = await this.#page(from - stepNs);
      const last = lastMoment(page);
      if (isAfterCrowd && stepNs > 0n && last !== null && last < from) {
        // The page had nothing but rows of the crowded moment, so the cursor includes the moment of its token.
        this.#cursor = "inclusive";
        stepNs = 0n;
        continue;
      }
      if (isAfterCrowd && stepNs > 0n && last !== null && this.#unitNs() === 1n) this.#cursor ??= "exclusive";
      isAfterCrowd = false;
      stepNs = 1n;
      for (const row of page.rows) {
        const isKnown = row.atNs < from || (row.atNs === from && this.#yielded.take(rowKey(row)));
        if (!isKnown && this.#accept(row)) yield row;
      }
      if (last !== null && last > from) {
        this.#expect(page, last);
        from = last;
      } else if (page.nextToken !== null && page.nextToken >= from + TOKEN_STEP_NS) {
        this.#yielded.clear();
        from = page.nextToken;
      } else if (last === from && this.#isFull(page)) {
        this.#expect(page, from);
        yield* this.#crowd(page, from);
        from += this.#unitNs();
        isAfterCrowd = true;
      } else {
        return;
      }
    }
  }

  /** Yields what a moment has besides the rows of `page`, which fill it. */
  async *#crowd(page: AskedPage, moment: bigint): AsyncGenerator<FlyLogRow, void, void> {
    if (++this.#crowdedMoments > CROWDED_LIMIT) {
      throw new FlyApiError(
        "answer",
        `Cannot read logs from Fly: more than ${CROWDED_LIMIT} moments have more lines than a page`,
      );
    }
    const keep = (row: FlyLogRow) => {
      this.#yielded.add(rowKey(row));
      return true;
    };
    const isWhole = yield* this.#follow(page, moment, "", keep);
    if (!isWhole) yield* this.#split(moment);
    this.#yielded.clear();
  }

  /** Yields what a moment has of each instance, besides what was yielded of it. */
  async *#split(moment: bigint): AsyncGenerator<FlyLogRow, void, void> {
    this.#wasSplit = true;
    let isSure = true;
    const isNew = (row: FlyLogRow) => !this.#yielded.take(rowKey(row));
    for (const instance of [...this.#instances]) {
      const page = await this.#page(moment - 1n, instance);
      for (const row of page.rows) {
        if (row.atNs === moment && isNew(row) && this.#accept(row)) yield row;
      }
      isSure = (yield* this.#follow(page, moment, instance, isNew)) && isSure;
    }
    // Rows that no instance returned again are of an instance that cannot be asked for. It may have more of them.
    if (!isSure || this.#yielded.size > 0) this.#unsureMoments++;
  }

  /**
   * Yields what a moment has after `page`, as long as the tokens of the pages lead on within it, and returns whether that is
   * all. `isNew` is asked of each row.
   */
  async *#follow(
    page: AskedPage,
    moment: bigint,
    instance: string,
    isNew: (row: FlyLogRow) => boolean,
  ): AsyncGenerator<FlyLogRow, boolean, void> {
    for (;;) {
      const last = lastMoment(page);
      if (last === null || last > moment || !this.#isFull(page)) return true;
      const token = page.nextToken;
      if (token === null || token <= page.askedBy + 1n || token >= moment + this.#unitNs()) return false;
      // One less, as always, so that all rows at the moment of the token come again: at least one.
      const next = await this.#page(token - 1n, instance);
      const { rows, isSure } = rowsAfter(page.rows, next.rows);
      if (!isSure) this.#unsureMoments++;
      for (const row of rows) {
        if (row.atNs === moment && isNew(row) && this.#accept(row)) yield row;
      }
      page = next;
    }
  }

  async #page(askedBy: bigint, instance = ""): Promise<AskedPage> {
    const text = await this.#api.get(this.#path, {
      query: { next_token: `${askedBy}`, instance },
      isPaging: this.#wasAnswered || this.#pages > 0,
      signal: this.#signal,
    });
    const page = parseFlyLogPage(text);
    page.rows.sort((a, b) => a.atNs < b.atNs ? -1 : a.atNs > b.atNs ? 1 : 0);
    this.#pages++;
    if (page.unreadable > 0) this.#hasUnreadable = true;
    this.#longest = Math.max(this.#longest, page.rows.length + page.unreadable);
    for (const row of page.rows) this.#meet(row.instance);
    return { ...page, askedBy };
  }

  #meet(instance: string | null): void {
    if (instance === null || this.#instances.has(instance)) return;
    this.#instances.add(instance);
    // It was not known when moments were asked for by instance, and may have rows in them.
    if (this.#wasSplit) this.#unsureMoments++;
  }

  /** Whether a row is within the span; then what it shows of the API is remembered. */
  #accept(row: FlyLogRow): boolean {
    if (row.atNs >= this.#untilNs) {
      if (this.#nextNs === null || row.atNs < this.#nextNs) this.#nextNs = row.atNs;
      return false;
    }
    if (row.instance === null) this.#lacksInstance = true;
    if (this.#decimals === null || row.decimals > this.#decimals) this.#decimals = row.decimals;
    return true;
  }

  /** Whether there may be more rows than the page has: a page of one row is never full. */
  #isFull(page: FlyLogPage): boolean {
    return page.rows.length + page.unreadable >= Math.max(2, this.#longest);
  }

  /** Expects the page's rows of one moment to come again. */
  #expect(page: FlyLogPage, moment: bigint): void {
    this.#yielded.clear();
    for (const row of page.rows) if (row.atNs === moment) this.#yielded.add(rowKey(row));
  }

  /** How many nanoseconds look like one moment. */
  #unitNs(): bigint {
    return 10n ** BigInt(9 - (this.#decimals ?? 9));
  }
}

function lastMoment(page: FlyLogPage): bigint | null {
  return page.rows.at(-1)?.atNs ?? null;
}
