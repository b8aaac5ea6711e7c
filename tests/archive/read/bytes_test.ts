import assert from "node:assert/strict";
import { bytesInPieces, FileBytes } from "../../../lib/archive/read/bytes.ts";
import { TestDirectory } from "../archive_rig.ts";
import { MemoryBytes } from "./memory_bytes.ts";

const decoder = new TextDecoder();

Deno.test("FileBytes.read() reads from any place, several reads at a time", async () => {
  using directory = new TestDirectory();
  directory.write("letters", "abcdefgh");
  using bytes = new FileBytes(directory.file("letters"));
  const read = await Promise.all([bytes.read(5, 3), bytes.read(0, 2), bytes.read(3, 0), bytes.read(2, 4)]);
  assert.deepEqual(read.map((part) => decoder.decode(part)), ["fgh", "ab", "", "cdef"]);
  assert.equal(await bytes.size(), 8);
});

Deno.test("FileBytes.read() says which file ends early, where, and how much of it there is", async () => {
  using directory = new TestDirectory();
  directory.write("letters", "abcdefgh");
  using bytes = new FileBytes(directory.file("letters"));
  await assert.rejects(bytes.read(6, 10), {
    message: 'Cannot read 10 bytes at 6 of "letters": it ends after 2 of them',
  });
  assert.equal(decoder.decode(await bytes.read(6, 2)), "gh", "the next read is not hurt");
});

Deno.test("FileBytes reads on when its file is removed", async () => {
  using directory = new TestDirectory();
  directory.write("letters", "abcdefgh");
  using bytes = new FileBytes(directory.file("letters"));
  directory.remove("letters");
  assert.equal(decoder.decode(await bytes.read(0, 8)), "abcdefgh");
});

Deno.test("FileBytes closes its file once, however often it is disposed of", () => {
  using directory = new TestDirectory();
  directory.write("letters", "abcdefgh");
  const bytes = new FileBytes(directory.file("letters"));
  bytes[Symbol.dispose]();
  bytes[Symbol.dispose]();
  // The sanitizer of resources would find it open.
});

Deno.test("new FileBytes() throws where there is no file", () => {
  using directory = new TestDirectory();
  assert.throws(() => new FileBytes(directory.file("letters")), Deno.errors.NotFound);
});

Deno.test("new FileBytes() throws where a FIFO is, and does not wait for somebody who writes to it", async () => {
  using directory = new TestDirectory();
  const path = directory.file("letters");
  await new Deno.Command("mkfifo", { args: [path] }).output();
  assert.throws(() => new FileBytes(path), { message: 'Cannot read "letters": it is no file' });
});

Deno.test("bytesInPieces() gives a part in pieces, the last one shorter", async () => {
  const bytes = new MemoryBytes("letters", new TextEncoder().encode("abcdefgh"));
  const pieces = await Array.fromAsync(bytesInPieces(bytes, 1, 5, 2));
  assert.deepEqual(pieces.map((piece) => decoder.decode(piece)), ["bc", "de", "f"]);
  assert.deepEqual(await Array.fromAsync(bytesInPieces(bytes, 1, 0, 2)), []);
});
