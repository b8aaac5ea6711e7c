import assert from "node:assert/strict";
import { NulFreeBytes } from "../../../lib/archive/read/nul_free_bytes.ts";
import { MemoryBytes } from "./memory_bytes.ts";

Deno.test("NulFreeBytes.read() returns what has no NUL, and says where the first one stands in what has", async () => {
  using bytes = new NulFreeBytes(new MemoryBytes("day", new TextEncoder().encode("ab\0\0ef")));
  assert.equal(new TextDecoder().decode(await bytes.read(0, 2)), "ab");
  assert.equal(new TextDecoder().decode(await bytes.read(4, 2)), "ef");
  await assert.rejects(bytes.read(1, 5), {
    message: 'Cannot read "day": there is a NUL at 2, where lines were written',
  });
  assert.equal(await bytes.size(), 6);
});
