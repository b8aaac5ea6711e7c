/**
 * Promises an archive with days in every state that there is, full of lines of every kind that there is, the
 * same ones for the same seed, and what a naive reading of it says about a filter.
 *
 * @module
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Archive } from "../../lib/archive/archive.ts";
import { dayName } from "../../lib/day.ts";
import { parseTimestamp } from "../../lib/timestamp.ts";
import { createRandom, pick } from "../rig/random.ts";
import { DAY, dayText, openArchive, type TestArchive, type TestDirectory } from "./archive_rig.ts";

/** The first of the days; the last is {@linkcode DAY}, which is today. */
export const FIRST_DAY = DAY - 4;

const DAY_MS = 86_400_000;
const encoder = new TextEncoder();

/** What a naive reader asks of a line: the parameters of a search. */
export interface NaiveQuery {
  since?: string;
  until?: string;
  app?: string;
  region?: string;
  instance?: string;
  level?: string;
  q?: string;
  not?: string;
}

/** What lines are made of, for tests that look for them. */
export const APPS = ["web", "web-canary", "api", "wörker"];
/** See {@linkcode APPS}. */
export const REGIONS = ["fra", "sjc"];
/** See {@linkcode APPS}. */
export const INSTANCES = ["0e28", "1f39", "2a4b"];
/** See {@linkcode APPS}. */
export const LEVELS = ["info", "Error", "warn"];
/** See {@linkcode APPS}. The last two are written with escapes. */
export const WORDS = ["timeout", "GET /", "naïve 日本", 'said "no"', "tab\there"];

/** One line of a day, at the moment `ms` after its midnight. */
export function variedLine(day: number, ms: number, number: number, random: () => number): string {
  const dice = random();
  const nanoseconds = String(Math.floor(random() * 1e6)).padStart(6, "0");
  const timestamp = `${new Date(day * DAY_MS + ms).toISOString().slice(0, -1)}${nanoseconds}Z`;
  const padding = "x".repeat(Math.floor(random() * 900));
  const record: Record = {
    fly: {
      app: { instance: pick(INSTANCES, random), name: pick(APPS, random) },
      region: pick(REGIONS, random),
    },
    log: { level: pick(LEVELS, random) },
    message: `${number} ${pick(WORDS, random)} ${padding}`,
    timestamp,
  };
  if (dice < 0.02) delete record.timestamp;
  if (dice >= 0.02 && dice < 0.03) record.timestamp = "just now";
  if (dice >= 0.03 && dice < 0.05) delete record.fly;
  if (dice >= 0.05 && dice < 0.051) record.message += "y".repeat(100_000);
  if (dice >= 0.055 && dice < 0.0552) record.message += "z".repeat(1_500_000);
  const line = JSON.stringify(record);
  return dice < 0.5 ? line : line.replaceAll("timeout", "time\\u006fut");
}

/** Appends `count` lines to a day, spread over its hours. */
export function appendVaried(archive: Archive, day: number, count: number, random: () => number): void {
  for (let i = 0; i < count; i++) {
    const line = variedLine(day, Math.floor((i + random()) * DAY_MS / count), i, random);
    archive.append(day, encoder.encode(line), false, parseTimestamp(JSON.parse(line).timestamp ?? ""));
  }
}

/**
 * Opens an archive of five days: two sealed, one sealed and reopened, one sealed twice, and today's, of which
 * only a part is compressed.
 */
export async function openVaried(directory: TestDirectory, seed: number): Promise<TestArchive> {
  const random = createRandom(seed);
  const test = await openArchive(directory);
  const { archive, clock } = test;
  for (let day = FIRST_DAY; day < DAY; day++) appendVaried(archive, day, 3000, random);
  appendVaried(archive, FIRST_DAY + 1, 500, random);
  await archive.sync();
  clock.skip(DAY_MS / 12);
  await archive.maintain();
  appendVaried(archive, FIRST_DAY + 2, 700, random);
  await archive.sync();
  clock.skip(DAY_MS / 12);
  await archive.maintain();
  appendVaried(archive, FIRST_DAY + 3, 2000, random);
  appendVaried(archive, DAY, 5000, random);
  await archive.sync();
  const partBytes = () => archive.day(DAY)!.gzBytes;
  for (let before = -1; before !== partBytes() || before < 1000; await nextTurn()) before = partBytes();
  return test;
}

/** A line and where it stands. */
export interface StoredLine {
  day: number;
  offset: number;
  line: string;
  record: Record;
}

// deno-lint-ignore no-explicit-any -- whatever a line says
type Record = any;

/** Every line of the archive with its day, as they stand there. */
export async function allLines(archive: Archive): Promise<StoredLine[]> {
  const lines: StoredLine[] = [];
  for (const { day } of archive.days().toReversed()) {
    let offset = 0;
    for (const line of (await dayText(archive, day)).split("\n").slice(0, -1)) {
      lines.push({ day, offset, line, record: JSON.parse(line) });
      offset += encoder.encode(line).length + 1;
    }
  }
  return lines;
}

/** Whether a record of a day is what `query` asks for, by comparing what it says. */
export function matchesNaively(day: number, record: Record, query: NaiveQuery): boolean {
  const { since = "", until = "~" } = query;
  const time: string | undefined = record.timestamp;
  if (time !== undefined && time !== "just now") {
    if (time < since || time >= until) return false;
  } else if (`${dayName(day + 1)}T00:00:00` <= since || `${dayName(day)}T00:00:00.000000000Z` >= until) {
    return false;
  }
  if (!isInList(record.fly?.app?.name, query.app)) return false;
  if (!isInList(record.fly?.region, query.region)) return false;
  if (!isInList(record.fly?.app?.instance, query.instance)) return false;
  if (!isInList(record.log.level, query.level?.replace("err,", "error,"))) return false;
  return (query.q === undefined || isIn(query.q, record.message)) &&
    (query.not === undefined || !isIn(query.not, record.message));
}

/** Whether `list` has a value, some of which may end in `*`, and does not leave it out with `!`. */
function isInList(value: string | undefined, list: string | undefined): boolean {
  if (list === undefined) return true;
  const is = (wanted: string) => {
    const [own, asked] = [value?.toLowerCase(), wanted.toLowerCase()];
    return asked.endsWith("*") ? own?.startsWith(asked.slice(0, -1)) : own === asked;
  };
  const values = list.split(",");
  const wanted = values.filter((one) => !one.startsWith("!"));
  const unwanted = values.filter((one) => one.startsWith("!")).map((one) => one.slice(1));
  return (wanted.length === 0 || wanted.some(is)) && !unwanted.some(is);
}

function isIn(part: string, message: string): boolean {
  return part === part.toLowerCase() ? message.toLowerCase().includes(part) : message.includes(part);
}

/** A question about the archive, as likely narrow as wide. */
export function randomQuery(random: () => number): NaiveQuery {
  const query: NaiveQuery = {};
  const startMs = (FIRST_DAY - 0.5 + random() * 6) * DAY_MS;
  const spanMs = random() < 0.5 ? random() * 600_000 : random() * 3 * DAY_MS;
  const nanoseconds = String(Math.floor(random() * 1e6)).padStart(6, "0");
  const time = (ms: number) => `${new Date(ms).toISOString().slice(0, -1)}${nanoseconds}Z`;
  if (random() < 0.5) query.since = time(startMs);
  if (random() < 0.4) query.until = time(startMs + spanMs + 1);
  if (random() < 0.3) {
    query.app = pick([...APPS, "web*", "none", "WÖRKER,api", "!web", "Web*,!web-*"], random);
  }
  if (random() < 0.2) query.region = pick([...REGIONS, "!FRA"], random);
  if (random() < 0.2) query.instance = pick(INSTANCES, random);
  if (random() < 0.2) query.level = pick(["ERROR", "info", "err,warn", "!info"], random);
  if (random() < 0.3) query.q = pick([...WORDS, "17 ", "nowhere", "get /", "Timeout", "NAÏVE"], random);
  if (random() < 0.2) query.not = pick(["timeout", "get", "GET", "日", "1"], random);
  return query;
}
