import assert from "node:assert/strict";
import * as v from "valibot";
import { problemHead, problemSchema } from "../../../routes/wire/problem.ts";

const NOT_FOUND = { ...problemHead("not-found"), detail: "Ask for / to see what there is" };

Deno.test("problemHead() has the type, the title and the status of a name", () => {
  assert.deepEqual(problemHead("not-found"), {
    type: "urn:flightlog:problem:not-found",
    title: "There is nothing here",
    status: 404,
  });
});

Deno.test("problemSchema takes a problem whose members belong together, and no other", () => {
  const notReady = { ...problemHead("not-ready"), detail: "See reasons", reasons: ["The disk is full"] };
  assert.ok(v.is(problemSchema, NOT_FOUND));
  assert.ok(v.is(problemSchema, { ...NOT_FOUND, param: "day" }));
  assert.ok(v.is(problemSchema, notReady));
  for (
    const wrong of [
      { ...NOT_FOUND, status: 410 },
      { ...NOT_FOUND, title: "A token is needed" },
      { ...NOT_FOUND, type: "urn:flightlog:problem:unheard-of" },
      { ...NOT_FOUND, detail: "" },
      { ...NOT_FOUND, reasons: ["The disk is full"] },
      { ...NOT_FOUND, instance: "/x" },
      { ...notReady, reasons: undefined },
    ]
  ) assert.ok(!v.is(problemSchema, wrong), JSON.stringify(wrong));
});
