import assert from "node:assert/strict";
import { subjectMatches } from "../../lib/filter/subject.ts";

const LINE = ["logs", "web", "fra", "0e28"];

for (
  const pattern of [
    "logs.>",
    ">",
    "logs.web.>",
    "logs.web.fra.0e28",
    "*.*.*.*",
    "logs.*.fra.*",
    "logs.web.fra.>",
  ]
) {
  Deno.test(`a subscription to ${pattern} gets a line of web in fra`, () => {
    assert.equal(subjectMatches(pattern, LINE), true);
  });
}

for (
  const pattern of [
    "logs.api.>",
    "logs.web",
    "logs.*.sjc.*",
    "logs.web.fra.0e28.>",
    "logs.*.*",
    "LOGS.>",
    "logs",
  ]
) {
  Deno.test(`a subscription to ${pattern} does not get a line of web in fra`, () => {
    assert.equal(subjectMatches(pattern, LINE), false);
  });
}

Deno.test("a token that is not known matches a wildcard, and a name only if asked so", () => {
  const unknown = ["logs", "web", null, null];
  assert.deepEqual(
    ["logs.web.>", "logs.web.*.*", "logs.web.fra.*", "logs.api.>"].map((pattern) => [
      subjectMatches(pattern, unknown),
      subjectMatches(pattern, unknown, true),
    ]),
    [[true, true], [true, true], [false, true], [false, false]],
  );
});
