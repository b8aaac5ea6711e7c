import assert from "node:assert/strict";
import { COPY_BYTES } from "../../../lib/archive/disk.ts";
import { openPlainFile } from "../../../lib/archive/day/plain_file.ts";
import { isAsWritten, putFileBack } from "../../../lib/archive/day/put_back.ts";
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

const TEXT = "one\ntwo\nthree\n";
const ENDS = [4, 8, 14];

/** What somebody does to a file of {@linkcode TEXT}, and whether it is as it was written afterwards. */
const CHANGES: [name: string, change: (path: string) => void, isRight: boolean][] = [
  ["nothing", () => {}, true],
  ["bytes added at its end", (path) => Deno.writeTextFileSync(path, "x", { append: true }), true],
  ["its last byte cut off", (path) => Deno.truncateSync(path, 13), false],
  ["all of it cut off", (path) => Deno.truncateSync(path, 0), false],
  ["it cut in its last write, and written on after it", (path) => cutAndExtend(path, 10), false],
  ["it cut in its first write, and written on after it", (path) => cutAndExtend(path, 2), false],
  ["it cut where a write has ended, and written on after that", (path) => cutAndExtend(path, 8), false],
  ["it removed", (path) => Deno.removeSync(path), false],
];

function cutAndExtend(path: string, length: number): void {
  Deno.truncateSync(path, length);
  Deno.truncateSync(path, 20);
}

for (const [name, change, isRight] of CHANGES) {
  Deno.test(`isAsWritten() tells after ${name}`, async () => {
    using directory = new TestDirectory();
    const path = directory.file("day");
    const file = await openPlainFile(path);
    await file.write(new TextEncoder().encode(TEXT));
    change(path);
    assert.equal(await isAsWritten(file, ENDS), isRight);
    file.close();
  });
}

Deno.test("isAsWritten() finds the ends of writes wherever they lie, also of an empty file", async () => {
  using directory = new TestDirectory();
  const path = directory.file("day");
  const file = await openPlainFile(path);
  assert.equal(await isAsWritten(file, [0]), true);
  const ends = Array.from({ length: 400 }, (_, number) => (number + 1) * 1000);
  await file.write(new TextEncoder().encode(("x".repeat(999) + "\n").repeat(400)));
  assert.equal(await isAsWritten(file, ends), true);
  for (const end of [1000, 66_000, 200_000, 400_000]) {
    await file.seek(end - 1, Deno.SeekMode.Start);
    await file.write(Uint8Array.of(0));
    assert.equal(await isAsWritten(file, ends), false);
    await file.seek(end - 1, Deno.SeekMode.Start);
    await file.write(Uint8Array.of(0x0a));
  }
  file.close();
});
