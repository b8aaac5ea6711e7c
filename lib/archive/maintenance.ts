/**
 * Promises that days are sealed when they are over, and that the oldest go when they are too old or the volume is too
 * full: looked at every ten seconds, one look at a time, whatever fails.
 *
 * @module
 */

import { join } from "node:path";
import type { Cancel, Clock } from "../clock.ts";
import { dayName, type DayNumber, dayOf } from "../day.ts";
import type { Logger } from "../logger.ts";
import { ClockTrust } from "./clock_trust.ts";
import type { DayInfo } from "./day/day_info.ts";
import type { RecordedDay } from "./day/recorded_day.ts";
import { sizeOf } from "./disk.ts";
import { parseFileName, TEMPORARY_SUFFIX } from "./format.ts";
import { chooseExpired, type Expired, newestRecorded } from "./retention.ts";
import { readVolumeUsage, type VolumeUsage } from "./volume.ts";

/** How often days are looked at for sealing and retention, in milliseconds. */
export const MAINTENANCE_MS = 10_000;

/** Removed files may be held open by readers for this long before more days are removed, in milliseconds. */
const ROOM_LIMIT_MS = 600_000;

/** What {@linkcode Maintenance} goes by. Times are milliseconds; see {@linkcode ArchiveOptions}. */
export interface MaintenanceRules {
  /** Where the archive lies. */
  directory: string;
  /** Tells when a day is over, and when to look. */
  clock: Clock;
  /** Takes what was sealed, and which days stay for now. */
  logger: Logger;
  /** A past day is sealed this long after its midnight and its last line. */
  sealAfterMs: number;
  /** Sealed days older than this many days are removed; null to keep them. */
  retentionDays: number | null;
  /** The oldest sealed days are removed while the volume is fuller than this; null to keep them. */
  maxDiskPercent: number | null;
  /** For tests: a volume as full as wanted. Default: {@linkcode readVolumeUsage}. */
  readUsage?: (path: string) => Promise<VolumeUsage>;
}

/** The archive that is maintained. */
export interface Maintained {
  /** Whether no other process records here, looked at anew; nothing is done where one does. */
  mayWrite(): boolean;
  /** Every day there is. */
  recordedDays(): RecordedDay[];
  /** Why the disk takes nothing at the moment; null while it does. */
  trouble(): string | null;
  /** Removes a day, for a reason in words. Returns how many bytes its gzip file had. */
  remove(day: DayNumber, reason: string): number;
  /** A task failed. `what` it was, as in "sealing 2026-11-22". */
  onFailure(what: string, error: unknown): void;
}

/** Seals and removes the days of an archive. */
export class Maintenance {
  readonly #rules: MaintenanceRules;
  readonly #archive: Maintained;
  readonly #clockTrust: ClockTrust;
  readonly #cancel: Cancel;
  #running: Promise<void> | null = null;
  #stopped = false;
  /** Whether days that are too old stay until the clock is believed. */
  #isWaiting = false;
  /** When days were last removed to make room, and how full the volume was before. */
  #madeRoom: { usedPercent: number; atMs: number } | null = null;

  /** Looks every {@linkcode MAINTENANCE_MS} from now on. */
  constructor(rules: MaintenanceRules, archive: Maintained) {
    this.#rules = rules;
    this.#archive = archive;
    this.#clockTrust = new ClockTrust(rules.clock);
    this.#cancel = rules.clock.every(MAINTENANCE_MS, () => void this.run());
  }

  /** A line was recorded. `isStray` says that its own time is before the day that the wall clock has put it into. */
  countLine(isStray: boolean): void {
    this.#clockTrust.lines++;
    if (isStray) this.#clockTrust.strays++;
  }

  /** Seals the days that are due and removes those that have expired. Never fails: it reports. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => this.#running = null);
    return this.#running;
  }

  /** Begins nothing any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /** Waits until what was begun has ended. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, sealAfterMs } = this.#rules;
    if (!this.#archive.mayWrite()) return;
    this.#clockTrust.look();
    const days = this.#archive.recordedDays();
    // That a day is over, the lines of a later day show too. Only for the newest day the clock alone says it.
    const newest = newestRecorded(infosOf(days)) ?? Infinity;
    for (const day of days) {
      if (this.#stopped) return;
      if (day.day >= newest && !this.#clockTrust.isSteadyFor(sealAfterMs)) continue;
      if (day.isDue(clock.now(), sealAfterMs)) await this.#seal(day);
    }
    await this.#removeExpired();
    for (const day of this.#archive.recordedDays()) {
      await day.look().catch((error) => this.#archive.onFailure(`looking after ${dayName(day.day)}`, error));
    }
  }

  async #seal(day: RecordedDay): Promise<void> {
    const { clock, logger } = this.#rules;
    const startMs = clock.elapsed();
    try {
      if (!await day.trySeal()) return;
      const { lines, bytes, gzBytes } = day.info();
      const durationMs = Math.round(clock.elapsed() - startMs);
      logger.log("info", "day sealed", { day: dayName(day.day), lines, bytes, gzBytes, durationMs });
    } catch (error) {
      this.#archive.onFailure(`sealing ${dayName(day.day)}`, error);
    }
  }

  async #removeExpired(): Promise<void> {
    const { retentionDays, maxDiskPercent, clock, directory, readUsage = readVolumeUsage } = this.#rules;
    try {
      const today = dayOf(clock.now());
      let freedBytes = 0;
      let before: VolumeUsage | null = null;
      let after: VolumeUsage | null = null;
      while (!this.#stopped) {
        const usage: VolumeUsage | null = maxDiskPercent === null ? null : await readUsage(directory);
        before ??= usage;
        after = usage;
        const usedPercent = usage === null || before === null || this.#isRoomOnItsWay(usage.usedPercent)
          ? null
          : Math.min(usage.usedPercent, before.usedPercent - freedBytes / before.totalBytes * 100) -
            this.#temporaryPercent(usage);
        const days = infosOf(this.#archive.recordedDays());
        const expired = chooseExpired(days.filter(({ sealed }) => sealed), {
          ...{ today, trust: this.#clockTrust.trust, recorded: newestRecorded(days) },
          ...{ retentionDays, maxDiskPercent, usedPercent },
        });
        this.#noteWaiting(expired);
        if (expired === null || expired.waits) break;
        freedBytes += this.#archive.remove(expired.day, expired.reason);
      }
      if (freedBytes > 0 && before !== null && after !== null) {
        const came = after.usedPercent < before.usedPercent;
        this.#madeRoom = came ? null : { usedPercent: before.usedPercent, atMs: clock.elapsed() };
      }
    } catch (error) {
      this.#archive.onFailure("removing old days", error);
    }
  }

  /** Says once that days which are too old stay for now. */
  #noteWaiting(expired: Expired | null): void {
    const waits = expired?.waits ?? false;
    if (waits && !this.#isWaiting) {
      const reason = "the clock has to go on evenly for an hour, and to agree with the lines, before they go";
      this.#rules.logger.log("info", "old days stay for now", { oldest: dayName(expired!.day), reason });
    }
    this.#isWaiting = waits;
  }

  /**
   * How much of the volume temporary files take, in percent: of a day into which lines are inserted there are two for a while. No day
   * goes for that for good, unless lines wait for the room.
   */
  #temporaryPercent({ totalBytes, usedPercent }: VolumeUsage): number {
    const { directory, maxDiskPercent } = this.#rules;
    if (this.#archive.trouble() !== null || usedPercent <= (maxDiskPercent ?? 100)) return 0;
    return temporaryBytes(directory) / totalBytes * 100;
  }

  /**
   * What somebody still downloads takes its room until that ends. So the volume being as full as before is no
   * reason to remove yet more, for a while, unless lines wait for the room.
   *
   * Example: at 12:00 the volume is 90 % full, two days of 3 % go, and ten seconds later it is 90 % full still, since both are
   * being downloaded. Until 12:10 no other day goes because of it.
   */
  #isRoomOnItsWay(usedPercent: number): boolean {
    if (this.#madeRoom === null || this.#archive.trouble() !== null) return false;
    const isRecent = this.#rules.clock.elapsed() - this.#madeRoom.atMs < ROOM_LIMIT_MS;
    return isRecent && usedPercent >= this.#madeRoom.usedPercent;
  }
}

/** How many bytes the temporary files of days have in a directory. Those that go meanwhile do not count. */
function temporaryBytes(directory: string): number {
  let bytes = 0;
  for (const { name, isFile } of Deno.readDirSync(directory)) {
    if (!isFile || !name.endsWith(TEMPORARY_SUFFIX)) continue;
    if (parseFileName(name.slice(0, -TEMPORARY_SUFFIX.length)) === null) continue; // not ours
    bytes += sizeOf(join(directory, name)) ?? 0;
  }
  return bytes;
}

function infosOf(days: readonly RecordedDay[]): DayInfo[] {
  return days.map((day) => day.info());
}
