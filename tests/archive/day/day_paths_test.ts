import assert from "node:assert/strict";
import { DayPaths } from "../../../lib/archive/day/day_paths.ts";
import { DAY, DAY_NAME, TestDirectory } from "../archive_rig.ts";

Deno.test("DayPaths.removeAll() removes every file of its day, and neither another day's nor what was set aside", () => {
  using directory = new TestDirectory();
  const gone = [".jsonl.gz", ".index", ".jsonl.gz.part", ".index.part", ".jsonl"].map((end) =>
    DAY_NAME + end
  );
  const kept = ["2026-11-21.index", "2026-11-21.jsonl.gz", `${DAY_NAME}.jsonl.damaged`, "gaps.jsonl"];
  for (const name of [...gone, ...kept]) directory.write(name, "");
  new DayPaths(directory.path, DAY).removeAll();
  assert.deepEqual(directory.names(), kept);
});

Deno.test("DayPaths.removeHot() leaves the sealed files", () => {
  using directory = new TestDirectory();
  const paths = new DayPaths(directory.path, DAY);
  for (const path of [paths.gz, paths.index, paths.gzPart, paths.indexPart, paths.plain(42)]) {
    Deno.writeTextFileSync(path, "");
  }
  assert.equal(directory.names().includes(`${DAY_NAME}.from-42.jsonl`), true);
  paths.removeHot(paths.plain(42));
  assert.deepEqual(directory.names(), [`${DAY_NAME}.index`, `${DAY_NAME}.jsonl.gz`]);
});
