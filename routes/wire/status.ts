/**
 * Promises the answer of `GET /status`: everything that a recorder knows about itself.
 *
 * @module
 */

import * as v from "valibot";
import { RECORDER_STATES } from "../../lib/recorder/status.ts";
import { gapSchema } from "./gaps.ts";
import { heldSchema } from "./held.ts";
import { countSchema, timeSchema } from "./scalars.ts";

const canarySchema = v.strictObject({
  everReturned: v.pipe(v.boolean(), v.description("Whether one ever came back")),
  missed: v.pipe(countSchema, v.description("How many in a row did not come back")),
  roundTripMs: v.pipe(
    v.nullable(v.number()),
    v.description("How long the last one that came back was on its way, in milliseconds; null before"),
  ),
});

const sessionSchema = v.strictObject({
  state: v.pipe(v.picklist(RECORDER_STATES), v.description("What the recorder is doing")),
  since: v.pipe(timeSchema, v.description("Since when")),
  server: v.pipe(
    v.string(),
    v.url(),
    v.check((server) => !server.includes("@")),
    v.description("The server's URL, without credentials"),
  ),
  lastLine: v.pipe(v.nullable(timeSchema), v.description("When the last line came; null before the first")),
  lagMs: v.pipe(
    v.nullable(v.number()),
    v.description("How long the last line was on its way, in milliseconds; null before the first"),
  ),
  canary: v.pipe(
    v.nullable(canarySchema),
    v.description(
      "What is known of the lines that are sent through Fly's pipeline as a proof that it works; " +
        "null where none are sent",
    ),
  ),
  lastError: v.pipe(
    v.nullable(v.strictObject({
      at: v.pipe(timeSchema, v.description("When")),
      message: v.pipe(v.string(), v.description("What, in words without secrets")),
    })),
    v.description("What last ended a session or refused a write; null if nothing did"),
  ),
});

const countersSchema = v.strictObject({
  received: v.pipe(countSchema, v.description("Messages that arrived; each is in one of the others")),
  recorded: v.pipe(countSchema, v.description("Lines handed to the archive, rejected ones too")),
  rejected: v.pipe(countSchema, v.description("Messages that are no Fly log record, kept in an envelope")),
  filtered: v.pipe(countSchema, v.description("Messages left out on purpose")),
  empty: v.pipe(countSchema, v.description("Messages without a payload")),
  dropped: v.pipe(countSchema, v.description("Messages lost because nothing could hold them")),
  bytes: v.pipe(countSchema, v.description("Payload bytes that arrived")),
});

const archiveSchema = v.strictObject({
  days: v.pipe(countSchema, v.description("How many days there are")),
  lines: v.pipe(countSchema, v.description("How many lines they have")),
  bytes: v.pipe(countSchema, v.description("The size of their text in bytes")),
  gzBytes: v.pipe(countSchema, v.description("The size of their gzip files in bytes")),
});

const findingSchema = v.strictObject({
  file: v.pipe(v.string(), v.description("The file's name")),
  what: v.pipe(v.string(), v.description("What was out of order, and what was done about it")),
});

const diskSchema = v.strictObject({
  totalBytes: v.pipe(countSchema, v.description("Its size")),
  freeBytes: v.pipe(countSchema, v.description("What can still be written")),
});

const scrubSchema = v.strictObject({
  lastFinished: v.pipe(
    v.nullable(timeSchema),
    v.description("When all days had been read back; null before"),
  ),
  daysChecked: v.pipe(countSchema, v.description("How many are by now")),
  damaged: v.pipe(
    v.array(v.strictObject({
      day: v.pipe(v.string(), v.description("The day")),
      what: v.pipe(v.string(), v.description("What is damaged")),
    })),
    v.description("What could not be put right"),
  ),
});

const healingSchema = v.strictObject({
  due: v.pipe(countSchema, v.description("How many gaps wait for lines that a source may have")),
  working: v.pipe(v.nullable(v.string()), v.description("What is being looked for; null for nothing")),
  beforeDone: v.pipe(
    v.nullable(timeSchema),
    v.description("Up to where the days before the first start are gone through; null where they are not"),
  ),
  lines: v.pipe(
    v.strictObject({
      peers: v.pipe(countSchema, v.description("Lines that other recorders had")),
      fly: v.pipe(countSchema, v.description("Lines that Fly's own store had")),
    }),
    v.description("How many lines were brought back since the process started, by who had them"),
  ),
});

/** The answer of `GET /status`. */
export const statusSchema = v.strictObject({
  version: v.pipe(v.string(), v.description("The program's version")),
  ready: v.pipe(v.boolean(), v.description("Whether lines are being recorded")),
  reasons: v.pipe(v.array(v.string()), v.description("Why not; empty when ready")),
  session: v.pipe(sessionSchema, v.description("The session with the server")),
  counters: v.pipe(countersSchema, v.description("What was counted since the process started")),
  archive: v.pipe(archiveSchema, v.description("What lies in the archive")),
  held: v.pipe(
    v.nullable(heldSchema),
    v.description("Lines that came and cannot be read yet, since the disk does not take them; null for none"),
  ),
  repaired: v.pipe(
    v.array(findingSchema),
    v.description("What was out of order in the archive since the process started, the latest of it"),
  ),
  disk: v.pipe(
    v.nullable(diskSchema),
    v.description("The volume under the archive; null where it could not be measured"),
  ),
  scrub: v.pipe(scrubSchema, v.description("What came of reading the days back")),
  healing: v.pipe(
    v.nullable(healingSchema),
    v.description("What is known of bringing back missing lines; null where nobody is asked for them"),
  ),
  lastGap: v.pipe(
    v.nullable(gapSchema),
    v.description("The gap that began last; null if there never was one"),
  ),
});

/** See {@linkcode statusSchema}. */
export type StatusAnswer = v.InferOutput<typeof statusSchema>;
