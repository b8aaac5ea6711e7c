import assert from "node:assert/strict";
import { findS3ProgramsIn } from "./s3_programs.ts";

const NAMES = ["ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "monmaptool", "ceph-authtool"];

Deno.test("findS3ProgramsIn() takes each program from the first directory that has it", async () => {
  await using first = await TestPrograms.make(["radosgw"]);
  await using second = await TestPrograms.make(NAMES);
  const found = await findS3ProgramsIn(["/no/such/directory", first.path, second.path]);
  assert.ok("programs" in found);
  assert.equal(found.programs.gateway, `${first.path}/radosgw`);
  assert.equal(found.programs.monitor, `${second.path}/ceph-mon`);
});

Deno.test("findS3ProgramsIn() says which program is missing, and what to install", async () => {
  await using some = await TestPrograms.make(NAMES.filter((name) => name !== "radosgw"));
  assert.deepEqual(await findS3ProgramsIn([some.path]), {
    missing: "needs radosgw: apt-get install radosgw ceph-mon ceph-osd ceph-common",
  });
});

/** A directory with files of these names. */
class TestPrograms implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(names: readonly string[]): Promise<TestPrograms> {
    const path = await Deno.makeTempDir();
    for (const name of names) await Deno.writeTextFile(`${path}/${name}`, "");
    return new TestPrograms(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
