import assert from "node:assert/strict";
import { isAboutPackage, lintDocs, readComplaints } from "./lint_docs.ts";

/** What comes first, so that the comment of the module is not that of what a test writes. */
const HEAD = "/**\n * A module.\n *\n * @module\n */\n\n/** Zero. */\nexport const ZERO = 0;\n\n";

/** The rules by which a module with this text is at fault. */
async function rulesAgainst(source: string): Promise<string[]> {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/other.ts`, `${HEAD}/** Other. */\nexport interface Other {}\n`);
    await Deno.writeTextFile(`${directory}/module.ts`, HEAD + source);
    return (await lintDocs([`${directory}/module.ts`])).map(({ rule }) => rule);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

for (
  const [what, source, rules] of [
    ["a function with a docstring", "/** Is one. */\nexport function one(): number {\n  return 1;\n}\n", []],
    ["one without", "export function one(): number {\n  return 1;\n}\n", ["missing-jsdoc"]],
    ["a member without", "/** It. */\nexport interface It {\n  a: number;\n}\n", ["missing-jsdoc"]],
    ["a constant without a type", "/** One. */\nexport const one = [1].map(String);\n", [
      "missing-explicit-type",
    ]],
    [
      "a type of its own that is private",
      "interface Own {}\n/** Is one. */\nexport function one(): Own {\n  return {};\n}\n",
      ["private-type-ref"],
    ],
  ] as [string, string, string[]][]
) {
  Deno.test(`lintDocs() finds ${rules[0] ?? "nothing"} in ${what}`, async () => {
    assert.deepEqual(await rulesAgainst(source), rules);
  });
}

const REFERENCE = {
  rule: "private-type-ref",
  message: "public type 'f' references private type 'Hono'",
  file: "",
  line: 3,
};

for (
  const [source, expected] of [
    ['import { Hono } from "hono";\n', true],
    ['import { type Context, Hono } from "hono";\n', true],
    ['import type {\n  Context,\n  Hono,\n} from "hono";\n', true],
    ['import * as h from "hono";\n\nexport function f(): h.Hono {}\n', true],
    ['import * as h from "hono";\n\nexport function f(): h.Honolulu {}\n', false],
    ['import { Hono } from "./hono.ts";\n', false],
    ['import { Hono } from "node:hono";\n', false],
    ['import { Context } from "hono";\n', false],
    ["", false],
  ] as [string, boolean][]
) {
  Deno.test(`isAboutPackage() is ${expected} of a type where the file has ${JSON.stringify(source)}`, () => {
    assert.equal(isAboutPackage(REFERENCE, source), expected);
  });
}

Deno.test("isAboutPackage() is true of a schema whose type is inferred, and of no other constant", () => {
  const complaint = {
    rule: "missing-explicit-type",
    message: "exported symbol is missing",
    file: "",
    line: 3,
  };
  const source = (line: string) => `import * as v from "valibot";\n\n${line}\n`;
  assert.ok(isAboutPackage(complaint, source("export const gapSchema = v.strictObject({});")));
  assert.ok(!isAboutPackage(complaint, source("export const gapSchema = makeSchema();")));
  assert.ok(!isAboutPackage(complaint, source("export const gap = v.parse(gapSchema, {});")));
  assert.ok(
    !isAboutPackage({ ...complaint, rule: "missing-jsdoc" }, source("export const gapSchema = v.any();")),
  );
});

Deno.test("readComplaints() fails when it understands less than deno doc says there is", () => {
  assert.throws(() => readComplaints("error: Found 2 documentation lint errors.\n"), /0 of 2 complaints/);
});
