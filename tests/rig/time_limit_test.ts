import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { limited, TEST_LIMIT_MS } from "./time_limit.ts";

Deno.test("limited() sets a limit on every form of a test, and leaves one that is there", () => {
  const fn = (): void => {};
  for (
    const definition of [
      limited("a", fn),
      limited("a", {}, fn),
      limited({ name: "a", fn }),
      limited({ name: "a" }, fn),
    ]
  ) assert.deepEqual(definition, { name: "a", fn, timeout: TEST_LIMIT_MS });
  assert.deepEqual(limited(fn), { name: "fn", fn, timeout: TEST_LIMIT_MS });
  assert.equal(limited({ name: "a", timeout: 7, fn }).timeout, 7);
});

Deno.test("a test that waits for ever fails by its name, and the next one runs", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const waiting =
      "const timer = setInterval(() => {}, 1000); await new Promise(() => {}); clearInterval(timer);";
    await Deno.writeTextFile(
      `${directory}/waiting_test.ts`,
      `Deno.test({ name: "waits", timeout: 100, fn: async () => { ${waiting} } });\n` +
        `Deno.test("goes on", () => {});\n`,
    );
    const preload = fileURLToPath(new URL("./time_limit.ts", import.meta.url));
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-config", "--no-check", "--preload", preload, `${directory}/waiting_test.ts`],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stderr: "null",
    }).output();
    const text = new TextDecoder().decode(stdout);
    assert.match(text, /^waits \.\.\. FAILED/m);
    assert.match(text, /^goes on \.\.\. ok/m);
    assert.equal(code, 1);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
