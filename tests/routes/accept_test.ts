import assert from "node:assert/strict";
import { acceptsByName } from "../../routes/accept.ts";

for (
  const [header, expected] of [
    ["text/html", true],
    ["TEXT/HTML", true],
    ["application/json, text/html;charset=utf-8;q=0.1", true],
    [" text/html ; q=1 ", true],
    [undefined, false],
    ["", false],
    ["*/*", false],
    ["text/*", false],
    ["text/html;q=0", false],
    ["text/html; q=0.000, */*", false],
    ["text/htmlx", false],
  ] as const
) {
  Deno.test(`acceptsByName() is ${expected} of text/html for the header ${JSON.stringify(header)}`, () => {
    assert.equal(acceptsByName(header, "text/html"), expected);
  });
}
