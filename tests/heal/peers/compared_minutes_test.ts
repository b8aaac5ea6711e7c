import assert from "node:assert/strict";
import { COMPARED_MINUTES_LIMIT, ComparedMinutes } from "../../../lib/heal/peers/compared_minutes.ts";

const MINUTE = { peer: "http://peer", day: 20_779, minute: 29_922_360 };
const [THEIRS, OURS] = [{ lines: 3, sum: "3" }, { lines: 2, sum: "2" }];

Deno.test("ComparedMinutes knows a minute as long as neither side has anything else", () => {
  const compared = new ComparedMinutes();
  assert.equal(compared.isKnown(MINUTE, THEIRS, OURS), false);
  compared.note(MINUTE, THEIRS, OURS);
  assert.equal(compared.isKnown(MINUTE, THEIRS, OURS), true);
  assert.equal(compared.isKnown(MINUTE, { lines: 3, sum: "4" }, OURS), false);
  assert.equal(compared.isKnown(MINUTE, THEIRS, { lines: 3, sum: "2" }), false);
  assert.equal(compared.isKnown(MINUTE, THEIRS, undefined), false);
  assert.equal(compared.isKnown({ ...MINUTE, peer: "http://other" }, THEIRS, OURS), false);
  assert.equal(compared.isKnown({ ...MINUTE, day: 20_778 }, THEIRS, OURS), false);
});

Deno.test("ComparedMinutes forgets the minute that was compared longest ago", () => {
  const compared = new ComparedMinutes();
  for (let n = 0; n < COMPARED_MINUTES_LIMIT; n++) compared.note({ ...MINUTE, minute: n }, THEIRS, OURS);
  compared.note({ ...MINUTE, minute: 0 }, THEIRS, OURS);
  compared.note({ ...MINUTE, minute: -1 }, THEIRS, OURS);
  assert.equal(compared.isKnown({ ...MINUTE, minute: 0 }, THEIRS, OURS), true);
  assert.equal(compared.isKnown({ ...MINUTE, minute: 1 }, THEIRS, OURS), false);
});
