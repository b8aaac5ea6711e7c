import assert from "node:assert/strict";
import { totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { machineMemory } from "../../lib/machine/machine_memory.ts";
import { MemoryCgroup, whyNoCgroup } from "../rig/memory_cgroup.ts";

Deno.test("machineMemory() is no more than the machine has", () => {
  assert.ok(machineMemory() > 0);
  assert.ok(machineMemory() <= totalmem());
});

Deno.test({
  name: "machineMemory() is the limit of the cgroup (needs the right to make a memory cgroup)",
  ignore: whyNoCgroup !== null,
  async fn() {
    using group = MemoryCgroup.create(200 * 1024 * 1024);
    const module = fileURLToPath(import.meta.resolve("../../lib/machine/machine_memory.ts"));
    const code = `import { machineMemory } from ${JSON.stringify(module)}; console.log(machineMemory());`;
    const script = 'echo $$ > "$0" && exec "$@"';
    const args = ["-c", script, group.entrance, Deno.execPath(), "eval", "--no-config", code];
    const { stdout, stderr } = await new Deno.Command("sh", { args, stdin: "null" }).output();
    const decoder = new TextDecoder();
    assert.equal(decoder.decode(stdout).trim(), String(200 * 1024 * 1024), decoder.decode(stderr));
  },
});
