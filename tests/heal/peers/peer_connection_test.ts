import assert from "node:assert/strict";
import {
  BODY_TIMEOUT_MS,
  BUSY_RETRIES,
  PeerConnection,
  type PeerConnectionOptions,
  PIECE_TIMEOUT_MS,
} from "../../../lib/heal/peers/peer_connection.ts";
import { PeerError, type PeerFailure } from "../../../lib/heal/peers/peer_error.ts";
import { FakeClock } from "../../rig/fake_clock.ts";
import { untilSo } from "../../rig/wait.ts";
import { WaitsClock } from "../../rig/waits.ts";
import { cut, endless, HandMadePeer, type PeerHandler, stuck } from "./hand_made_peer.ts";

const TIMEOUT_MS = 20_000;
const LIMIT_BYTES = 1_000_000;
const { signal } = new AbortController();

/** Asks a server that answers by `handler`, and reads the answer. */
class Asking implements AsyncDisposable {
  readonly server: HandMadePeer;
  readonly #connection: PeerConnection;

  constructor(handler: PeerHandler, given: Partial<PeerConnectionOptions> = {}) {
    this.server = HandMadePeer.start(handler);
    this.#connection = new PeerConnection({
      ...{ url: this.server.url, token: null, clock: new FakeClock(0) },
      ...given,
    });
  }

  async read(
    given: { signal?: AbortSignal; headers?: Record<string, string> } = {},
  ): Promise<[number, string]> {
    using answer = await this.#connection.ask("/path?x=1", { signal, timeoutMs: TIMEOUT_MS, ...given });
    return [answer.response.status, await answer.text(LIMIT_BYTES)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

async function fails(promise: Promise<unknown>, failure: PeerFailure, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof PeerError, String(error));
    assert.match(error.message, message);
    assert.equal(error.failure, failure);
    return true;
  });
}

function busy(retryAfter: string): Response {
  return new Response("busy", { status: 503, headers: { "retry-after": retryAfter } });
}

/** A clock on which nothing but limits waits for the test. */
function waitingClock(): WaitsClock {
  return new WaitsClock(new FakeClock(0), TIMEOUT_MS, PIECE_TIMEOUT_MS);
}

Deno.test("PeerConnection.ask() sends the token, and other headers beside it", async () => {
  const answer: PeerHandler = ({ headers }) => new Response(headers.get("if-none-match"));
  await using asking = new Asking(answer, { token: "Sesame-1" });
  assert.deepEqual(await asking.read({ headers: { "if-none-match": "tag" } }), [200, "tag"]);
  assert.deepEqual(asking.server.authorizations, ["Bearer Sesame-1"]);
  assert.deepEqual(asking.server.requests, ["/path?x=1"]);
});

Deno.test("PeerConnection.ask() returns whatever is answered, and follows nothing elsewhere", async () => {
  await using asking = new Asking(() => Response.redirect("http://127.0.0.1:1/"));
  assert.equal((await asking.read())[0], 302);
});

Deno.test("PeerConnection.ask() asks again who has too many readers, as long after as it says, and then takes that", async () => {
  const clock = waitingClock();
  await using asking = new Asking(() => busy("5"), { clock });
  assert.deepEqual(await asking.read(), [503, "busy"]);
  assert.equal(asking.server.requests.length, BUSY_RETRIES + 1);
  assert.deepEqual(clock.waitsMs, Array(BUSY_RETRIES).fill(5000));
});

Deno.test("PeerConnection.ask() waits no longer than a minute when told to come back later", async () => {
  const clock = waitingClock();
  const answers = [busy("soon"), busy("99999"), new Response("now")];
  await using asking = new Asking(() => answers.shift()!, { clock });
  assert.deepEqual(await asking.read(), [200, "now"]);
  assert.deepEqual(clock.waitsMs, [60_000, 60_000]);
});

Deno.test("PeerConnection.ask() takes 503 as it is that does not say when to come back", async () => {
  await using asking = new Asking(() => new Response("", { status: 503 }));
  assert.equal((await asking.read())[0], 503);
  assert.equal(asking.server.requests.length, 1);
});

Deno.test("PeerConnection.ask() gives up when there is no answer in time", async () => {
  const [clock, held] = [new FakeClock(0), Promise.withResolvers<Response>()];
  await using asking = new Asking(() => held.promise, { clock });
  const failed = fails(
    asking.read(),
    "down",
    /^Cannot ask "http:.*": no answer within 20 s; try again later$/,
  );
  await untilSo(() => asking.server.requests.length === 1, "the request");
  clock.advance(TIMEOUT_MS);
  await failed;
  held.resolve(new Response());
  assert.equal(clock.pending, 0);
});

Deno.test("PeerConnection ends with the signal's reason", async () => {
  const [clock, held] = [new FakeClock(0), Promise.withResolvers<Response>()];
  await using asking = new Asking(() => held.promise, { clock });
  const controller = new AbortController();
  const ended = assert.rejects(asking.read({ signal: controller.signal }), { message: "stop" });
  await untilSo(() => asking.server.requests.length === 1, "the request");
  controller.abort(new Error("stop"));
  await ended;
  held.resolve(new Response());
  assert.equal(clock.pending, 0);
});

Deno.test("PeerAnswer.body() fails when it breaks off, or is too large", async () => {
  const answers = [cut("some text"), new Response(endless("some text"))];
  await using asking = new Asking(() => answers.shift()!);
  await fails(asking.read(), "down", /; try again later$/);
  await fails(asking.read(), "broken", /sends more than the 1000000 bytes that an answer may have$/);
});

Deno.test("PeerAnswer.body() gives up when no more comes in time", async () => {
  const clock = new FakeClock(0);
  const begun = Promise.withResolvers<void>();
  await using asking = new Asking(() => new Response(stuck("some text", begun.resolve)), { clock });
  const failed = fails(asking.read(), "down", /: no more of the answer within 30 s; try again later$/);
  await begun.promise;
  // The times of the answer and of its next piece differ, so that it is known which of them runs.
  while (clock.pending > 0) await clock.advanceAsync(TIMEOUT_MS - 1);
  await failed;
});

Deno.test("PeerAnswer.body() gives up what drips for too long", async () => {
  const clock = new FakeClock(0);
  const drips = new ReadableStream<Uint8Array>({
    pull(controller) {
      clock.skip(PIECE_TIMEOUT_MS - 1);
      controller.enqueue(new TextEncoder().encode("x"));
    },
  }, { highWaterMark: 0 });
  await using asking = new Asking(() => new Response(drips), { clock });
  await fails(asking.read(), "down", new RegExp(`: no whole answer within ${BODY_TIMEOUT_MS / 1000} s`));
});
