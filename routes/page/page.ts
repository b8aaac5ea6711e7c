/**
 * Promises pages for browsers, at the addresses where a terminal gets the same as text.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { html } from "hono/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { parsePlace, type Place } from "../../lib/archive/place.ts";
import { curlCommand } from "../home.ts";
import { aroundPage } from "./around.ts";
import { addPageAssets } from "./assets.ts";
import { daysPage } from "./days.ts";
import { filledParameters, filterForm, tailParameters } from "./form.ts";
import { answerPage, type Page, wantsPage } from "./layout.ts";
import { livePage } from "./live.ts";
import { searchPage } from "./search.ts";
import type { Parts } from "../parts.ts";
import { principalOf, withinScope } from "../principal.ts";
import { Problem, show } from "../problem.ts";
import { readLineQuery, refuseParameters } from "../query.ts";
import { findTailHint, TAIL_PARAMETERS } from "../tail.ts";

/**
 * The pages and what belongs to them. To be mounted before the routes of the same addresses, which answer
 * everyone who does not ask for a page; a browser that names a `format` does not.
 */
export function createPageRoutes(parts: Parts): Hono {
  const app = new Hono();
  addPageAssets(app);
  addPage(app, "/", (c, asked, url) => {
    if (!asked.has("around")) {
      refuseParameters(url);
      return daysPage(parts);
    }
    return aroundPage(parts, readAround(asked), c.req.raw.signal, principalOf(c).scope);
  });
  addPage(app, "/search", (c, asked) => {
    const filled = filledParameters(asked);
    return filled.size === asked.size ? searchPage(c, parts, asked) : redirectTo(c, "/search", filled);
  });
  addPage(app, "/tail", async (c, asked) => {
    const clean = tailParameters(asked);
    if (clean.size !== asked.size) return redirectTo(c, "/tail", clean);
    const { filter } = withinScope(c, readLineQuery(c.req.url, TAIL_PARAMETERS, parts.clock.now()));
    const hint = await findTailHint(parts, filter);
    return livePage(asked, hint, curlCommand(c, parts, `/tail${query(asked, "format=text")}`, "-N"));
  });
  return app;

  function addPage(
    app: Hono,
    path: string,
    make: (c: Context, asked: URLSearchParams, url: string) => Page | Response | Promise<Page | Response>,
  ): void {
    app.get(path, async (c, next) => {
      const asked = new URL(c.req.url).searchParams;
      if (!wantsPage(c) || asked.has("format")) {
        return await next();
      }
      try {
        const made = await make(c, asked, c.req.url);
        return made instanceof Response ? made : await answerPage(c, parts, made);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        return await answerProblem(c, parts, error, asked);
      }
    });
  }
}

/** @throws {Problem} 400 if it is no cursor. */
function readAround(asked: URLSearchParams): Place {
  const text = asked.get("around")!;
  const place = parsePlace(text);
  if (place === null) {
    throw new Problem("bad-parameter", `around must be a day and an offset, not ${show(text)}`, {
      param: "around",
    });
  }
  return place;
}

function redirectTo(c: Context, path: string, parameters: URLSearchParams): Response {
  c.header("Cache-Control", "no-store");
  return c.redirect(`${path}${query(parameters)}`, 303);
}

function query(parameters: URLSearchParams, more = ""): string {
  const all = [parameters.toString(), more].filter((part) => part !== "").join("&");
  return all === "" ? "" : `?${all}`;
}

/** Answers with what a problem says, and with its status and headers. */
async function answerProblem(
  c: Context,
  parts: Parts,
  problem: Problem,
  asked: URLSearchParams,
): Promise<Response> {
  const answer = problem.toResponse();
  const { title, detail } = await answer.json();
  const retryAfter = answer.headers.get("Retry-After");
  if (retryAfter !== null) c.header("Retry-After", retryAfter);
  const main = html`
    ${filterForm(filledParameters(asked))}
    <div class="notice" role="alert">
      <p>${title}</p>
      <p>${detail}</p>
    </div>
  `;
  return await answerPage(c, parts, { title, main }, answer.status as ContentfulStatusCode);
}
