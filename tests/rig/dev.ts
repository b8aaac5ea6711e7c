/**
 * Promises a recorder to play with: `deno task dev` runs this. Without an argument it is one, with reload on change; with `--pair`
 * there are two, of which one is killed and healed by the other. It leaves neither files nor processes when it is stopped.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program for a person in front of a terminal
import { devAlone } from "./dev_alone.ts";
import { devPair } from "./dev_pair.ts";
import { DevFault } from "./dev_place.ts";
import { MissingNatsServer } from "./nats_executable.ts";

const USAGE =
  "deno task dev runs one recorder with reload on change, deno task dev --pair two that heal each other";

/** Runs what `args` name until `signal` aborts or a program ends. Returns the exit code: 2 for arguments that are none. */
async function dev(args: readonly string[], signal: AbortSignal): Promise<number> {
  const unknown = args.find((argument) => argument !== "--pair");
  if (unknown !== undefined) {
    console.error(`Cannot run with "${unknown}": ${USAGE}`);
    return 2;
  }
  try {
    return await (args.length === 0 ? devAlone(signal) : devPair(signal));
  } catch (error) {
    if (!(error instanceof MissingNatsServer) && !(error instanceof DevFault)) throw error;
    console.error(error.message);
    return 1;
  }
}

if (import.meta.main) {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => controller.abort());
  }
  Deno.exit(await dev(Deno.args, controller.signal));
}
