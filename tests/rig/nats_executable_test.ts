import assert from "node:assert/strict";
import { findNatsServerIn, MissingNatsServer } from "./nats_executable.ts";

Deno.test("MissingNatsServer says in one sentence, without a stack, what to install", () => {
  const error = new MissingNatsServer('there is no "apt-get" either');
  assert.equal(
    error.message,
    "Cannot find nats-server: install it with `apt-get install nats-server`, `brew install nats-server`, or " +
      "from https://github.com/nats-io/nats-server/releases, and put it on PATH " +
      '(its Debian package could not be fetched: there is no "apt-get" either)',
  );
  assert.doesNotMatch(error.stack ?? "", /\n/);
});

Deno.test("findNatsServerIn() takes the first directory that has one", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/nats-server`, "");
    const places = { directories: ["/no/such/directory", directory], cache: "/no/such/cache" };
    assert.equal(await findNatsServerIn(places), `${directory}/nats-server`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
