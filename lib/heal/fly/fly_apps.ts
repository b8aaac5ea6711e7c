/**
 * Promises to know which apps an organisation has, and why the logs of one of them cannot be had.
 *
 * The logs API answers 401 and 404 both for an app that is gone and for a token that may not. The machines API tells them
 * apart: `GET /v1/apps/{app}` (fly.io/docs/machines/api). It takes one request a second, three at once.
 *
 * @module
 */

import * as v from "valibot";
import type { FlyApi } from "./fly_api.ts";
import { FlyApiError } from "./fly_api_error.ts";
import type { PaceLimit } from "./pace.ts";

/** How fast the machines API may be asked. */
export const MACHINES_PACE: PaceLimit = { burst: 3, intervalMs: 1000 };

/** What has become of an app, as far as the token may know. */
export type FlyAppState = "exists" | "gone" | "refused";

/** The apps of an organisation. */
export interface FlyAppList {
  /** Their names, in alphabetical order. */
  names: string[];
  /** Whether these are all: false if the API says that there are more. */
  isWhole: boolean;
}

/** Why logs cannot be had. */
export interface FlyLogsRefusal {
  /**
   * `gone`: there is nothing to be had any more. `forbidden`: the app exists, but the token may not read its logs. `refused`: the
   * token may nothing.
   */
  cause: "gone" | "forbidden" | "refused";
  /** The same for people, with what to do. */
  reason: string;
}

const listSchema = v.object({
  total_apps: v.optional(v.nullable(v.number()), null),
  apps: v.array(v.object({ name: v.string() })),
});

/** Asks the machines API. */
export class FlyApps {
  readonly #api: FlyApi;

  /** `api` is at the machines API's URL, and should have {@linkcode MACHINES_PACE}. */
  constructor(api: FlyApi) {
    this.#api = api;
  }

  /**
   * The apps of the organisation with the slug `org`.
   *
   * @throws {FlyApiError} If the API does not say.
   */
  async list(org: string, signal?: AbortSignal): Promise<FlyAppList> {
    const text = await this.#api.get("/v1/apps", { query: { org_slug: org }, signal });
    const result = v.safeParse(listSchema, parse(text));
    if (!result.success) {
      throw new FlyApiError(
        "answer",
        "Cannot read the list of apps from Fly: the answer is none; check the API's URL",
      );
    }
    const { apps, total_apps } = result.output;
    const names = apps.map(({ name }) => name).sort();
    return { names, isWhole: total_apps === null || total_apps <= names.length };
  }

  /**
   * Whether `app` exists, is gone, or the token may not ask.
   *
   * @throws {FlyApiError} If the API does not say.
   */
  async state(app: string, signal?: AbortSignal): Promise<FlyAppState> {
    const part = appPathPart(app);
    if (part === null) return "gone";
    try {
      await this.#api.get(`/v1/apps/${part}`, { signal });
      return "exists";
    } catch (error) {
      if (!(error instanceof FlyApiError)) throw error;
      if (error.failure === "missing") return "gone";
      if (error.failure === "refused") return "refused";
      throw error;
    }
  }

  /**
   * Why the logs API answered `refused` or `missing` for `app`.
   *
   * @throws {FlyApiError} If the machines API does not say; then it is not known.
   */
  async explain(app: string, signal?: AbortSignal): Promise<FlyLogsRefusal> {
    const state = await this.state(app, signal);
    if (state === "gone") {
      return { cause: "gone", reason: `App "${app}" is gone, and its logs with it` };
    }
    const reason = state === "exists"
      ? `The token may not read the logs of "${app}", which exists`
      : `The token is refused, so nobody knows whether "${app}" exists`;
    const cause = state === "exists" ? "forbidden" : "refused";
    return { cause, reason: `${reason}: make another with "fly tokens create readonly ORG"` };
  }
}

/** An app's name as a part of a path; null if no app can have it, as what would lead to another path. */
export function appPathPart(app: string): string | null {
  return app === "" || app === "." || app === ".." ? null : encodeURIComponent(app.toWellFormed());
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
