/**
 * Promises the answer of `GET /logs`: the days and what there is of each.
 *
 * @module
 */

import * as v from "valibot";
import { gapSchema } from "./gaps.ts";
import { countSchema, dayNameSchema, lineTimeSchema } from "./scalars.ts";

const linkSchema = v.pipe(v.string(), v.startsWith("/logs/"));

/** One day of {@linkcode daysSchema}. */
export const daySchema = v.strictObject({
  day: v.pipe(dayNameSchema, v.description("The UTC day, YYYY-MM-DD")),
  lines: v.pipe(countSchema, v.description("How many lines it has")),
  bytes: v.pipe(countSchema, v.description("The size of its text in bytes")),
  gzBytes: v.pipe(
    countSchema,
    v.description("The size of its gzip file in bytes, so far while it is not sealed"),
  ),
  first: v.pipe(
    v.nullable(lineTimeSchema),
    v.description("The smallest timestamp of a line; null if no line has one"),
  ),
  last: v.pipe(
    v.nullable(lineTimeSchema),
    v.description("The largest timestamp of a line; null if no line has one"),
  ),
  sealed: v.pipe(
    v.boolean(),
    v.description("Whether it is complete and no longer changes, unless a line comes very late"),
  ),
  held: v.pipe(
    countSchema,
    v.description("How many more lines came and cannot be read yet, since the disk does not take them"),
  ),
  gaps: v.pipe(v.array(gapSchema), v.description("The gaps that touch it")),
  links: v.pipe(
    v.strictObject({
      jsonl: v.pipe(linkSchema, v.description("Its lines")),
      gz: v.pipe(linkSchema, v.description("A gzip file of them")),
      text: v.pipe(linkSchema, v.description("The same as text for people")),
    }),
    v.description("Where to get it"),
  ),
});

/** See {@linkcode daySchema}. */
export type DayAnswer = v.InferOutput<typeof daySchema>;

/** The answer of `GET /logs`. */
export const daysSchema = v.strictObject({
  days: v.pipe(v.array(daySchema), v.description("The days, newest first")),
});

/** See {@linkcode daysSchema}. */
export type DaysAnswer = v.InferOutput<typeof daysSchema>;
