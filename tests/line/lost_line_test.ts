import assert from "node:assert/strict";
import { recoverPayload } from "../../lib/line/envelope.ts";
import { parseFlyRecord } from "../../lib/line/fly_log.ts";
import { isLostLine, lostLines } from "../../lib/line/lost_line.ts";

const TIMESTAMP = "2026-11-22T10:00:04.500000000Z";
const decoder = new TextDecoder();

Deno.test("lostLines() makes records of exactly as many bytes, whatever that is", () => {
  for (
    const length of [15, 16, 44, 45, 100, 163, 164, 5000, 1 << 20, (1 << 20) + 1, (1 << 20) + 14, 3_000_000]
  ) {
    const lines = [...lostLines(length, TIMESTAMP)];
    assert.equal(lines.reduce((sum, line) => sum + line.length, 0), length, `${length}`);
    for (const line of lines) {
      assert.equal(line.indexOf(0x0a), line.length - 1);
      assert.notEqual(
        parseFlyRecord(line.subarray(0, -1)).record,
        undefined,
        decoder.decode(line.slice(0, 200)),
      );
      assert.ok(line.length <= 1 << 20);
    }
  }
});

Deno.test("lostLines() makes lines that say what they are", () => {
  const [line] = lostLines(200, TIMESTAMP);
  const text = decoder.decode(line);
  assert.deepEqual(JSON.parse(text), {
    timestamp: TIMESTAMP,
    message: "flightlog: 200 bytes of lines are lost here",
    log: { level: "error" },
    flightlog: { lost: 200 },
  });
  assert.equal(isLostLine(text), true);
  assert.equal(recoverPayload(line!), null);
  assert.equal(isLostLine('{"message":"a line"}'), false);
});

Deno.test("lostLines() leaves a place empty in which no record has room", () => {
  assert.deepEqual([...lostLines(3, TIMESTAMP)].map((line) => decoder.decode(line)), ["  \n"]);
});
