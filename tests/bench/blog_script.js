// deno-lint-ignore-file no-console no-process-global -- it runs on Node and on Bun

// The script of the blog post "Multiple Logs for Resiliency" (https://fly.io/blog/redundant-logs/), as short
// as it can be told: subscribe, parse, one text line, one write. Only the arguments and "ready" are the
// bench's own. Copied beside its node_modules before it is run.

import fs from "node:fs";
// @ts-ignore: it is installed beside the copy that is run, not here
import { connect, StringCodec } from "nats";

const [servers, directory] = process.argv.slice(2);
const connection = await connect({ servers });
const codec = StringCodec();
const subscription = connection.subscribe("logs.>");
await connection.flush();
console.log("ready");

const report = (error) => error && console.error(error);
let name, file;

for await (const message of subscription) {
  const data = JSON.parse(codec.decode(message.data));
  const wanted = `${directory}/${data.timestamp.slice(0, 10)}.log`;
  if (wanted !== name) {
    if (file) fs.close(file, report);
    name = wanted;
    file = fs.openSync(name, "a");
  }
  const { fly, log, timestamp } = data;
  const line = `${timestamp.padEnd(30)} [${fly.app.instance}] ${fly.region} [${log.level}] ${data.message}\n`;
  fs.write(file, line, report);
}
