/**
 * Promises that somebody with a terminal and an address finds the way from there: `/` is the list of the days
 * and the commands that fetch them.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { DAY_MS, dayName, type DayNumber, dayOf, dayStartMs } from "../lib/day.ts";
import { type Coverage, measureCoverage } from "./coverage.ts";
import { DAYS_LIMIT, listedDays } from "./listed_days.ts";
import type { Parts } from "./parts.ts";
import { refuseParameters } from "./query.ts";
import { addResource } from "./resource.ts";

const HEADINGS = ["DAY", "LINES", "SIZE", "GZIP", "FIRST", "LAST", "SEALED", "MISSING"];

/** The columns of numbers, which stand to the right. */
const NUMBERS = new Set([1, 2, 3]);

/** The route `/`. */
export function createHomeRoutes(parts: Parts): Hono {
  const app = new Hono();
  addResource(app, "/", (c) => {
    refuseParameters(c.req.url);
    return c.text(homeText(c, parts), 200, { "Cache-Control": "no-store" });
  });
  return app;
}

/**
 * The address under which the client has found us. The host is the client's own word and is shown in commands
 * to be pasted into a shell, so only what a host name has is taken from it.
 */
function baseUrl(c: Context): string {
  const { protocol, host } = new URL(c.req.url);
  const shown = /^[A-Za-z0-9.:[\]-]+$/.test(host) ? host : "HOST";
  return `${c.req.header("X-Forwarded-Proto") === "https" ? "https:" : protocol}//${shown}`;
}

/**
 * A command that asks this server for `path`, which may have a query whose values are encoded as those of a form
 * are. The token stays where it is, in the shell.
 */
export function curlCommand(c: Context, parts: Pick<Parts, "config">, path: string, flags = ""): string {
  const url = baseUrl(c) + path;
  // Square brackets, of an IPv6 address, and what a query has mean something to a shell.
  const quoted = /[?&*[]/.test(url) ? `'${url}'` : url;
  const globs = url.includes("[") ? " -g" : "";
  const token = parts.config.apiTokens.length > 0 ? ' -u ":$API_TOKEN"' : "";
  return `curl${token}${globs}${flags === "" ? "" : ` ${flags}`} ${quoted}`;
}

function homeText(c: Context, parts: Parts): string {
  const days = listedDays(parts.archive, dayOf(parts.clock.now()));
  const { state, server } = parts.recorder.status();
  const lines = [`Flightlog ${parts.version}: ${state}, ${server}`, ""];
  if (days.length === 0) lines.push("No lines yet.");
  else lines.push(...dayTable(days, parts));
  const commands = [
    [curlCommand(c, parts, "/logs/today.log"), "today as text"],
    [curlCommand(c, parts, "/logs/yesterday.jsonl.gz", "-fOJ"), "yesterday as a file of JSON lines"],
    [curlCommand(c, parts, "/search?since=1h&level=error&q=timeout&format=text"), "find lines"],
    [curlCommand(c, parts, "/tail?tail=20&format=text", "-N"), "follow new lines"],
    [curlCommand(c, parts, "/status"), "how the recorder is"],
  ] as const;
  const width = Math.max(...commands.map(([command]) => command.length));
  lines.push("", ...commands.map(([command, what]) => `${command.padEnd(width)}  # ${what}`));
  return `${lines.join("\n")}\n`;
}

function dayTable(days: readonly DayNumber[], parts: Parts): string[] {
  const rows = days.slice(0, DAYS_LIMIT).map((day) => dayRow(day, parts));
  const more = days.length > DAYS_LIMIT ? ["Older days are in /logs."] : [];
  return [...alignColumns([HEADINGS, ...rows]), ...more];
}

function dayRow(day: DayNumber, parts: Parts): string[] {
  const coverage = measureCoverage(parts, dayStartMs(day), dayStartMs(day) + DAY_MS);
  const found = [missingWords(coverage), healedWords(coverage)].filter((words) => words !== null);
  const missing = found.length === 0 ? "-" : found.join(", ");
  const info = parts.archive.day(day);
  if (info === undefined) {
    const sealed = parts.archive.wasRemoved(day)
      ? "removed"
      : parts.archive.untouched.has(day)
      ? "unreadable"
      : "-";
    return [dayName(day), "0", "-", "-", "-", "-", sealed, missing];
  }
  return [
    dayName(day),
    info.lines.toLocaleString("en-US") +
    (info.held === 0 ? "" : ` + ${info.held.toLocaleString("en-US")} wait`),
    formatSize(info.bytes),
    // While the day goes on only a part of the file is made.
    info.sealed ? formatSize(info.gzBytes) : "-",
    timeWithin(dayName(day), info.first),
    timeWithin(dayName(day), info.last),
    info.sealed ? "yes" : "no",
    missing,
  ];
}

/** A timestamp to the second, with its date where it is not of `day`: a line may bear any. */
function timeWithin(day: string, timestamp: string | null): string {
  if (timestamp === null) return "-";
  return timestamp.startsWith(day) ? timestamp.slice(11, 19) : timestamp.slice(0, 19);
}

/** How much of a day is missing, for people: "1 m 14 s in 2 gaps"; null for nothing. */
export function missingWords({ gaps, missingMs, isFuture }: Coverage): string | null {
  if (isFuture) return "is to come";
  return gaps === 0 ? null : `${formatSpan(missingMs)} in ${gaps} ${gaps === 1 ? "gap" : "gaps"}`;
}

/** How many gaps of a day are healed, for people: "complete, 2 gaps healed", or "2 gaps healed" beside others; null for none. */
export function healedWords({ gaps, healed, isFuture }: Coverage): string | null {
  if (isFuture || healed === 0) return null;
  return `${gaps === 0 ? "complete, " : ""}${healed} ${healed === 1 ? "gap" : "gaps"} healed`;
}

/** Pads each column to its longest cell. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) =>
      NUMBERS.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
    ).join("  ").trimEnd()
  );
}

/** A size in bytes as people read it, to three digits. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = "B";
  for (const larger of ["KiB", "MiB", "GiB", "TiB"]) {
    if (value < 1000) break;
    value /= 1024;
    unit = larger;
  }
  return `${unit === "B" || value >= 100 ? Math.round(value) : value.toPrecision(3)} ${unit}`;
}

/** A span in milliseconds as people read it: its two largest units, the rest rounded up. */
export function formatSpan(spanMs: number): string {
  const seconds = Math.ceil(spanMs / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} m`;
}
