import assert from "node:assert/strict";
import { openPlainFile } from "../../../lib/archive/day/plain_file.ts";
import { TestDirectory } from "../archive_rig.ts";

/** What happens to the file at a path, and whether it is still there afterwards. */
const CHANGES: [name: string, change: (directory: TestDirectory) => void, isInPlace: boolean][] = [
  ["nothing happens to it", () => {}, true],
  ["it is cut", (directory) => Deno.truncateSync(directory.file("day"), 2), true],
  ["it is removed", (directory) => directory.remove("day"), false],
  ["it is renamed", (directory) => Deno.renameSync(directory.file("day"), directory.file("old")), false],
  ["a copy takes its place", (directory) => {
    Deno.copyFileSync(directory.file("day"), directory.file("copy"));
    Deno.renameSync(directory.file("copy"), directory.file("day"));
  }, false],
  ["a link to it takes its place", (directory) => {
    Deno.renameSync(directory.file("day"), directory.file("old"));
    Deno.symlinkSync(directory.file("old"), directory.file("day"));
  }, true],
  ["a link to another file takes its place", (directory) => {
    Deno.renameSync(directory.file("day"), directory.file("old"));
    Deno.symlinkSync("/dev/null", directory.file("day"));
  }, false],
];

for (const [name, change, isInPlace] of CHANGES) {
  Deno.test(`look() tells whether a file is in its place after ${name}`, async () => {
    using directory = new TestDirectory();
    const file = await openPlainFile(directory.file("day"));
    await file.write(new TextEncoder().encode("1234"));
    change(directory);
    assert.deepEqual(await file.look(), { isInPlace, size: name === "it is cut" ? 2 : 4 });
    file.close();
  });
}
