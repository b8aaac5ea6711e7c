/**
 * Promises a form whose fields are named as the query parameters are, so that the address of a page of lines
 * is also what a terminal would ask for.
 *
 * @module
 */

import { html } from "hono/html";
import { levelName } from "../../lib/filter/filter.ts";
import type { Html } from "./layout.ts";
import type { Parameter } from "../query.ts";

/** What the page of found lines can be asked for. */
export const SEARCH_PARAMETERS = [
  "q",
  "not",
  "since",
  "until",
  "app",
  "region",
  "instance",
  "machine",
  "level",
  "tail",
  "limit",
  "cursor",
] as const satisfies readonly Parameter[];

/** Levels that are always offered; others of the address are offered besides. */
const LEVELS = ["error", "warn", "info", "debug"];

/** How many of the last lines are offered. */
const TAILS = ["50", "200", "500", "1000"];

/** How many of the last lines are shown where nobody says. */
export const DEFAULT_TAIL = 200;

/** Writes the form, filled in with what `asked` has. */
export function filterForm(asked: URLSearchParams): Html {
  const chosen = new Set(askedLevels(asked));
  const levels = new Set([...LEVELS, ...chosen]);
  return html`<form class="filter" method="get" action="/search" role="search">
${textFields(asked.getAll("q"))}
${fields("Without text", "not", asked.getAll("not"), "healthcheck")}
${fields("App", "app", asked.getAll("app"), "api-*, !api-test")}
${fields("Region", "region", asked.getAll("region"), "fra, ams")}
${fields("Machine", "instance", [...asked.getAll("instance"), ...asked.getAll("machine")], "0e286551c30586")}
${fields("Since", "since", asked.getAll("since"), "15m")}
${fields("Until", "until", asked.getAll("until"), "now")}
<label>Last lines<select name="tail">${tailOptions(asked)}</select></label>
<fieldset><legend>Level</legend>${
    [...levels].map((level) =>
      html`<label class="check"><input type="checkbox" name="level" value="${level}"${
        chosen.has(level) ? " checked" : ""
      }>${level}</label>`
    )
  }</fieldset>
<p class="actions"><button class="primary">Search</button>
<button formaction="/tail">Live tail</button></p>
</form>`;
}

/** The levels that are asked for, each by the name that it is offered under. */
function askedLevels(asked: URLSearchParams): string[] {
  const given = asked.getAll("level").flatMap((list) => list.split(",")).map((level) => level.trim());
  return given.filter((level) => level !== "").map((level) =>
    level.startsWith("!") ? `!${levelName(level.slice(1).trim())}` : levelName(level)
  );
}

function textFields(values: readonly string[]): Html[] {
  return (values.length === 0 ? [""] : values).map((value) =>
    html`<label class="wide">Text<input name="q" type="search" value="${value}" maxlength="1024"
  placeholder="a part of the message" autocomplete="off" autocapitalize="none" spellcheck="false"></label>`
  );
}

/** One field for each value that is asked for already, and one where there is none. */
function fields(label: string, name: string, values: readonly string[], placeholder: string): Html[] {
  return (values.length === 0 ? [""] : values).map((value) =>
    html`<label>${label}<input name="${name}" value="${value}" maxlength="1024" placeholder="${placeholder}"
  autocomplete="off" autocapitalize="none" spellcheck="false"></label>`
  );
}

function tailOptions(asked: URLSearchParams): Html[] {
  const tail = asked.get("tail") ?? "";
  const chosen = asked.has("limit") || asked.has("cursor") ? "" : tail || String(DEFAULT_TAIL);
  const offered = chosen === "" || TAILS.includes(chosen) ? TAILS : [...TAILS, chosen];
  return offered.map((count) =>
    html`
      <option value="${count}" ${count === chosen ? " selected" : ""}>${count}</option>
    `
  );
}

/** Leaves out what a form sends for fields that were left empty. Anything else stays, to be understood or refused. */
export function filledParameters(given: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...given].filter(([, value]) => value !== ""));
}

/** Leaves out besides what the form has for searching only: a tail has no end. */
export function tailParameters(given: URLSearchParams): URLSearchParams {
  const filled = filledParameters(given);
  filled.delete("until");
  return filled;
}
