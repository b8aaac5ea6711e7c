import assert from "node:assert/strict";
import { systemClock } from "../../../lib/clock.ts";
import { readConfig } from "../../../lib/config/config.ts";
import { FlyStream } from "../../../lib/source/nats/fly_stream.ts";
import { SourceError } from "../../../lib/source/source.ts";
import { NatsServer } from "../../rig/nats_server.ts";
import { Publisher } from "../../rig/publisher.ts";
import { numberedLine } from "../../rig/fly_lines.ts";

const FLY = { FLY_APP_NAME: "flightlog", FLY_REGION: "sjc", FLY_MACHINE_ID: "e784", API_TOKEN: "secret" };
const never = new AbortController().signal;

function streamOf(env: Record<string, string>): FlyStream {
  return FlyStream.of(readConfig(env), systemClock);
}

/** Collects what comes, and resolves once so many messages and echoes have come. */
function listen(count: number) {
  const came: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  function note(what: string): void {
    came.push(what);
    if (came.length === count) resolve();
  }
  return {
    came,
    done: promise,
    onMessage: ({ subject }: { subject: string }) => note(`message ${subject}`),
    onEcho: (payload: Uint8Array) => note(`echo ${new TextDecoder().decode(payload)}`),
  };
}

Deno.test("FlyStream hands over the lines of the subject, and besides as echoes those of its own machine", async () => {
  await using server = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: server.port });
  const stream = streamOf({ ...FLY, NATS_URL: server.url, SUBJECT: "logs.web.>" });
  assert.equal(stream.hasEcho, true);
  const listener = listen(2);
  const session = await stream.open(listener, never);
  await publisher.publishAll([
    { subject: "logs.flightlog.sjc.e784", payload: "own" },
    { subject: "logs.flightlog.sjc.other", payload: "another machine's" },
    { ...numberedLine(0), subject: "logs.web.sjc.m1" },
  ]);
  await listener.done;
  assert.deepEqual(listener.came.sort(), ["echo own", "message logs.web.sjc.m1"]);
  assert.equal(session.positions, null);
  assert.equal(session.canPause, true);
  const before = session.lastGoodMs;
  await session.ask();
  assert.ok(session.lastGoodMs > before);
  const { cause, kind } = await session.stop();
  assert.deepEqual({ cause, kind }, { cause: "stop", kind: "stop" });
});

Deno.test("FlyStream has no echo where no canary is sent", () => {
  assert.equal(streamOf({ NATS_URL: "nats://127.0.0.1" }).hasEcho, false);
  assert.equal(streamOf({ ...FLY, NATS_URL: "nats://127.0.0.1", CANARY_INTERVAL: "off" }).hasEcho, false);
});

Deno.test("FlyStream shows the server's address without the credentials", () => {
  const stream = streamOf({ NATS_URL: "nats://user:s3cr3t@127.0.0.1:4222", SUBJECT: "logs.web.>" });
  assert.equal(stream.name, "nats://127.0.0.1:4222");
  assert.deepEqual(stream.details, { server: "nats://127.0.0.1:4222", subject: "logs.web.>" });
});

Deno.test("FlyStream.open() says that a refused password needs help, and a denied subject does not", async () => {
  await using server = await NatsServer.start({
    config: 'authorization { users: [{ user: a, password: b, permissions: { subscribe: "other.>" } }] }',
  });
  const { host } = new URL(server.url);
  for (
    const [credentials, kind, needsHelp] of [["a:wrong", "refused", true], ["a:b", "denied", false]] as const
  ) {
    const stream = streamOf({ NATS_URL: `nats://${credentials}@${host}` });
    await assert.rejects(stream.open(listen(1), never), (error: unknown) => {
      assert.ok(error instanceof SourceError);
      const { message, ...failure } = error.failure;
      assert.deepEqual(failure, { cause: "refused", kind, needsHelp });
      assert.equal(message, error.message);
      return true;
    });
  }
});

Deno.test("FlyStream.open() calls a server that is not there a disconnect", async () => {
  const stream = streamOf({ NATS_URL: "nats://127.0.0.1:1" });
  await assert.rejects(stream.open(listen(1), never), ({ failure }: SourceError) => {
    assert.equal(failure.cause, "disconnect");
    assert.equal(failure.kind, "disconnect");
    return true;
  });
});

Deno.test("FlyStream.open() throws the reason of a signal that is aborted", async () => {
  const reason = new Error("Stopped");
  await assert.rejects(
    streamOf({ NATS_URL: "nats://127.0.0.1:1" }).open(listen(1), AbortSignal.abort(reason)),
    reason,
  );
});

Deno.test("FlyStream ends a session as stalled, or with the server's word, and says which gap begins", async () => {
  await using server = await NatsServer.start();
  const stream = streamOf({ NATS_URL: server.url });
  const stalled = await stream.open(listen(1), never);
  stalled.endStalled("Stream stalled");
  const { cause, kind, message } = await stalled.ended;
  assert.deepEqual({ cause, kind, message }, { cause: "stall", kind: "stall", message: "Stream stalled" });
  const throwing = await stream.open({
    onMessage() {
      throw new RangeError("no room");
    },
    onEcho() {},
  }, never);
  await using publisher = await Publisher.connect({ port: server.port });
  await publisher.publishAll([numberedLine(0)]);
  const end = await throwing.ended;
  assert.deepEqual([end.cause, end.kind, end.needsHelp], ["disconnect", "callback", false]);
});
