import assert from "node:assert/strict";
import * as v from "valibot";
import { daysSchema } from "../../../routes/wire/days.ts";
import { digestSchema } from "../../../routes/wire/digest.ts";
import { eventSchemas } from "../../../routes/wire/events.ts";
import { gapsSchema } from "../../../routes/wire/gaps.ts";
import { problemSchema } from "../../../routes/wire/problem.ts";
import { statusSchema } from "../../../routes/wire/status.ts";

/** A schema as far as this test looks into it. */
interface Schema {
  type: string;
  entries?: Record<string, Schema>;
  item?: Schema;
  wrapped?: Schema;
  pipe?: Schema[];
}

/** The paths of the members below `schema` that say nothing about themselves, and of the objects that are loose. */
function faultsIn(schema: Schema, path: string): string[] {
  const faults: string[] = [];
  if (/^(loose_)?object/.test(schema.type)) faults.push(`${path} lets other members through`);
  for (const [name, member] of Object.entries(schema.entries ?? {})) {
    const inner = `${path}.${name}`;
    if (v.getDescription(member as unknown as v.GenericSchema) === undefined) {
      faults.push(`${inner} has no description`);
    }
    faults.push(...faultsIn(member, inner));
  }
  for (const inner of [schema.item, schema.wrapped, ...(schema.pipe ?? [])]) {
    if (inner !== undefined && inner !== schema) faults.push(...faultsIn(inner, path));
  }
  return [...new Set(faults)];
}

const SCHEMAS = {
  days: daysSchema,
  digest: digestSchema,
  gaps: gapsSchema,
  status: statusSchema,
  problem: problemSchema,
  ...eventSchemas,
};

for (const [name, schema] of Object.entries(SCHEMAS)) {
  Deno.test(`The schema of ${name} is strict and describes each of its members`, () => {
    assert.deepEqual(faultsIn(schema as unknown as Schema, name), []);
  });
}

Deno.test("A schema that is loose or leaves a member without a description is noticed", () => {
  const schema = v.strictObject({ list: v.array(v.object({ a: v.string() })) });
  assert.deepEqual(faultsIn(schema as unknown as Schema, "it"), [
    "it.list has no description",
    "it.list lets other members through",
    "it.list.a has no description",
  ]);
});
