/**
 * Promises that routes know the rest of the program only by what is handed to them here.
 *
 * @module
 */

import type { Archive } from "../lib/archive/archive.ts";
import type { Scrub } from "../lib/archive/repair/scrub.ts";
import type { VolumeUsage } from "../lib/archive/volume.ts";
import type { Clock } from "../lib/clock.ts";
import type { DayDigests } from "../lib/archive/read/day_digests.ts";
import type { LineReader } from "../lib/archive/read/line_reader.ts";
import type { Config } from "../lib/config/config.ts";
import type { Followers } from "../lib/follow/followers.ts";
import type { GapSource } from "../lib/gaps/gap.ts";
import type { Healer } from "../lib/heal/healer.ts";
import type { RecordedLines } from "../lib/heal/peers/recorded_lines.ts";
import type { Logger } from "../lib/logger.ts";
import type { Readiness, RecorderStatus } from "../lib/recorder/status.ts";
import type { Identify } from "./auth.ts";

/** What routes ask of the archive. */
export type DaySource = Pick<
  Archive,
  "days" | "day" | "findings" | "held" | "wasRemoved" | "untouched" | "openText" | "openGzip"
>;

/** What the routes are made of. */
export interface Parts {
  /** Where the lines lie. */
  archive: DaySource;
  /** What finds lines in it. */
  lines: Pick<
    LineReader,
    | "read"
    | "readTail"
    | "lineStart"
    | "timeBefore"
    | "translate"
    | "isBetweenLines"
    | "reserve"
    | "tryKeep"
    | "appLists"
  >;
  /** What makes digests of its days. */
  digests: Pick<DayDigests, "digest">;
  /** Those who follow it. */
  followers: Pick<Followers, "follow">;
  /** The gaps among them. */
  gaps: GapSource;
  /** What brings back lines that are missing. */
  healer: Pick<Healer, "hasSource" | "healNow" | "status">;
  /** What records them. */
  recorder: { status(): RecorderStatus; readiness(): Readiness };
  /** Tells what reading the archive back has found. */
  scrub: Pick<Scrub, "status">;
  /** Measures the volume under the archive. */
  volumeUsage(): Promise<VolumeUsage>;
  /** The time, for `today` and for durations back from now. */
  clock: Clock;
  /** Takes what went wrong inside. */
  logger: Logger;
  /** Who may ask. */
  config: Pick<Config, "apiTokens" | "onFly">;
  /** Tells who asks. Default: by the tokens of `config`. */
  identify?: Identify;
  /** Hears of each answer. */
  onAnswer?(method: string, status: number): void;
  /** The program's version. */
  version: string;
  /** What another recorder is told of this one; see `INSTANCE_HEADER` and `ORG_HEADER` in wire/digest.ts. */
  self: {
    /** Tells this run of the program from every other, in visible ASCII. */
    instance: string;
    /** What is recorded; null where that is not to be told. */
    records: RecordedLines | null;
    /** The slug of the organisation that is recorded; null if unknown. */
    org: string | null;
  };
}
