/**
 * Promises one spelling for each kind of value in the answers: sizes, counts, times and days.
 *
 * @module
 */

import * as v from "valibot";
import { parseDayName } from "../../lib/day.ts";

/** A count, or a size in bytes: a whole number from 0 on that a JSON number holds exactly. */
export const countSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A moment to the millisecond, RFC 3339 in UTC, as this program's own clock tells it. */
export const timeSchema = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));

/** A line's own timestamp, RFC 3339 in UTC: Fly writes up to nine decimals. */
export const lineTimeSchema = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/));

/** A day that exists, `YYYY-MM-DD`. */
export const dayNameSchema = v.pipe(v.string(), v.check((day) => parseDayName(day) !== null));
