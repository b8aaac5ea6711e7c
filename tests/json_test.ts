import assert from "node:assert/strict";
import { parseJson } from "../lib/json.ts";

Deno.test("parseJson() returns what a text says, and undefined where it is no JSON", () => {
  assert.deepEqual(parseJson('{"a":[1,null]}'), { a: [1, null] });
  assert.equal(parseJson("null"), null);
  for (const text of ["", "{", '{"a":1}x', "undefined", "\0"]) assert.equal(parseJson(text), undefined, text);
});
