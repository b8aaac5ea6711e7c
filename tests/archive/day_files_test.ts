import assert from "node:assert/strict";
import { listDayFiles } from "../../lib/archive/day_files.ts";
import { DAY, DAY_NAME, TestDirectory } from "./archive_rig.ts";

Deno.test("listDayFiles() tells the files of each day, the oldest day first, and nothing else", async () => {
  using directory = new TestDirectory();
  for (const name of ["gaps.jsonl", "notes", `${DAY_NAME}.jsonl.tmp`]) directory.write(name, "");
  for (const name of [`${DAY_NAME}.jsonl`, "2026-11-21.index", "2026-11-21.jsonl.gz"]) {
    directory.write(name, "");
  }
  Deno.mkdirSync(directory.file("2026-11-20.jsonl"));
  const days = await listDayFiles(directory.path);
  assert.deepEqual([...days.keys()], [DAY - 1, DAY]);
  assert.deepEqual(days.get(DAY), [
    { kind: { kind: "plain", day: DAY, from: 0 }, path: directory.file(`${DAY_NAME}.jsonl`) },
  ]);
  assert.deepEqual(days.get(DAY - 1)!.map(({ kind }) => kind.kind).sort(), ["gz", "index"]);
});

Deno.test("listDayFiles() rejects where there is no directory", async () => {
  await assert.rejects(listDayFiles("/nonexistent/directory"), Deno.errors.NotFound);
});
