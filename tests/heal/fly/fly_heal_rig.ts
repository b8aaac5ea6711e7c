/**
 * Promises an archive that has missed some lines, a stand-in for Fly's API that has them, and a healer between the two, for the
 * tests of healing from Fly.
 *
 * @module
 */

import type { Archive } from "../../../lib/archive/archive.ts";
import { type FoundLines, PLACING_BYTES } from "../../../lib/archive/found_lines.ts";
import { dayOf } from "../../../lib/day.ts";
import type { Span } from "../../../lib/gaps/gap.ts";
import { REQUEST_TIMEOUT_MS } from "../../../lib/heal/fly/fly_api.ts";
import {
  FlyHealer,
  type FlyHealerOptions,
  type FlyHealOptions,
  type FlyOutcome,
} from "../../../lib/heal/fly/fly_healer.ts";
import { WantedRows, type WantedRowsSpec } from "../../../lib/heal/fly/wanted_rows.ts";
import { parseTimestamp } from "../../../lib/timestamp.ts";
import { dayText, openArchive, TestArchive, TestDirectory } from "../../archive/archive_rig.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { FlyApiServer, TEST_TOKEN } from "../../rig/fly_api.ts";
import { type StoredLine, type StoreManners, timestampText } from "../../rig/fly_log_store.ts";
import { WaitsClock } from "../../rig/waits.ts";

/** Where most gaps of the tests begin: 2026-11-22T10:00:00Z, in milliseconds since 1970. */
export const GAP_MS: number = Date.UTC(2026, 10, 22, 10);
/** A gap of 20 s. */
export const GAP = { sinceMs: GAP_MS, untilMs: GAP_MS + 20_000 };
/** The machine that prints, where a test does not say another. */
export const INSTANCE = "0e286551c30586";

const MS_NS = 1_000_000n;
const encoder = new TextEncoder();

/** See {@linkcode startHealRig}. */
export interface HealRigOptions {
  /** How Fly answers. */
  manners?: Partial<StoreManners>;
  /** The apps that exist. Default: `web`. */
  apps?: string[];
  /** What is recorded. Default: everything. */
  wanted?: Partial<WantedRowsSpec>;
  /** How much is done at once. */
  limits?: FlyHealerOptions["limits"];
  /** The present, in milliseconds since 1970. Default: two minutes after {@linkcode GAP}. */
  nowMs?: number;
  /** The token of the healer. Default: the right one. */
  token?: string;
}

/** What a line is besides its message. */
export interface PrintOptions extends Partial<StoredLine> {
  /** Whether it was recorded here. Default: whether it is outside of {@linkcode GAP}. */
  isHere?: boolean;
  /** Whether Fly has it. Default: yes. */
  isThere?: boolean;
}

/** What a test works with. */
export class HealRig implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly server: FlyApiServer;
  readonly healer: FlyHealer;
  /** How many lines each insertion had. */
  readonly insertions: number[] = [];
  /** The lines that were inserted, in that order. */
  readonly inserted: string[] = [];
  /** Whether the day was removed by retention. */
  removed = false;
  /** Called before an insertion; it may throw. */
  beforeInsert: () => void = () => {};
  readonly #directory: TestDirectory;
  readonly #archive: TestArchive;

  constructor(directory: TestDirectory, archive: TestArchive, options: HealRigOptions) {
    const { manners, apps, wanted, limits, token = TEST_TOKEN } = options;
    this.#directory = directory;
    this.#archive = archive;
    this.clock = archive.clock;
    this.server = FlyApiServer.start({ clock: this.clock, manners, apps });
    const { url } = this.server;
    this.healer = new FlyHealer({
      access: { org: "personal", token, logsUrl: url, machinesUrl: url },
      archive: {
        days: () => this.archive.days(),
        lines: this.archive.lines,
        untouched: this.archive.untouched,
        wasRemoved: () => this.removed,
        insert: (found) => this.#insert(found),
      },
      directory: directory.path,
      wanted: new WantedRows({
        ...{ subject: "logs.>", ownApp: "flightlog", excludeApps: [], includeApps: [], excludeText: [] },
        ...wanted,
      }),
      clock: new WaitsClock(this.clock, REQUEST_TIMEOUT_MS),
      limits,
    });
  }

  /** What is here. */
  get archive(): Archive {
    return this.#archive.archive;
  }

  /** The requests for logs so far, without those for apps. */
  get logRequests(): readonly string[] {
    return this.server.requests.filter((request) => request.startsWith("/api/v1/"));
  }

  /** Has `web` print a line `offsetMs` after {@linkcode GAP_MS}, or another app. */
  print(offsetMs: number, message: string, options: PrintOptions = {}): void {
    const { isHere = offsetMs < 0 || offsetMs >= 20_000, isThere = true, ...more } = options;
    const atNs = BigInt(GAP_MS) * MS_NS + BigInt(Math.round(offsetMs * 1e6));
    const line: StoredLine = { app: "web", message, instance: INSTANCE, atNs, ...more };
    if (isThere) this.server.store.add(line);
    if (isHere) this.#record(line);
  }

  /** Heals {@linkcode GAP}, or another. */
  async heal(options: FlyHealOptions = {}, span: Span = GAP): Promise<FlyOutcome> {
    await this.archive.sync();
    return await this.healer.healSpan(span, options);
  }

  /** The messages of a day, in the order of its text. */
  async messages(dayMs: number = GAP_MS): Promise<string[]> {
    await this.archive.sync();
    const text = await dayText(this.archive, dayOf(dayMs));
    return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line).message);
  }

  /** Files of found lines that lie in the archive's directory. */
  leftFiles(): string[] {
    return this.#directory.names().filter((name) => name.includes("found"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.#archive[Symbol.asyncDispose]();
    this.#directory[Symbol.dispose]();
  }

  #record({ app, message, atNs, instance, region = "fra", level = "info" }: StoredLine): void {
    const line = JSON.stringify({
      event: { provider: "app" },
      fly: { app: { instance: instance ?? undefined, name: app }, region },
      host: "3fb8",
      log: { level },
      message,
      timestamp: timestampText(atNs, 9),
    });
    const time = parseTimestamp(timestampText(atNs, 9))!;
    this.archive.append(dayOf(time.seconds * 1000), encoder.encode(line), false, time);
  }

  async #insert(found: FoundLines): Promise<{ lines: number; bytes: number }> {
    this.beforeInsert();
    await found.close();
    const lines = Deno.readTextFileSync(found.path).split("\n").filter((line) => line !== "");
    const inserted = await this.archive.insert(found);
    this.inserted.push(...lines.map((line) => line.slice(PLACING_BYTES + 1)));
    this.insertions.push(inserted.lines);
    return inserted;
  }
}

/** Starts everything. */
export async function startHealRig(options: HealRigOptions = {}): Promise<HealRig> {
  const directory = new TestDirectory();
  const clock = new FakeClock(options.nowMs ?? GAP.untilMs + 120_000);
  return new HealRig(directory, await openArchive(directory, { clock }), options);
}
