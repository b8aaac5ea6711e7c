/**
 * Promises the apps that may have lines: those that exist, as Fly says, and those that the days here have seen lately, which may
 * be gone by now.
 *
 * @module
 */

import type { Archive } from "../../archive/archive.ts";
import { EVERY_LINE } from "../../archive/read/line_chunk.ts";
import { planRanges } from "../../archive/read/plan.ts";
import type { Clock } from "../../clock.ts";
import { DAY_MS } from "../../day.ts";
import { timestampFromMs } from "../../timestamp.ts";
import { FlyApiError } from "./fly_api_error.ts";
import type { FlyApps } from "./fly_apps.ts";

/** Apps of lines up to so old are asked for, in milliseconds: a day more than Fly keeps. */
export const SEEN_MS: number = 8 * DAY_MS;

/** At most so many apps are asked for. */
export const APPS_LIMIT = 5000;

/** At most so many of the lists of apps in the indexes are looked at. */
const APP_LISTS_LIMIT = 200_000;

/** The apps. */
export interface FoundApps {
  /** Their names, in alphabetical order. */
  names: string[];
  /** Why there may be more; null if there is no reason to think so. */
  doubt: string | null;
}

/** See {@linkcode KnownApps}. */
export interface KnownAppsOptions {
  /** Knows which apps exist. */
  apps: FlyApps;
  /** Knows which apps were seen. */
  archive: Pick<Archive, "days" | "lines">;
  /** The organisation's slug. */
  org: string;
  /** Tells what is lately. */
  clock: Pick<Clock, "now">;
}

/** Finds them. */
export class KnownApps {
  readonly #options: KnownAppsOptions;

  /** Asks nothing yet. */
  constructor(options: KnownAppsOptions) {
    this.#options = options;
  }

  /**
   * The apps that `isWanted` lets pass. That Fly does not say which exist is a doubt, and no error.
   *
   * @throws The reason of `signal`, if it aborts.
   */
  async find(isWanted: (app: string) => boolean, signal?: AbortSignal): Promise<FoundApps> {
    const { names, doubt } = await this.#existing(signal);
    for await (const name of this.#seen()) names.add(name);
    const wanted = [...names].filter(isWanted).sort();
    if (wanted.length <= APPS_LIMIT) return { names: wanted, doubt };
    return {
      names: wanted.slice(0, APPS_LIMIT),
      doubt: `there are ${wanted.length} apps, of which ${APPS_LIMIT} are asked for`,
    };
  }

  async #existing(signal: AbortSignal | undefined): Promise<{ names: Set<string>; doubt: string | null }> {
    const { apps, org } = this.#options;
    try {
      const { names, isWhole } = await apps.list(org, signal);
      const doubt = isWhole ? null : `Fly has named ${names.length} apps of "${org}", and has more`;
      return { names: new Set(names), doubt };
    } catch (error) {
      if (!(error instanceof FlyApiError)) throw error;
      const doubt = `Fly does not say which apps "${org}" has, so one may be left out: ${error.message}`;
      return { names: new Set(), doubt };
    }
  }

  /** The apps that the indexes of the last days name. Of the newest lines, which have no block yet, Fly knows the apps. */
  async *#seen(): AsyncGenerator<string, void> {
    const { archive, clock } = this.#options;
    const filter = { ...EVERY_LINE, since: timestampFromMs(clock.now() - SEEN_MS) };
    const ranges = planRanges(archive.days(), filter, { day: null, start: null });
    let left = APP_LISTS_LIMIT;
    for await (const list of archive.lines.appLists(ranges, filter)) {
      if (left-- === 0) return;
      yield* list ?? [];
    }
  }
}
