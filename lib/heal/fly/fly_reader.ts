/**
 * Promises the rows of many apps, one app after another, and to know of each app that could not be read why.
 *
 * What goes wrong with one app is remembered, and the app is not asked again: it is gone, or the token may not read its logs, or
 * its answers make no sense. The others are worth having all the same. What goes wrong with the API ends it for all: it is down,
 * it is asked too often, or the token is refused altogether.
 *
 * At Fly, 401 can mean that the token may not, that the app is gone, or that requests came too fast. So the machines API is
 * asked; if the app exists, the logs are asked once more and patiently, as if it had been too fast; and if that does not
 * help either, the token may not.
 *
 * @module
 */

import type { Span } from "../../gaps/gap.ts";
import type { FlyApi } from "./fly_api.ts";
import { FlyApiError } from "./fly_api_error.ts";
import type { FlyApps } from "./fly_apps.ts";
import { FlyLogs } from "./fly_logs.ts";
import { FlyPiece, type PieceLimits } from "./fly_piece.ts";
import { flyRecordLine } from "./fly_record.ts";
import type { WantedRows } from "./wanted_rows.ts";

/** So many instances of an app are remembered for moments that have more than a page. */
const INSTANCES_LIMIT = 1000;

/** A token that is refused for so many apps, and was taken for none, is not tried with the others. */
const REFUSALS_LIMIT = 3;

/** See {@linkcode FlyReader}. */
export interface FlyReaderOptions {
  /** The logs API. */
  logs: FlyApi;
  /** The machines API. */
  apps: FlyApps;
  /** Which rows count. */
  wanted: WantedRows;
  /** The apps, by name. */
  names: readonly string[];
  /** How many rows the longest page had that was seen before; see `FlyLogs.longestPage`. Default: not known. */
  longestPage?: number;
  /** How much is read at once. */
  limits?: PieceLimits;
  /** Ends it. */
  signal?: AbortSignal;
}

/** Between these moments an app has no row, in milliseconds since 1970. */
type Silence = Span;

/** Reads one span after another. */
export class FlyReader {
  /** The apps that are gone, and their logs with them. */
  readonly gone = new Set<string>();
  /** Why others could not be read, by name. */
  readonly faults = new Map<string, string>();
  /** Why the rows of an app that was read may not be all, by name. */
  readonly doubts = new Map<string, string>();
  readonly #options: FlyReaderOptions;
  readonly #answered = new Set<string>();
  #refusals = 0;
  #longestPage: number;
  readonly #silences = new Map<string, Silence>();
  readonly #instances = new Map<string, ReadonlySet<string>>();

  /** Reads nothing yet. */
  constructor(options: FlyReaderOptions) {
    this.#options = options;
    this.#longestPage = options.longestPage ?? 0;
  }

  /** How many rows the longest page had, of these and of those seen before. */
  get longestPage(): number {
    return this.#longestPage;
  }

  /** How many apps have answered. */
  get answered(): number {
    return this.#answered.size;
  }

  /**
   * Reads the rows of all apps in `span`, whose bounds are whole milliseconds, or in as much of it as fits into memory.
   *
   * @throws {FlyApiError} If no app can be read on: asking later may help, unless it is `refused`.
   * @throws The reason of the signal, if it aborts.
   */
  async read(span: Span): Promise<FlyPiece> {
    const piece = new FlyPiece(span, this.#options.limits);
    for (const app of this.#options.names) {
      if (this.gone.has(app) || this.faults.has(app) || this.#isSilent(app, piece)) continue;
      await this.#readApp(app, piece, this.#answered.has(app));
    }
    return piece;
  }

  async #readApp(app: string, piece: FlyPiece, wasAnswered: boolean): Promise<void> {
    const { logs: api, signal } = this.#options;
    try {
      const span = { sinceMs: piece.sinceMs, untilMs: piece.untilMs };
      const logs = new FlyLogs({
        ...{ api, app, span, wasAnswered, signal },
        instances: this.#instances.get(app),
        longestPage: this.#longestPage,
      });
      try {
        const isWhole = await this.#drain(logs, app, piece);
        if (isWhole && logs.nextMs !== null) {
          this.#silences.set(app, { sinceMs: span.untilMs, untilMs: logs.nextMs });
        }
      } finally {
        this.#learn(logs, app, piece);
      }
    } catch (error) {
      await this.#explain(app, piece, wasAnswered, error);
    }
  }

  /** Adds an app's rows to the piece. Returns whether all were read, and not only those up to where the piece was cut. */
  async #drain(logs: FlyLogs, app: string, piece: FlyPiece): Promise<boolean> {
    const { wanted } = this.#options;
    for await (const row of logs.rows()) {
      if (piece.isOver(row.atNs)) return false;
      const isWanted = wanted.wants(app, row);
      if (isWanted === null) {
        this.doubts.set(app, "rows do not say their region or machine, by which SUBJECT chooses");
      }
      if (isWanted) piece.add({ app, atNs: row.atNs, line: flyRecordLine(app, row) });
    }
    return true;
  }

  #learn(logs: FlyLogs, app: string, piece: FlyPiece): void {
    piece.forms.set(app, logs.form);
    this.#longestPage = logs.longestPage;
    if (logs.pages > 0) this.#answered.add(app);
    if (logs.doubt !== null) this.doubts.set(app, logs.doubt);
    if (logs.instances.size <= INSTANCES_LIMIT) this.#instances.set(app, logs.instances);
  }

  /** Finds out what an error means for the app; throws it if it means something for all. */
  async #explain(app: string, piece: FlyPiece, wasAnswered: boolean, error: unknown): Promise<void> {
    if (error instanceof RangeError) {
      piece.remove(app);
      return void this.faults.set(app, error.message);
    }
    if (!(error instanceof FlyApiError)) throw error;
    const { failure, message, status } = error;
    if (failure === "down") throw error;
    if (failure === "answer") return void this.faults.set(app, message);
    // An app that was never answered and patiently asked is not too busy, if it is still answered 401.
    const isBusy = failure === "busy" && (status !== 401 || this.#answered.has(app));
    if (isBusy) throw error;
    const { cause, reason } = await this.#options.apps.explain(app, this.#options.signal);
    if (cause === "gone") return void this.gone.add(app);
    if (cause === "forbidden" && status === 401 && !wasAnswered) return await this.#readApp(app, piece, true);
    const isRefused = cause === "refused" && this.#answered.size === 0;
    if (isRefused && ++this.#refusals >= REFUSALS_LIMIT) throw new FlyApiError("refused", reason, status);
    this.faults.set(app, reason);
  }

  #isSilent(app: string, piece: FlyPiece): boolean {
    const silence = this.#silences.get(app);
    return silence !== undefined && silence.sinceMs <= piece.sinceMs && piece.untilMs <= silence.untilMs;
  }
}
