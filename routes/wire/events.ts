/**
 * Promises the data of each event of `/tail` that is not a line of the log. Lines are events without a name.
 *
 * @module
 */

import * as v from "valibot";
import { gapSchema } from "./gaps.ts";
import { heldSchema } from "./held.ts";
import { countSchema } from "./scalars.ts";

/** The data of the event `lagged`: the client reads more slowly than lines come, and gets them from the disk. */
export const laggedSchema = v.strictObject({
  bytes: v.pipe(countSchema, v.description("How many bytes of the archive's text it has yet to get")),
});

/** The data of the named events by their names. */
export const eventSchemas: {
  /** A gap has begun or ended, or lies in what comes next. */
  readonly gap: typeof gapSchema;
  /** Lines of a gap were brought back: it is `healed` now, or `partial`. */
  readonly healed: typeof gapSchema;
  /** Lines came that the disk does not take, or takes by now. */
  readonly held: typeof heldSchema;
  /** See {@linkcode laggedSchema}. */
  readonly lagged: typeof laggedSchema;
} = { gap: gapSchema, healed: gapSchema, held: heldSchema, lagged: laggedSchema };
