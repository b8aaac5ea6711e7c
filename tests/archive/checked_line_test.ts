import assert from "node:assert/strict";
import { checkedLine, readCheckedLine } from "../../lib/archive/checked_line.ts";

const LINE = '{"name":"wörker 日本","check":"9ca23abf"}'; // the CRC-32 that gzip gives for {"name":"wörker 日本"

Deno.test("checkedLine() ends a line with the CRC-32 of its bytes", () => {
  assert.equal(checkedLine({ name: "wörker 日本" }), LINE);
  assert.equal(checkedLine({ id: 1, cause: "stop" }), '{"id":1,"cause":"stop","check":"928c8780"}');
});

Deno.test("readCheckedLine() gives what was written, and tells a line of an old file by its missing checksum", () => {
  assert.deepEqual(readCheckedLine(LINE), { json: '{"name":"wörker 日本"}', check: "right" });
  assert.deepEqual(readCheckedLine('{"id":1}'), { json: '{"id":1}', check: "none" });
  assert.deepEqual(readCheckedLine(""), { json: "", check: "none" });
});

Deno.test("readCheckedLine() believes no line of which a byte has changed", () => {
  const bytes = new TextEncoder().encode(LINE);
  for (let at = 0; at < bytes.length; at++) {
    for (let value = 0; value < 256; value++) {
      if (value === bytes[at]) continue;
      const changed = bytes.slice();
      changed[at] = value;
      assert.notEqual(readCheckedLine(new TextDecoder().decode(changed)).check, "right", `${at}: ${value}`);
    }
  }
});
