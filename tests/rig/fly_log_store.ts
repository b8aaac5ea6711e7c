/**
 * Promises pages of log rows as Fly's logs API is said to return them. What was never tried against Fly stands in
 * fly_api.ts, which serves these pages.
 *
 * @module
 */

import type { Clock } from "../../lib/clock.ts";

/** Fly keeps about seven days. */
export const KEPT_MS: number = 7 * 86_400_000;

/** Without a token the newest rows of this span are returned. */
export const NEWEST_MS = 86_400_000;

/** One line in the store. */
export interface StoredLine {
  /** The app's name. */
  app: string;
  /** When it was printed, in Unix nanoseconds. */
  atNs: bigint;
  /** What was printed. */
  message: string;
  /** The machine's id; null as in rows that do not know theirs. Default: `0e286551c30586`. */
  instance?: string | null;
  /** Default: `fra`. */
  region?: string;
  /** Default: `info`. */
  level?: string;
  /** Default: `app`. */
  provider?: string;
  /** Members of `meta` besides `instance`, `region` and `event`. */
  meta?: Record<string, unknown>;
  /** The wall-clock time from which on the store has it, in milliseconds since 1970. Default: it always has. */
  appearsMs?: number;
}

/** The sides of the API that nobody is sure of. */
export interface StoreManners {
  /** Whether the row at the moment of `next_token` comes again: `inclusive`, or not: `exclusive`. */
  cursor: "inclusive" | "exclusive";
  /** What `next_token` is in the JSON. As a number it is above 2^53. */
  token: "string" | "number";
  /** What the token of a page without rows is: the one that was asked with, the present, or null. */
  emptyToken: "same" | "now" | "null";
  /** What the token of a page with rows is: the moment of the last row, or that moment as its `timestamp` shows it. */
  tokenPrecision: "exact" | "shown";
  /** How many decimals `timestamp` has; what is finer is cut off. */
  decimals: 3 | 6 | 9;
  /** Whether `id` is the same each time that a row is returned. */
  ids: "lasting" | "fresh";
  /** Whether all rows say `"instance": null`, also those that can be asked for by their instance. */
  nullInstances: boolean;
  /** How many rows a page has at most. */
  pageRows: number;
}

/** The manners that FACTS.md takes for the likeliest. */
export const USUAL_MANNERS: StoreManners = {
  cursor: "exclusive",
  token: "string",
  emptyToken: "same",
  tokenPrecision: "exact",
  decimals: 9,
  ids: "lasting",
  nullInstances: false,
  pageRows: 100,
};

/** What the query of a request says. */
export interface PageQuery {
  /** The app's name. */
  app: string;
  /** Unix nanoseconds; null for the newest rows. */
  nextToken: bigint | null;
  /** Only rows of this region. */
  region: string | null;
  /** Only rows of this machine. */
  instance: string | null;
}

/** A line with its place in the order of those that came. */
interface KeptLine extends StoredLine {
  number: number;
}

/** The lines of all apps. Its manners can be changed at any time. */
export class FlyLogStore {
  /** See {@linkcode StoreManners}. */
  manners: StoreManners = { ...USUAL_MANNERS };
  readonly #clock: Clock;
  readonly #lines: KeptLine[] = [];
  #sorted = true;
  #freshIds = 0;

  /** `clock` tells what is too old and what has appeared. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds lines, in any order. Those at one moment are returned in the order in which they were added. */
  add(...lines: StoredLine[]): void {
    for (const line of lines) this.#lines.push({ ...line, number: this.#lines.length });
    this.#sorted = false;
  }

  /** The JSON text of a page. */
  page(query: PageQuery): string {
    const { manners } = this;
    const rows = this.#select(query);
    const last = rows.at(-1);
    const nowNs = BigInt(Math.round(this.#clock.now())) * 1_000_000n;
    const asked = query.nextToken ?? nowNs;
    let token: bigint | null = last === undefined ? asked : this.#tokenOf(last);
    if (last === undefined && manners.emptyToken === "now") token = nowNs;
    if (last === undefined && manners.emptyToken === "null") token = null;
    const tokenText = token === null || manners.token === "number" ? `${token}` : `"${token}"`;
    const data = rows.map((line) => this.#row(line));
    return `{"data":${JSON.stringify(data)},"meta":{"next_token":${tokenText}}}`;
  }

  #select({ app, nextToken, region, instance }: PageQuery): KeptLine[] {
    const nowMs = this.#clock.now();
    const oldestNs = BigInt(Math.round(nowMs - (nextToken === null ? NEWEST_MS : KEPT_MS))) * 1_000_000n;
    const { cursor, pageRows } = this.manners;
    if (!this.#sorted) this.#lines.sort((a, b) => Number(a.atNs - b.atNs) || a.number - b.number);
    this.#sorted = true;
    const has = (line: KeptLine) =>
      line.app === app && line.atNs >= oldestNs && (line.appearsMs ?? -Infinity) <= nowMs &&
      (region === null || regionOf(line) === region) &&
      (instance === null || instanceOf(line) === instance) &&
      (nextToken === null || line.atNs > nextToken || (cursor === "inclusive" && line.atNs === nextToken));
    const lines = this.#lines.filter(has);
    return nextToken === null ? lines.slice(-pageRows) : lines.slice(0, pageRows);
  }

  #tokenOf(line: KeptLine): bigint {
    if (this.manners.tokenPrecision === "exact") return line.atNs;
    return line.atNs - line.atNs % BigInt(10 ** (9 - this.manners.decimals));
  }

  #row(line: KeptLine): unknown {
    const { message, level = "info", provider = "app", meta = {} } = line;
    const instance = this.manners.nullInstances ? null : instanceOf(line);
    const region = regionOf(line);
    const id = this.manners.ids === "lasting" ? `row-${line.number}` : `fresh-${this.#freshIds++}`;
    const timestamp = timestampText(line.atNs, this.manners.decimals);
    const attributes = {
      timestamp,
      message,
      level,
      instance,
      region,
      meta: { instance, region, event: { provider }, ...meta },
    };
    return { id, type: "log", attributes };
  }
}

/** Unix nanoseconds as RFC 3339 with so many decimals, the rest cut off. */
export function timestampText(atNs: bigint, decimals: 3 | 6 | 9): string {
  const seconds = new Date(Number(atNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const fraction = String(atNs % 1_000_000_000n).padStart(9, "0").slice(0, decimals);
  return `${seconds}.${fraction}Z`;
}

function instanceOf({ instance = "0e286551c30586" }: StoredLine): string | null {
  return instance;
}

function regionOf({ region = "fra" }: StoredLine): string {
  return region;
}
