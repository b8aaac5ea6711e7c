import assert from "node:assert/strict";
import { finishRenames } from "../../../lib/archive/repair/finish_rename.ts";
import { TestDirectory } from "../archive_rig.ts";
import { GZ, INDEX, reopened, resealed, sealed } from "./damages.ts";

/** A directory with these files, and what finishing renames finds in it. */
function finish(
  files: Record<string, Uint8Array>,
): { findings: string[]; names: string[]; gz: Uint8Array | null } {
  using directory = new TestDirectory();
  for (const [name, bytes] of Object.entries(files)) directory.write(name, bytes);
  const findings = finishRenames(directory.path).map(({ file, what, damage }) =>
    `${file}: ${what}, ${damage}`
  );
  const names = directory.names();
  return { findings, names, gz: names.includes(GZ) ? directory.read(GZ) : null };
}

const TMP = `${GZ}.tmp`;
const FINISHED = [`${GZ}: took its place: a crash came after that of its index, false`];

Deno.test("finishRenames() gives a gzip file its name that the index is of, in place of the one before", () => {
  const { findings, names, gz } = finish({
    [INDEX]: resealed[INDEX]!,
    [GZ]: reopened[GZ]!,
    [TMP]: resealed[GZ]!,
  });
  assert.deepEqual(findings, FINISHED);
  assert.deepEqual(names, [INDEX, GZ]);
  assert.deepEqual(gz, resealed[GZ]);
});

Deno.test("finishRenames() gives a gzip file its name where there was none before", () => {
  const { findings, gz } = finish({ [INDEX]: sealed[INDEX]!, [TMP]: sealed[GZ]! });
  assert.deepEqual(findings, FINISHED);
  assert.deepEqual(gz, sealed[GZ]);
});

for (
  const [what, files] of [
    ["whose index has not its name yet", {
      [INDEX]: sealed[INDEX]!,
      [GZ]: sealed[GZ]!,
      [TMP]: resealed[GZ]!,
    }],
    ["that is not whole", {
      [INDEX]: resealed[INDEX]!,
      [GZ]: reopened[GZ]!,
      [TMP]: resealed[GZ]!.slice(0, -1),
    }],
    ["of which a byte has changed", {
      ...{ [INDEX]: resealed[INDEX]!, [GZ]: reopened[GZ]! },
      [TMP]: resealed[GZ]!.map((byte, at) => at === 500 ? byte ^ 1 : byte),
    }],
    ["whose index is damaged", {
      [INDEX]: resealed[INDEX]!.slice(0, -1),
      [GZ]: reopened[GZ]!,
      [TMP]: resealed[GZ]!,
    }],
    ["without an index", { [GZ]: reopened[GZ]!, [TMP]: resealed[GZ]! }],
    ["besides one that is right", { [INDEX]: resealed[INDEX]!, [GZ]: resealed[GZ]!, [TMP]: resealed[GZ]! }],
  ] as const
) {
  Deno.test(`finishRenames() leaves a gzip file alone ${what}`, () => {
    const { findings, names } = finish(files);
    assert.deepEqual(findings, []);
    assert.deepEqual(names, Object.keys(files).sort());
  });
}
