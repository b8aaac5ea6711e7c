import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureDir, exists, walk, type WalkOptions } from "@std/fs";

Deno.test("ensureDir() makes a directory and those above it, and is content when it is there", async () => {
  await using directory = await makeTree([]);
  const path = join(directory.path, "a", "b");
  await ensureDir(path);
  await ensureDir(pathToFileURL(path));
  assert.equal((await Deno.stat(path)).isDirectory, true);
});

Deno.test("ensureDir() takes a symlink to a directory as one", async () => {
  await using directory = await makeTree(["real/file"]);
  await Deno.symlink(join(directory.path, "real"), join(directory.path, "link"));
  await ensureDir(join(directory.path, "link"));
});

Deno.test("ensureDir() throws when a file has that name", async () => {
  await using directory = await makeTree(["file"]);
  await assert.rejects(ensureDir(join(directory.path, "file")), {
    message: "Failed to ensure directory exists: expected 'dir', got 'file'",
  });
});

Deno.test("ensureDir() throws when it goes through a file", async () => {
  await using directory = await makeTree(["file"]);
  await assert.rejects(ensureDir(join(directory.path, "file", "below")), Deno.errors.NotADirectory);
});

Deno.test("exists() tells files and directories from what is not there", async () => {
  await using directory = await makeTree(["sub/file"]);
  const sub = join(directory.path, "sub");
  const file = join(sub, "file");
  assert.equal(await exists(file), true);
  assert.equal(await exists(pathToFileURL(sub)), true);
  assert.equal(await exists(join(sub, "none")), false);
  assert.equal(await exists(file, { isFile: true }), true);
  assert.equal(await exists(file, { isDirectory: true }), false);
  assert.equal(await exists(sub, { isDirectory: true }), true);
  assert.equal(await exists(sub, { isFile: true }), false);
  await assert.rejects(exists(file, { isFile: true, isDirectory: true }), TypeError);
});

Deno.test("exists() with isReadable looks at the mode for the owner", async () => {
  await using directory = await makeTree(["open", "shut"]);
  await Deno.chmod(join(directory.path, "shut"), 0o200);
  assert.equal(await exists(join(directory.path, "open"), { isReadable: true }), true);
  assert.equal(await exists(join(directory.path, "shut"), { isReadable: true }), false);
  assert.equal(await exists(join(directory.path, "shut")), true);
});

Deno.test("walk() yields the root and everything below it", async () => {
  await using directory = await makeTree(["a.txt", "sub/b.txt", "sub/deep/c.log"]);
  assert.deepEqual(await names(directory.path), [
    "",
    "a.txt",
    "sub",
    "sub/b.txt",
    "sub/deep",
    "sub/deep/c.log",
  ]);
  assert.deepEqual(
    await names(pathToFileURL(directory.path), {}, directory.path),
    await names(directory.path),
  );
});

Deno.test("walk() yields only what its options ask for", async () => {
  await using directory = await makeTree(["a.txt", "sub/b.txt", "sub/deep/c.log"]);
  const cases: [WalkOptions, string[]][] = [
    [{ maxDepth: 0 }, [""]],
    [{ maxDepth: 1 }, ["", "a.txt", "sub"]],
    [{ maxDepth: -1 }, []],
    [{ includeDirs: false }, ["a.txt", "sub/b.txt", "sub/deep/c.log"]],
    [{ includeFiles: false }, ["", "sub", "sub/deep"]],
    [{ exts: ["txt"], includeDirs: false }, ["a.txt", "sub/b.txt"]],
    [{ exts: [".log"], includeDirs: false }, ["sub/deep/c.log"]],
    [{ match: [/b\.txt$/g] }, ["sub/b.txt"]],
    [{ skip: [/deep$/] }, ["", "a.txt", "sub", "sub/b.txt"]],
  ];
  for (const [options, expected] of cases) assert.deepEqual(await names(directory.path, options), expected);
});

Deno.test("walk() goes into symlinks only when asked to", async () => {
  await using directory = await makeTree(["real/file", "root/kept"]);
  const root = join(directory.path, "root");
  await Deno.symlink(join(directory.path, "real"), join(root, "link"));
  assert.deepEqual(await names(root), ["", "kept", "link"]);
  assert.deepEqual(await names(root, { includeSymlinks: false }), ["", "kept"]);
  const followed = await names(root, { followSymlinks: true, canonicalize: false });
  assert.deepEqual(followed, ["", "kept", "link", "link/file"]);
  const real = await Deno.realPath(join(directory.path, "real", "file"));
  const found = await Array.fromAsync(walk(root, { followSymlinks: true }), ({ path }) => path);
  assert.ok(found.includes(real), `${found}`);
});

Deno.test("walk() throws when the root is not there", async () => {
  await assert.rejects(Array.fromAsync(walk("/nowhere/at/all")), Deno.errors.NotFound);
});

async function makeTree(files: string[]): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "flightlog-fs-" });
  for (const file of files) {
    await Deno.mkdir(join(path, file, ".."), { recursive: true });
    await Deno.writeTextFile(join(path, file), "x");
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function names(root: string | URL, options: WalkOptions = {}, from = String(root)): Promise<string[]> {
  const paths = await Array.fromAsync(walk(root, options), ({ path }) => path);
  return paths.map((path) => path.slice(from.length + 1)).sort();
}
