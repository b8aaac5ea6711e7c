import assert from "node:assert/strict";
import { NoRoom } from "../../lib/machine/memory_budget.ts";
import { Problem } from "../../routes/problem.ts";
import { reserve } from "../../routes/reader_place.ts";
import { anyHold, createParts, noLines } from "./rig.ts";

const signal = new AbortController().signal;

/** Parts whose reader has what `given` says instead of a place. */
function partsWith(given: () => ReturnType<typeof noLines.reserve>) {
  return createParts({ lines: { ...noLines, reserve: given } });
}

Deno.test("reserve() gives the place that there is", async () => {
  const hold = anyHold();
  assert.equal(await reserve(partsWith(() => Promise.resolve(hold)), signal), hold);
});

Deno.test("reserve() answers 503 and says when to come back where there is no place", async () => {
  const parts = partsWith(() => Promise.reject(new NoRoom("Cannot read for one more")));
  await assert.rejects(reserve(parts, signal), (error) => {
    assert.ok(error instanceof Problem);
    const { status, headers } = error.toResponse();
    assert.deepEqual([status, headers.get("Retry-After")], [503, "5"]);
    return true;
  });
});

Deno.test("reserve() passes any other failure on", async () => {
  const parts = partsWith(() => Promise.reject(new Error("the archive is closed")));
  await assert.rejects(reserve(parts, signal), /the archive is closed/);
});
