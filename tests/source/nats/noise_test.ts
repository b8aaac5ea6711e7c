import assert from "node:assert/strict";
import { systemClock } from "../../../lib/clock.ts";
import type { Message } from "../../../lib/source/nats/frame_reader.ts";
import { parseServerUrl } from "../../../lib/source/nats/server_url.ts";
import {
  openSession,
  type Session,
  SessionError,
  type SessionOptions,
} from "../../../lib/source/nats/session.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { within } from "../../rig/wait.ts";
import { HandMadeServer, INFO, readUntil, writeAll } from "./hand_made_server.ts";

const START = Date.parse("2026-11-22T10:00:00Z");
const NOISE = "The server sends nothing but noise";

function optionsFor(url: string, onMessage: (message: Message) => void = () => {}): SessionOptions {
  return {
    server: parseServerUrl(url),
    name: "flightlog-test",
    clock: new FakeClock(START),
    subscriptions: [{ subject: "logs.>", onMessage }],
  };
}

/** Plays a server until the session is confirmed, then goes on with `more`. */
function playSession(more: (connection: Deno.Conn) => Promise<unknown>): HandMadeServer {
  return new HandMadeServer(async (connection) => {
    await greet(connection);
    await more(connection);
  });
}

async function greet(connection: Deno.Conn): Promise<void> {
  await writeAll(connection, INFO);
  await readUntil(connection, "PING\r\n");
  await writeAll(connection, "PONG\r\n");
  await readUntil(connection, "PING\r\n");
  await writeAll(connection, "PONG\r\n");
}

/** Answers so many PINGs, each with what a server in verbose mode may say besides. */
async function answerPings(connection: Deno.Conn, count: number): Promise<void> {
  const chunk = new Uint8Array(4096);
  for (let answered = 0; answered < count;) {
    const length = await within(connection.read(chunk), "a PING");
    if (length === null) throw new Error("Cannot answer: the client has closed the connection");
    // The client writes each line whole, and a loopback hands on what was written whole.
    const asked = new TextDecoder().decode(chunk.subarray(0, length)).match(/PI/g)?.length ?? 0;
    await writeAll(connection, "+OK\r\nPING\r\nPONG\r\n".repeat(asked));
    answered += asked;
  }
}

function open(server: HandMadeServer, onMessage?: (message: Message) => void): Promise<Session> {
  return openSession(optionsFor(`nats://127.0.0.1:${server.port}`, onMessage));
}

for (
  const [name, line] of [
    ["PONG", "PONG\r\n"],
    ["+OK", "+OK\r\n"],
    ["PING", "PING\r\n"],
    ["INFO", INFO],
    ["messages that nobody has asked for", "MSG logs.a 99 0\r\n\r\n"],
  ] as const
) {
  Deno.test(`Session ends as noise when nothing comes but ${name}, and says so`, async () => {
    const opened = Promise.withResolvers<void>();
    await using server = playSession(async (connection) => {
      await opened.promise;
      await writeAll(connection, line.repeat(10_001));
    });
    const session = await open(server);
    opened.resolve();
    const { kind, message } = await within(session.ended, "the end of the session");
    assert.deepEqual({ kind, message }, {
      kind: "noise",
      message: `${NOISE}: more than 10000 lines that tell nothing, and no message`,
    });
  });
}

Deno.test("Session ends as noise when the lines that tell nothing are few and huge", async () => {
  const info = INFO.replace("}", `,"connect_urls":["${"x".repeat(900_000)}"]}`);
  const opened = Promise.withResolvers<void>();
  await using server = playSession(async (connection) => {
    await opened.promise;
    // The client hangs up before it has read everything.
    await writeAll(connection, info.repeat(10)).catch(() => {});
  });
  const session = await open(server);
  opened.resolve();
  const { kind, message } = await within(session.ended, "the end of the session");
  assert.deepEqual({ kind, message }, {
    kind: "noise",
    message: `${NOISE}: more than 8388608 bytes that tell nothing, and no message`,
  });
});

Deno.test("openSession() rejects as protocol when noise comes before the session is confirmed", async () => {
  await using server = new HandMadeServer((connection) =>
    writeAll(connection, INFO + "+OK\r\n".repeat(10_001))
  );
  await assert.rejects(
    within(open(server), "the refusal"),
    (error: unknown) =>
      error instanceof SessionError && error.kind === "protocol" && error.message.includes(NOISE),
  );
});

Deno.test("Session lives on when noise comes with messages between", async () => {
  const half = "+OK\r\nPONG\r\n".repeat(4_999);
  await using server = playSession((connection) =>
    writeAll(connection, `${half}MSG logs.a 1 1\r\n1\r\n`.repeat(5) + "MSG logs.a 1 4\r\nlast\r\n")
  );
  const last = Promise.withResolvers<void>();
  const received: string[] = [];
  const session = await open(server, ({ payload }) => {
    if (received.push(new TextDecoder().decode(payload)) === 6) last.resolve();
  });
  await within(Promise.race([last.promise, session.ended]), "the last message");
  assert.deepEqual(received, ["1", "1", "1", "1", "1", "last"]);
  session.end("stop", "Enough");
  assert.equal((await session.ended).message, "Enough");
});

Deno.test("Session of a quiet server in verbose mode lives for half a day without a message", async () => {
  const ticks = 12 * 360;
  await using server = playSession((connection) => answerPings(connection, 2 * ticks));
  const clock = new FakeClock(START);
  const session = await openSession({ ...optionsFor(`nats://127.0.0.1:${server.port}`), clock });
  for (let tick = 0; tick < ticks; tick++) {
    clock.advance(10_000);
    await within(Promise.race([session.ask(), session.ended]), "an answer");
  }
  session.end("stop", "Enough");
  assert.equal((await session.ended).message, "Enough");
});

Deno.test("Session ends when the server asks without reading the answers, even with messages between", async () => {
  const opened = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  await using server = playSession(async (connection) => {
    await opened.promise;
    const piece = "PING\r\n".repeat(5_000) + "MSG logs.a 1 1\r\n1\r\n";
    // Until the client is gone: it must not take more answers than the network and its queue hold.
    while (true) {
      try {
        await writeAll(connection, piece);
      } catch {
        return over.resolve();
      }
    }
  });
  const session = await open(server);
  opened.resolve();
  const { kind, message } = await within(session.ended, "the end of the session");
  assert.deepEqual({ kind, message }, {
    kind: "disconnect",
    message:
      "Connection lost: more than 65536 bytes wait to be written: the server takes less than it asks for",
  });
  await over.promise;
});

Deno.test("Session answers each PING of the server", async () => {
  await using server = playSession(async (connection) => {
    await writeAll(connection, "PING\r\nPING\r\n");
    await readUntil(connection, "PONG\r\nPONG\r\n");
  });
  const session = await openSession({
    ...optionsFor(`nats://127.0.0.1:${server.port}`),
    clock: systemClock,
  });
  await within(server.served, "the answers");
  session.end("stop", "Enough");
  await session.ended;
});
