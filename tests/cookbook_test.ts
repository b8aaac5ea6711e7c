/**
 * Promises that a newcomer who types the README's cookbook beside `deno task dev` sees lines.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { LineLog } from "./rig/line_log.ts";

const repository = fileURLToPath(new URL("../", import.meta.url));

/** How long an answer may take to begin, in milliseconds. */
const ANSWER_LIMIT_MS = 60_000;

Deno.test("each curl of the cookbook finds lines as soon as deno task dev says what to try", async () => {
  const commands = cookbook();
  assert.ok(commands.length >= 15, `${commands.length} commands`);
  await using dev = await startDev();
  for (const { text, path, accept } of commands) {
    const found = await ask(dev.url + path, accept);
    if (/\/(search|tail|logs\/)/.test(path) && !path.endsWith(".gz")) {
      assert.match(found, LINE, `nothing is found by ${text}`);
    } else assert.notEqual(found, "", `nothing is found by ${text}`);
  }
});

Deno.test({
  name: "lnav reads a downloaded day with its levels and apps, by the format in docs",
  ignore: !await hasLnav(),
  async fn() {
    await using dev = await startDev();
    const home = await Deno.makeTempDir();
    try {
      const answer = await fetch(`${dev.url}/logs/yesterday.jsonl.gz`);
      const file = `${home}/2026-11-23.jsonl.gz`;
      await Deno.writeFile(file, answer.body!);
      await lnav(home, ["-i", `${repository}docs/flightlog.lnav.json`]);
      const query = `SELECT "fly/app/name" AS app FROM flightlog WHERE log_level = 'error' GROUP BY app`;
      const table = await lnav(home, ["-n", file, "-c", `;${query}`]);
      assert.deepEqual(table.trim().split(/\s+/), ["app", "api", "postgres", "web", "worker-é"]);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
});

/** A record, a line of text, or the beginning of a stream of events. */
const LINE = /^(\{"|\d{4}-\d\d-\d\dT\S+ \S+\[|retry: \d+\n|id: )/m;

interface Command {
  text: string;
  path: string;
  accept: string | undefined;
}

/** The curl lines of the README's cookbook. */
function cookbook(): Command[] {
  const readme = Deno.readTextFileSync(`${repository}README.md`);
  const block = /## Cookbook\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)![1]!;
  return block.trim().split("\n").filter((text) => text.startsWith("curl")).map((text) => ({
    text,
    path: /http:\/\/127\.0\.0\.1:8080([^\s']*)/.exec(text)![1]!,
    accept: /Accept: ([^']+)'/.exec(text)?.[1],
  }));
}

/** The beginning of an answer, up to a few lines: some never end. */
async function ask(url: string, accept: string | undefined): Promise<string> {
  const headers = { accept: accept ?? "*/*" };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
  assert.equal(answer.status, 200, url);
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of answer.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (LINE.test(text) || text.length > 10_000) break;
  }
  return text;
}

interface Dev extends AsyncDisposable {
  url: string;
}

/** Starts the rig as its task does, and waits until it says what to try. */
async function startDev(): Promise<Dev> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-P=dev", "tests/rig/dev.ts"],
    cwd: repository,
    env: { PORT: "0" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const log = new LineLog("deno task dev", [process.stdout, process.stderr]);
  const dispose = async () => {
    process.kill("SIGTERM");
    await process.status;
    await log.ended();
  };
  try {
    const line = await log.until((line) => line.startsWith("  curl http://"), "what to try");
    return { url: line.slice("  curl ".length).replace(/\/$/, ""), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function hasLnav(): Promise<boolean> {
  try {
    return (await new Deno.Command("lnav", { args: ["-V"], stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

/** What lnav prints; its settings are in `home`. */
async function lnav(home: string, args: string[]): Promise<string> {
  const env = { HOME: home, XDG_CONFIG_HOME: home };
  const { success, stdout, stderr } = await new Deno.Command("lnav", { args, env, stdin: "null" }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
