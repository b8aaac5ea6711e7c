/**
 * Promises the answer of `GET /logs/{day}/digest`: for each minute, how many lines there are and the sum of their identities.
 *
 * @module
 */

import * as v from "valibot";
import { dayName, type DayNumber } from "../../lib/day.ts";
import { FULL_IDENTITY, IDENTITY_LENGTH, IDENTITY_VERSION } from "../../lib/line/identity.ts";
import { DAY_MINUTES, type MinuteTable, OUTSIDE_MINUTES_LIMIT, sumText } from "../../lib/line/minute_sums.ts";
import { parseTimestamp } from "../../lib/timestamp.ts";
import { countSchema, dayNameSchema } from "./scalars.ts";

/**
 * Tells one run of a recorder from every other: a recorder that asks all addresses of a name, its own among them, sees by it
 * that it talks to itself.
 */
export const INSTANCE_HEADER = "Flightlog-Instance";

/**
 * The slug of the organisation that is recorded, as `encodeURIComponent` writes it, since it may be any text; not there if it
 * is not known. Lines of another organisation are never wanted.
 */
export const ORG_HEADER = "Flightlog-Org";

/**
 * What is recorded, as `formatRecordedLines` of lib/heal/peers/recorded_lines.ts writes it; not there if that is too long. Who records
 * less than another cannot tell that one whether something is missing.
 */
export const RECORDED_LINES_HEADER = "Flightlog-Records";

const linesSchema = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(1),
  v.description("How many lines it has"),
);

const sumSchema = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{32}$/),
  v.length(IDENTITY_LENGTH),
  v.description("The sum of their identities modulo 2^128, in hexadecimal"),
);

const minuteSchema = v.strictObject({
  minute: v.pipe(
    v.string(),
    v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:00Z$/),
    v.check((minute) => parseTimestamp(minute) !== null),
    v.description("When it begins, RFC 3339 in UTC"),
  ),
  lines: linesSchema,
  sum: sumSchema,
});

/** The answer of `GET /logs/{day}/digest`. */
export const digestSchema = v.strictObject({
  day: v.pipe(dayNameSchema, v.description("The UTC day, YYYY-MM-DD")),
  identity: v.pipe(
    v.strictObject({
      version: v.pipe(
        countSchema,
        v.description("The version of what an identity is made of; sums of two versions are not comparable"),
      ),
      decimals: v.pipe(v.picklist([3, 6, 9]), v.description("So many decimals of a timestamp count")),
      hasInstance: v.pipe(v.boolean(), v.description("Whether the instance counts")),
    }),
    v.description("What two lines must have in common to be one"),
  ),
  minutes: v.pipe(
    v.array(minuteSchema),
    v.maxLength(DAY_MINUTES + OUTSIDE_MINUTES_LIMIT),
    v.check((minutes) => minutes.every(({ minute }, at) => at === 0 || minutes[at - 1]!.minute < minute)),
    v.description(
      "The UTC minutes of the lines' own timestamps that have lines, oldest first; some may lie outside of the day, " +
        "since a line of a strange timestamp is recorded on the day on which it comes",
    ),
  ),
  distant: v.pipe(
    v.nullable(v.strictObject({ lines: linesSchema, sum: sumSchema })),
    v.description(
      `The lines of all minutes outside of the day but for the ${OUTSIDE_MINUTES_LIMIT} nearest to it; null for none`,
    ),
  ),
  withoutIdentity: v.pipe(
    countSchema,
    v.description("How many lines besides are in no sum: envelopes, and lines without a usable timestamp"),
  ),
});

/** See {@linkcode digestSchema}. */
export type DigestAnswer = v.InferOutput<typeof digestSchema>;

/** Writes the digest of a day as answers show it. */
export function digestAnswer(day: DayNumber, table: MinuteTable): DigestAnswer {
  const { lines, sums, distantLines, distantSum, withoutIdentity } = table;
  return {
    day: dayName(day),
    identity: { version: IDENTITY_VERSION, ...FULL_IDENTITY },
    minutes: minuteNames(table.minutes).map((minute, index) => ({
      minute,
      lines: lines[index]!,
      sum: sumText(sums, index),
    })),
    distant: distantLines === 0 ? null : { lines: distantLines, sum: sumText(distantSum, 0) },
    withoutIdentity,
  };
}

/** `2026-11-22T10:00:00Z` for each of `minutes`, counted since 1970. A date is written once for the minutes of its day. */
function minuteNames(minutes: Float64Array): string[] {
  const names: string[] = [];
  let day = NaN;
  let date = "";
  for (const minute of minutes) {
    const dayOfMinute = Math.floor(minute / DAY_MINUTES);
    if (dayOfMinute !== day) date = dayName(day = dayOfMinute);
    const minuteOfDay = minute - day * DAY_MINUTES;
    names.push(`${date}T${twoDigits(Math.floor(minuteOfDay / 60))}:${twoDigits(minuteOfDay % 60)}:00Z`);
  }
  return names;
}

function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}
