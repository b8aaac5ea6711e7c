import assert from "node:assert/strict";
import { emptyDay } from "../../../lib/archive/day/day_info.ts";
import { DAY, DAY_NAME } from "../archive_rig.ts";

Deno.test("emptyDay() is a day without lines and files, whose blocks would begin at 0", () => {
  const { seal, plain, part, tail, modifiedMs } = emptyDay(DAY, 7);
  assert.deepEqual({ seal, plain, modifiedMs, lines: tail.lines }, {
    ...{ seal: null, plain: null, modifiedMs: 7, lines: 0 },
  });
  const { day, rawFrom, gzFrom } = part.header;
  assert.deepEqual([day, rawFrom, gzFrom, part.blocks], [DAY_NAME, 0, 0, []]);
});
