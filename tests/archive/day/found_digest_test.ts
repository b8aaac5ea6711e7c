import assert from "node:assert/strict";
import { digestFound } from "../../../lib/archive/day/found_digest.ts";
import { LineIdentifier } from "../../../lib/line/identity.ts";
import { MinuteSums } from "../../../lib/line/minute_sums.ts";
import { DAY, TestDirectory } from "../archive_rig.ts";
import { foundLines, linesBetween } from "../healing_rig.ts";

Deno.test("digestFound() adds up the lines of a file by their own minutes, and counts those without identity", async () => {
  using directory = new TestDirectory();
  const lines = linesBetween("found", 36_000, 36_200, 1, 5000);
  const untimed = { text: '{"message":"no time"}', second: 36_199 };
  using found = await foundLines(directory.path, [...lines, untimed]);
  await found.close();
  const sums = new MinuteSums(DAY);
  const identifier = new LineIdentifier();
  for (const { text } of lines) {
    const bytes = new TextEncoder().encode(text);
    const identity = identifier.identify(bytes, 0, bytes.length)!;
    sums.add(identifier.seconds, identity);
  }
  sums.addWithoutIdentity();
  assert.deepEqual(digestFound({ kind: "digestFound", day: DAY, foundPath: found.path }), sums.table());
});
