/**
 * Promises an nginx that serves one directory with sendfile, on the loopback, set up as for speed.
 *
 * @module
 */

import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { until } from "./bench.ts";
import { Program } from "./program.ts";
import { findTool } from "./tools.ts";

/** How long it may take to listen, in milliseconds. */
const START_LIMIT_MS = 5_000;

/**
 * Starts nginx over `root` and gives its address. It ends with `scope`.
 *
 * @throws {MissingTool} If there is none.
 */
export async function startNginx(bench: Bench, scope: AsyncDisposableStack, root: string): Promise<string> {
  const command = await findTool("nginx");
  const directory = bench.scopedDirectory(scope, "nginx");
  const port = freePort();
  // As root, nginx would otherwise serve as a user who may not read the bench's directory.
  const user = Deno.uid() === 0 ? "user root;" : "";
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${join(directory, name)};`).join(" ");
  const config = `daemon off; master_process on; worker_processes auto; ${user}
    pid ${join(directory, "pid")}; error_log stderr warn;
    events { worker_connections 64; }
    http { access_log off; sendfile on; tcp_nopush on; sendfile_max_chunk 0; ${paths}
      server { listen 127.0.0.1:${port}; root ${JSON.stringify(root)}; } }\n`;
  const file = join(directory, "nginx.conf");
  await Deno.writeTextFile(file, config);
  const program = scope.use(
    Program.start({ name: "nginx", command, args: ["-p", directory, "-e", "stderr", "-c", file] }),
  );
  await until("nginx to listen", START_LIMIT_MS, 10, async () => {
    if (program.ended) throw new Error(`Cannot start nginx: ${program.log.lines.join("; ")}`);
    return await Deno.connect({ hostname: "127.0.0.1", port }).then((connection) => {
      connection.close();
      return true;
    }, () => false);
  });
  return `http://127.0.0.1:${port}`;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
