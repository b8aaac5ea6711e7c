import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { LineLog } from "./line_log.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));

interface Dev extends AsyncDisposable {
  log: LineLog;
  process: Deno.ChildProcess;
}

/** Starts it as its task does. */
function startDev(args: string[], env: Record<string, string>): Dev {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-P=dev", "tests/rig/dev.ts", ...args],
    cwd: repository,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const log = new LineLog("deno task dev", [process.stdout, process.stderr]);
  let isOver = false;
  process.status.then(() => isOver = true);
  return {
    log,
    process,
    async [Symbol.asyncDispose]() {
      if (!isOver) process.kill("SIGTERM");
      await process.status;
      await log.ended();
    },
  };
}

Deno.test("deno task dev --pair kills one recorder, shows that the other heals it, and leaves nothing", async () => {
  const directory = await Deno.makeTempDir({ prefix: "flightlog-dev-test-" });
  try {
    await using dev = startDev(["--pair"], { PORT: "0", TMPDIR: directory });
    const saidBy = (text: string) =>
      dev.log.until((line) => line.startsWith(">>> ") && line.includes(text), text);
    const addresses = /the first at (\S+), the second at (\S+)\.$/.exec(
      await saidBy("record the same lines"),
    )!;
    await saidBy("was killed with SIGKILL");
    await saidBy("records again");
    const healed = /(\d+) lines came back from (\S+)\.$/.exec(await saidBy("The gap is healed"))!;
    assert.ok(Number(healed[1]) > 0);
    assert.equal(healed[2], addresses[2]);
    const commands = await saidBy("curl -D -");
    const path = /'(\S+)'$/.exec(commands)![1]!;
    const [ours, theirs] = await Promise.all(
      [path, path.replace(addresses[1]!, addresses[2]!)].map(async (url) => {
        const answer = await fetch(url);
        return { coverage: answer.headers.get("Log-Coverage"), text: await answer.text() };
      }),
    );
    assert.equal(ours!.coverage, "complete; healed=1");
    assert.notEqual(ours!.text, "");
    // What was recorded stands as it came, what was brought back by its time.
    assert.deepEqual(ours!.text.split("\n").sort(), theirs!.text.split("\n").sort());
    dev.process.kill("SIGINT");
    assert.equal((await dev.process.status).code, 0);
    for (const address of addresses.slice(1)) await assert.rejects(fetch(`${address}/health`));
    assert.deepEqual([...Deno.readDirSync(directory)], []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("deno task dev --pair ends in good order when it is interrupted at its start", async () => {
  await using dev = startDev(["--pair"], { PORT: "0" });
  await dev.log.until((line) => line.includes('"event":"recording"'), "the first recorder");
  dev.process.kill("SIGINT");
  assert.equal((await dev.process.status).code, 0);
});

for (
  const [what, args, env, code, said] of [
    [
      "an argument that there is not",
      ["--pear"],
      {},
      2,
      /^Cannot run with "--pear": deno task dev runs one recorder .*, deno task dev --pair two/,
    ],
    [
      "a port that is none",
      [],
      { PORT: "many" },
      1,
      /^Cannot listen on port "many": set PORT to a number up to 65535$/,
    ],
    [
      "a port that is none",
      ["--pair"],
      { PORT: "65535" },
      1,
      /^Cannot listen on port "65535": set PORT to a number/,
    ],
  ] as const
) {
  Deno.test(`deno task dev ${args.join(" ")} says what is wrong with ${what}`, async () => {
    await using dev = startDev([...args], env);
    assert.equal((await dev.process.status).code, code);
    await dev.log.ended();
    assert.match(dev.log.lines.at(-1)!, said);
  });
}

Deno.test("deno task dev --pair says which port is taken", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using dev = startDev(["--pair"], { PORT: String(port) });
  assert.equal((await dev.process.status).code, 1);
  await dev.log.ended();
  assert.match(
    dev.log.lines.at(-1)!,
    new RegExp(`^Cannot listen on port ${port}: something else does; choose`),
  );
});
