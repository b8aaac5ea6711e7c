import assert from "node:assert/strict";
import {
  ANSWER_TIMEOUT_MS,
  ATTEMPTS_LIMIT,
  BODY_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  RETRY_AFTER_LIMIT_MS,
} from "../../lib/store/bucket_connection.ts";
import { Bucket } from "../../lib/store/bucket.ts";
import { RETRIES_LIMIT } from "../../lib/store/retry_budget.ts";
import { FakeClock } from "../rig/fake_clock.ts";
import { s3Test } from "../rig/s3_case.ts";
import { TcpProxy } from "../rig/tcp_proxy.ts";
import { untilSo } from "../rig/wait.ts";
import { WaitsClock } from "../rig/waits.ts";
import { assertFails, keysFor, startBucket, variedBytes } from "./bucket_rig.ts";

const BYTES = variedBytes(2000);

s3Test(
  "A bucket that is cut off at any byte of a request or an answer is asked again, and nothing is wrong",
  async (given) => {
    await using rig = startBucket(given);
    const { bucket, proxy } = rig;
    const object = await bucket.put("a", BYTES);
    await bucket.getRange(object, { offset: 100, length: 300 });
    await bucket.get("a");
    const [put, range, whole] = proxy.lengths;
    const doings = [
      { lengths: put!, doing: () => bucket.put("a", BYTES) },
      { lengths: range!, doing: () => bucket.getRange(object, { offset: 100, length: 300 }) },
      { lengths: whole!, doing: () => bucket.get("a") },
    ];
    for (const { lengths, doing } of doings) {
      const wanted = resultOf(await doing());
      for (
        const [kind, length] of [["cutRequest", lengths.request], ["cutAnswer", lengths.answer]] as const
      ) {
        for (let after = 0; after < length; after += 97) {
          proxy.fail({ kind, after });
          assert.deepEqual(resultOf(await doing()), wanted, `${kind} after ${after}`);
        }
      }
    }
    assert.deepEqual((await bucket.get("a")).bytes, BYTES);
  },
);

s3Test("A write whose answer is lost has happened, and is not taken for somebody else's", async (given) => {
  await using rig = startBucket(given);
  const { bucket, proxy } = rig;
  proxy.fail({ kind: "cutAnswer", after: 0 });
  const { etag } = await bucket.put("claim", BYTES, { ifNoneMatch: "*" });
  assert.equal((await bucket.head("claim"))!.etag, etag);
  assert.deepEqual(proxy.requests.map((request) => request.split(" ")[0]), ["PUT", "PUT", "GET", "HEAD"]);
});

for (const status of [500, 502, 503, 429]) {
  s3Test(`A bucket that answers ${status} is asked six times at most, less and less often`, async (given) => {
    await using rig = startBucket(given, { random: () => 0 });
    const { bucket, proxy, waitsMs } = rig;
    proxy.fail({ kind: "answer", status }, { times: ATTEMPTS_LIMIT - 1 });
    assert.equal((await bucket.put("a", BYTES)).size, BYTES.length);
    assert.deepEqual(waitsMs, [100, 200, 400, 800, 1600]);
    proxy.fail({ kind: "answer", status }, { times: ATTEMPTS_LIMIT });
    const failure = status === 429 ? "busy" : "down";
    await assertFails(
      bucket.get("a"),
      failure,
      `Cannot read "a" in bucket "${given.bucket}": the server answered ${status}; try again later`,
    );
    assert.equal((await bucket.get("a")).size, BYTES.length);
  });
}

s3Test(
  "A bucket that says SlowDown is left alone for as long as it says, up to ten seconds",
  async (given) => {
    await using rig = startBucket(given, { random: () => 0 });
    const { bucket, proxy, waitsMs } = rig;
    const body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    for (const seconds of ["7", "3600", "soon"]) {
      proxy.fail({ kind: "answer", status: 503, body, headers: { "retry-after": seconds } });
    }
    await bucket.put("a", BYTES);
    assert.deepEqual(waitsMs, [7000, RETRY_AFTER_LIMIT_MS, 400]);
    proxy.fail({ kind: "answer", status: 503, body }, { times: ATTEMPTS_LIMIT });
    await assertFails(bucket.get("a"), "busy", /answered 503 SlowDown; try again later$/);
  },
);

s3Test("Two writers that the bucket has met at the same time are asked to try again", async (given) => {
  await using rig = startBucket(given);
  const body = "<Error><Code>ConditionalRequestConflict</Code></Error>";
  rig.proxy.fail({ kind: "answer", status: 409, body });
  assert.equal((await rig.bucket.put("a", BYTES, { ifNoneMatch: "*" })).size, BYTES.length);
});

s3Test("A bucket that fails for long is not asked six times as much as one that is well", async (given) => {
  await using rig = startBucket(given);
  const { bucket, proxy } = rig;
  proxy.fail({ kind: "answer", status: 500 }, { times: Infinity });
  for (let request = 0; request < 50; request++) await assertFails(bucket.get("a"), "down", /500/);
  assert.equal(proxy.requests.length, 50 + RETRIES_LIMIT);
  proxy.resume();
  assert.equal((await bucket.put("a", BYTES)).size, BYTES.length);
});

s3Test(
  "A bucket that refuses for a while is asked once each time, and works again after it",
  async (given) => {
    await using rig = startBucket(given);
    const { bucket, proxy } = rig;
    const body = "<Error><Code>AccessDenied</Code></Error>";
    proxy.fail({ kind: "answer", status: 403, body }, { times: 3 });
    for (let request = 0; request < 3; request++) {
      await assertFails(
        bucket.put("a", BYTES),
        "denied",
        `Cannot write "a" in bucket "${given.bucket}": the server answered 403 AccessDenied; check that AWS_ACCESS_KEY_ID ` +
          "and AWS_SECRET_ACCESS_KEY are right and may do this in the bucket",
      );
    }
    assert.equal(proxy.requests.length, 3);
    assert.equal((await bucket.put("a", BYTES)).size, BYTES.length);
  },
);

s3Test("A wrong secret is refused by the server, and not shown", async (given) => {
  await using rig = startBucket(given, { secretAccessKey: "another/secret" });
  const error = await assertFails(
    rig.bucket.put("a", BYTES),
    "denied",
    /answered 403 SignatureDoesNotMatch; check/,
  );
  assert.ok(!error.stack!.includes("another/secret"));
});

s3Test("A clock that is an hour wrong is told as such, and which way", async (given) => {
  const clock = new FakeClock(Date.now() - 3_600_000);
  await using rig = startBucket(given, { clock });
  const error = await assertFails(
    rig.bucket.put("a", BYTES),
    "clock",
    /answered 403 RequestTimeTooSkewed; this machine's clock is (3\d\d\d) s behind the server's; set the clock/,
  );
  const seconds = Number(/clock is (\d+) s/.exec(error.message)![1]);
  assert.ok(Math.abs(seconds - 3600) < 30, `${seconds} s`);
  clock.jump(2 * 3_600_000);
  await assertFails(rig.bucket.put("a", BYTES), "clock", /clock is 3\d\d\d s ahead of the server's/);
  assert.equal(rig.proxy.requests.length, 2);
});

s3Test(
  "A bit that flips on the way there is noticed by the server, and the bytes are sent again",
  async (given) => {
    await using rig = startBucket(given);
    const { bucket, proxy } = rig;
    for (const at of [0, 1000, 1999]) {
      proxy.fail({ kind: "flipRequest", at });
      await bucket.put("a", BYTES);
      assert.deepEqual((await bucket.get("a")).bytes, BYTES);
    }
    proxy.fail({ kind: "flipRequest", at: 5 }, { times: ATTEMPTS_LIMIT });
    await assertFails(bucket.put("b", BYTES), "broken", /answered 400 \w+; try again later$/);
    assert.equal(await bucket.head("b"), null);
  },
);

s3Test(
  "A bit that flips on the way back is noticed in a whole object, which is read again",
  async (given) => {
    await using rig = startBucket(given);
    const { bucket, proxy } = rig;
    await bucket.put("a", BYTES);
    for (const at of [0, 1000, 1999]) {
      proxy.fail({ kind: "flipAnswer", at });
      assert.deepEqual((await bucket.get("a")).bytes, BYTES);
    }
    proxy.fail({ kind: "flipAnswer", at: 5 }, { times: ATTEMPTS_LIMIT });
    await assertFails(bucket.get("a"), "broken", /the server's digest is \w{32}, the bytes have \w{32}$/);
  },
);

s3Test(
  "A server that says it has other bytes than were sent is not believed to have written them",
  async (given) => {
    await using rig = startBucket(given);
    const { bucket, proxy } = rig;
    const etag = { kind: "header", name: "etag", value: '"00000000000000000000000000000000"' } as const;
    proxy.fail(etag);
    await bucket.put("a", BYTES);
    proxy.fail(etag, { times: ATTEMPTS_LIMIT });
    await assertFails(
      bucket.put("a", BYTES),
      "broken",
      /the server's digest is 0{32}, the bytes have \w{32}$/,
    );
  },
);

s3Test(
  "An answer that is shorter than what was asked for is not taken for it, whatever its length says",
  async (given) => {
    await using rig = startBucket(given);
    const { bucket, proxy } = rig;
    const object = await bucket.put("a", BYTES);
    for (const to of [0, 1, 299]) {
      proxy.fail({ kind: "shortenAnswer", to });
      assert.deepEqual(await bucket.getRange(object, { offset: 100, length: 300 }), BYTES.slice(100, 400));
      proxy.fail({ kind: "shortenAnswer", to });
      assert.deepEqual((await bucket.get("a")).bytes, BYTES);
    }
    proxy.fail({ kind: "shortenAnswer", to: 299 }, { times: ATTEMPTS_LIMIT });
    await assertFails(
      bucket.getRange(object, { offset: 100, length: 300 }),
      "broken",
      /: 299 of 300 bytes came; try again later$/,
    );
  },
);

s3Test("Another range or another object than was asked for is not taken for it", async (given) => {
  await using rig = startBucket(given);
  const { bucket, proxy } = rig;
  const object = await bucket.put("a", BYTES);
  const range = () => bucket.getRange(object, { offset: 100, length: 300 });
  proxy.fail({ kind: "header", name: "content-range", value: "bytes 0-299/2000" }, { times: ATTEMPTS_LIMIT });
  await assertFails(range(), "broken", /"bytes 0-299\/2000" came where "bytes 100-399\/2000" was asked for$/);
  proxy.fail({ kind: "header", name: "content-range", value: null }, { times: ATTEMPTS_LIMIT });
  await assertFails(range(), "broken", /"no range" came where/);
  proxy.fail({ kind: "header", name: "etag", value: '"another"' });
  await assertFails(range(), "changed", /it is not the object that was meant$/);
});

s3Test("An answer that does not begin, or does not go on, is given up in time", async (given) => {
  await using rig = startBucket(given);
  const { bucket, proxy, clock } = rig;
  await bucket.put("a", BYTES);
  for (
    const [fault, limitMs] of [
      [{ kind: "hold" }, ANSWER_TIMEOUT_MS],
      [{ kind: "stallAnswer", after: 0 }, ANSWER_TIMEOUT_MS],
      [{ kind: "stallAnswer", after: 1000 }, IDLE_TIMEOUT_MS],
    ] as const
  ) {
    proxy.fail(fault);
    const got = bucket.get("a");
    await untilSo(() => proxy.holding === 1, "the held answer");
    // The body's limit begins when its first bytes are there.
    await untilSo(() => clock.pending === 1, "the limit");
    clock.advance(limitMs);
    assert.deepEqual((await got).bytes, BYTES);
    await untilSo(() => proxy.holding === 0, "the end of the connection");
  }
});

s3Test("A bucket that never answers is given up with what was waited for", async (given) => {
  await using rig = startBucket(given);
  const { bucket, proxy, clock } = rig;
  proxy.fail({ kind: "hold" }, { times: ATTEMPTS_LIMIT });
  const fails = assertFails(
    bucket.get("a"),
    "down",
    `Cannot read "a" in bucket "${given.bucket}": no answer within 20 s; try again later`,
  );
  for (let attempt = 1; attempt <= ATTEMPTS_LIMIT; attempt++) {
    await untilSo(() => proxy.requests.length === attempt && proxy.holding === 1, "the held request");
    clock.advance(ANSWER_TIMEOUT_MS);
    await untilSo(() => proxy.holding === 0, "the end of the connection");
  }
  await fails;
});

s3Test("A large body has more time to be sent than a small one", async (given) => {
  await using rig = startBucket(given);
  const { bucket, proxy, clock } = rig;
  const bytes = new Uint8Array(1024 * 1024); // 16 s at 64 KiB a second
  proxy.fail({ kind: "hold" });
  const put = bucket.put("a", bytes);
  await untilSo(() => proxy.holding === 1, "the held request");
  clock.advance(ANSWER_TIMEOUT_MS + 15_999);
  assert.equal(proxy.requests.length, 1);
  clock.advance(1);
  assert.equal((await put).size, bytes.length);
  assert.equal(proxy.requests.length, 2);
});

s3Test(
  "A request ends with the reason of its signal, while it waits for an answer or for the next attempt",
  async (given) => {
    await using rig = startBucket(given);
    const { proxy } = rig;
    const held = new AbortController();
    proxy.fail({ kind: "hold" });
    const isEnded = assert.rejects(rig.bucket.get("a", { signal: held.signal }), { message: "stop" });
    await untilSo(() => proxy.holding === 1, "the held request");
    held.abort(new Error("stop"));
    await isEnded;

    const clock = new FakeClock(Date.now());
    const bucket = new Bucket({ ...keysFor(proxy.url, given.bucket), clock });
    const waiting = new AbortController();
    proxy.fail({ kind: "answer", status: 500 });
    const isStopped = assert.rejects(bucket.get("a", { signal: waiting.signal }), { message: "stop" });
    await untilSo(() => proxy.requests.length === 2 && clock.pending === 1, "the wait");
    waiting.abort(new Error("stop"));
    await isStopped;
    assert.equal(clock.pending, 0);
  },
);

s3Test("A bucket that is very slow, a few bytes at a time, is read right", async (given) => {
  await using tcp = TcpProxy.start(given.server.port);
  const waits = new WaitsClock(new FakeClock(Date.now()), (delayMs) => delayMs > RETRY_AFTER_LIMIT_MS);
  const bucket = new Bucket({ ...keysFor(`http://127.0.0.1:${tcp.port}`, given.bucket), clock: waits });
  tcp.slow(7);
  const object = await bucket.put("a", BYTES);
  assert.deepEqual((await bucket.get("a")).bytes, BYTES);
  assert.deepEqual(await bucket.getRange(object, { offset: 5, length: 500 }), BYTES.slice(5, 505));
  assert.deepEqual(waits.waitsMs, [], "nothing had to be tried again");
  tcp.cut();
  assert.equal(
    (await bucket.head("a"))?.size,
    BYTES.length,
    "its connection was closed while nobody used it",
  );
});

Deno.test("A bucket where nobody listens is down", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const waits = new WaitsClock(new FakeClock(0), ANSWER_TIMEOUT_MS);
  const bucket = new Bucket({ ...keysFor(`http://127.0.0.1:${port}`, "logs"), clock: waits });
  await assertFails(bucket.get("a"), "down", /^Cannot read "a" in bucket "logs": .*; try again later$/);
  assert.equal(waits.waitsMs.length, ATTEMPTS_LIMIT - 1);
});

Deno.test("A bucket that sends elsewhere is not followed", async () => {
  let asked = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    asked++;
    return new Response(null, { status: 307, headers: { location: "/elsewhere" } });
  });
  const clock = new FakeClock(0);
  const bucket = new Bucket({ ...keysFor(`http://127.0.0.1:${server.addr.port}`, "logs"), clock });
  await assertFails(
    bucket.get("a"),
    "refused",
    'Cannot read "a" in bucket "logs": the server answered 307; the bucket is elsewhere, check AWS_ENDPOINT_URL_S3 and ' +
      "AWS_REGION",
  );
  assert.equal(asked, 1);
  await server.shutdown();
});

Deno.test("An answer that drips steadily is given up all the same", async () => {
  const clock = new FakeClock(0);
  let asked = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    asked++;
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(1));
        // Each drop takes ten seconds, which is not too long for one.
        clock.skip(10_000);
      },
    }, { highWaterMark: 0 });
    return new Response(body);
  });
  const bucket = new Bucket({ ...keysFor(`http://127.0.0.1:${server.addr.port}`, "logs"), clock });
  const controller = new AbortController();
  const isStopped = assert.rejects(bucket.get("a", { signal: controller.signal }), { message: "stop" });
  await untilSo(() => {
    clock.advance(1);
    return asked === 2;
  }, "the next attempt");
  assert.ok(clock.elapsed() >= BODY_TIMEOUT_MS);
  controller.abort(new Error("stop"));
  await isStopped;
  await server.shutdown();
});

Deno.test("Bucket does not repeat keys that it cannot use", () => {
  for (const secretAccessKey of ["", "sec ret", "secret\n", "secr\u00e9t"]) {
    assert.throws(
      () => new Bucket({ ...keysFor("http://127.0.0.1", "logs"), secretAccessKey, clock: new FakeClock(0) }),
      {
        name: "TypeError",
        message: "Cannot use the keys of the bucket: they are empty or have characters that no key has",
      },
    );
  }
});

/** What was done, without the times that differ between attempts. */
function resultOf(done: unknown): unknown {
  return done instanceof Uint8Array ? done : { ...(done as object), modifiedMs: null };
}
