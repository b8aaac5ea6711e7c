/**
 * The program `deno task heal [SINCE [UNTIL]]`: has a running recorder look now for what is missing, and tells what came of it.
 * It exits with 0 if everything in the span is healed, 1 if something is still missing, 2 if it could not ask.
 *
 * @module
 */

import * as v from "valibot";
import { TextLineStream } from "./text_line_stream.ts";

const USAGE =
  "Usage: deno task heal [SINCE [UNTIL]], each a time such as 10:00, 2026-11-22T10:00, 2026-11-22 or yesterday " +
  "(all UTC), or a duration back from now such as 15m or 2h; without them the last eight days. " +
  "FLIGHTLOG_URL says where the recorder is (http://127.0.0.1:8080), API_TOKEN with which token it is asked";

/** What of each line of the answer is read; see routes/wire/heal.ts. */
const lineSchema = v.variant("event", [
  v.object({ event: v.literal("progress"), what: v.string() }),
  v.object({
    event: v.literal("done"),
    lines: v.number(),
    gaps: v.array(v.object({
      since: v.string(),
      until: v.nullable(v.string()),
      cause: v.string(),
      state: v.string(),
      reason: v.optional(v.nullable(v.string())),
    })),
  }),
  v.object({ event: v.literal("failed"), reason: v.string() }),
]);

type AnswerLine = v.InferOutput<typeof lineSchema>;

/** What the command needs of its surroundings. */
export interface HealCommandOptions {
  /** What stands after the command: since and until, as the API reads them. */
  args: readonly string[];
  /** The variables `FLIGHTLOG_URL`, `PORT` and `API_TOKEN`. */
  env: { FLIGHTLOG_URL?: string; PORT?: string; API_TOKEN?: string };
  /** Takes a line for standard output. */
  write(line: string): void;
  /** Takes a line for standard error. */
  writeError(line: string): void;
}

/** Asks, and returns the code to exit with. */
export async function healCommand({ args, env, write, writeError }: HealCommandOptions): Promise<0 | 1 | 2> {
  const base = env.FLIGHTLOG_URL ?? `http://127.0.0.1:${env.PORT ?? "8080"}`;
  if (!/^https?:\/\//.test(base) || !URL.canParse(base)) {
    writeError(`FLIGHTLOG_URL must be an address such as http://127.0.0.1:8080, not "${base}"`);
    return 2;
  }
  const url = addressOf(args, base);
  if (url === null) {
    writeError(USAGE);
    return 2;
  }
  const token = env.API_TOKEN?.split(",")[0]?.trim();
  const headers: HeadersInit = token ? { authorization: `Bearer ${token}` } : {};
  try {
    const response = await fetch(url, { method: "POST", headers });
    if (!response.ok || response.body === null) {
      writeError(`Cannot heal: ${await describeRefusal(response)}`);
      return 2;
    }
    for await (const text of response.body.pipeThrough(new TextLineStream())) {
      const line = v.parse(lineSchema, JSON.parse(text));
      if (line.event === "progress") write(line.what);
      else return tellEnd(line, write, writeError);
    }
    writeError("Cannot tell what came of it: the answer broke off; see GET /gaps");
  } catch (error) {
    writeError(
      `Cannot ask ${url.origin}: ${(error as Error).message}; FLIGHTLOG_URL says where the recorder is`,
    );
  }
  return 2;
}

/** Null for arguments that are none. */
function addressOf(args: readonly string[], base: string): URL | null {
  if (args.length > 2 || args.some((arg) => arg === "" || arg.startsWith("--"))) return null;
  const url = new URL(`${base.replace(/\/+$/, "")}/heal`);
  const [since, until] = args;
  if (since !== undefined) url.searchParams.set("since", since);
  if (until !== undefined) url.searchParams.set("until", until);
  return url;
}

/** What the recorder says, where it says something that can be read. */
async function describeRefusal(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { title, detail } = v.parse(v.object({ title: v.string(), detail: v.string() }), JSON.parse(text));
    return `${title}. ${detail}`;
  } catch {
    return `${response.status} ${response.statusText}: it is no Flightlog that heals`;
  }
}

function tellEnd(
  line: Exclude<AnswerLine, { event: "progress" }>,
  write: (line: string) => void,
  writeError: (line: string) => void,
): 0 | 1 | 2 {
  if (line.event === "failed") {
    writeError(`Ended before it was done: ${line.reason}`);
    return 2;
  }
  for (const { since, until, cause, state, reason } of line.gaps) {
    write(`gap ${since} to ${until ?? "now"}: ${cause}, ${state}${reason ? ` (${reason})` : ""}`);
  }
  const missing = line.gaps.filter(({ state }) => state !== "healed").length;
  const brought = line.lines === 1 ? "1 line" : `${line.lines} lines`;
  write(
    `${brought} brought back; ${
      missing === 0 ? "nothing is missing" : `${missing} of ${line.gaps.length} gaps stay`
    }`,
  );
  return missing === 0 ? 0 : 1;
}

if (import.meta.main) {
  const env = Object.fromEntries(
    ["FLIGHTLOG_URL", "PORT", "API_TOKEN"].map((name) => [name, Deno.env.get(name)]),
  );
  const code = await healCommand({
    args: Deno.args,
    env,
    // deno-lint-ignore no-console -- a command speaks through its standard output
    write: (line) => console.log(line),
    // deno-lint-ignore no-console -- and tells what is wrong beside it
    writeError: (line) => console.error(line),
  });
  Deno.exit(code);
}
