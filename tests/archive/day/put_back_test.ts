import assert from "node:assert/strict";
import { COPY_BYTES } from "../../../lib/archive/disk.ts";
import { openPlainFile } from "../../../lib/archive/day/plain_file.ts";
import { putFileBack } from "../../../lib/archive/day/put_back.ts";
import { TestDirectory } from "../archive_rig.ts";

/** A file that was opened, got `bytes`, and was removed with the directory that it was in. */
async function removedFile(directory: TestDirectory, bytes: Uint8Array<ArrayBuffer>) {
  const parent = directory.file("logs");
  await Deno.mkdir(parent);
  const file = await openPlainFile(`${parent}/day`);
  await file.write(bytes);
  await Deno.remove(parent, { recursive: true });
  return { path: `${parent}/day`, file };
}

Deno.test("putFileBack() makes a file of more than one piece again, and its directory", async () => {
  using directory = new TestDirectory();
  const bytes = Uint8Array.from({ length: 2 * COPY_BYTES + 3 }, (_, at) => at % 251);
  const { path, file } = await removedFile(directory, bytes);
  assert.deepEqual(await putFileBack(path, file, bytes.length), { size: bytes.length, aside: null });
  assert.deepEqual(await Deno.readFile(path), bytes);
  file.close();
});

Deno.test("putFileBack() copies as much as is asked for, and as much as there is", async () => {
  using directory = new TestDirectory();
  const { path, file } = await removedFile(directory, new TextEncoder().encode("12345"));
  assert.deepEqual(await putFileBack(path, file, 3), { size: 3, aside: null });
  assert.equal(await Deno.readTextFile(path), "123");
  assert.deepEqual(await putFileBack(path, file, 9), { size: 5, aside: "day.damaged" });
  assert.equal(await Deno.readTextFile(path), "12345");
  file.close();
});

Deno.test("putFileBack() keeps what stands in its place, a link to nowhere too", async () => {
  using directory = new TestDirectory();
  const { path, file } = await removedFile(directory, new TextEncoder().encode("12345"));
  await Deno.mkdir(directory.file("logs"));
  await Deno.symlink("nowhere", path);
  assert.deepEqual(await putFileBack(path, file, 5), { size: 5, aside: "day.damaged" });
  assert.equal(await Deno.readLink(`${path}.damaged`), "nowhere");
  assert.equal(await Deno.readTextFile(path), "12345");
  file.close();
});

Deno.test("putFileBack() that fails leaves what stands in its place, and nothing besides", async () => {
  using directory = new TestDirectory();
  const { path, file } = await removedFile(directory, new TextEncoder().encode("12345"));
  await Deno.mkdir(directory.file("logs"));
  await Deno.writeTextFile(path, "other");
  const failing = { ...file, read: () => Promise.reject(new Error("Input/output error (os error 5)")) };
  await assert.rejects(putFileBack(path, failing, 5), /Input\/output error/);
  assert.equal(await Deno.readTextFile(path), "other");
  assert.deepEqual([...Deno.readDirSync(directory.file("logs"))].map(({ name }) => name), ["day"]);
  file.close();
});
