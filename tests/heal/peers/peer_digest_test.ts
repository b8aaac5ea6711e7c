import assert from "node:assert/strict";
import { isSame, ownDigest, readDigest } from "../../../lib/heal/peers/peer_digest.ts";
import { MinuteSums } from "../../../lib/line/minute_sums.ts";
import { digestAnswer } from "../../../routes/wire/digest.ts";
import { DAY } from "../../archive/archive_rig.ts";

Deno.test("readDigest() reads of an answer what ownDigest() knows of the same lines", () => {
  const sums = new MinuteSums(DAY);
  sums.add(DAY * 86_400 + 36_000, "1".repeat(32));
  sums.add(DAY * 86_400 + 36_000, "2".repeat(32));
  sums.add(DAY * 86_400 - 1, "f".repeat(32));
  sums.addWithoutIdentity();
  const own = ownDigest(sums.table());
  assert.deepEqual(readDigest(JSON.stringify(digestAnswer(DAY, sums.table())), "peer", DAY), own);
  assert.deepEqual([...own.minutes.values()].map(({ lines }) => lines), [1, 2]);
  assert.equal(own.withoutIdentity, 1);
});

Deno.test("isSame() is so of the same lines, and of none", () => {
  const one = { lines: 1, sum: "1" };
  assert.equal(isSame(one, { ...one }), true);
  assert.equal(isSame(undefined, undefined), true);
  assert.equal(isSame(one, { lines: 1, sum: "2" }), false);
  assert.equal(isSame(one, { lines: 2, sum: "1" }), false);
  assert.equal(isSame(one, undefined), false);
});
