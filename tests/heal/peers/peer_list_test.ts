import assert from "node:assert/strict";
import { beforeAbort, PeerList, RESOLVE_TIMEOUT_MS } from "../../../lib/heal/peers/peer_list.ts";
import { FakeClock } from "../../rig/fake_clock.ts";

const { signal } = new AbortController();
const CONFIG = { peers: ["http://flightlog.internal:8080"], peerToken: null, privateAddress: "fdaa::1" };

Deno.test("PeerList.now() has who is there now, and knows those again that were there before", async () => {
  let addresses = ["fdaa::1", "fdaa::2", "fdaa::3"];
  const resolve = (_name: string, type: string) => Promise.resolve(type === "AAAA" ? addresses : []);
  const list = new PeerList({ config: CONFIG, clock: new FakeClock(0), resolve });
  const before = await list.now(signal);
  addresses = ["fdaa::1", "fdaa::3", "fdaa::4"];
  const after = await list.now(signal);
  assert.deepEqual(before.map(({ name }) => name), ["http://[fdaa::2]:8080", "http://[fdaa::3]:8080"]);
  assert.deepEqual(after.map(({ name }) => name), ["http://[fdaa::3]:8080", "http://[fdaa::4]:8080"]);
  assert.equal(after[0], before[1]);
});

Deno.test("PeerList.now() uses a name as it is that cannot be looked up in time", async () => {
  const clock = new FakeClock(0);
  const signals: AbortSignal[] = [];
  const list = new PeerList({
    ...{ config: CONFIG, clock },
    resolve(_name, _type, options) {
      signals.push(options.signal);
      return new Promise(() => {});
    },
  });
  const listed = list.now(signal);
  clock.advance(RESOLVE_TIMEOUT_MS);
  assert.deepEqual((await listed).map(({ name }) => name), CONFIG.peers);
  assert.ok(signals.length === 2 && signals.every(({ aborted }) => aborted));
  assert.equal(clock.pending, 0);
});

Deno.test("PeerList.now() ends with the signal's reason, and leaves no timer", async () => {
  const clock = new FakeClock(0);
  const controller = new AbortController();
  const listed = new PeerList({ config: CONFIG, clock, resolve: () => new Promise(() => {}) }).now(
    controller.signal,
  );
  controller.abort(new Error("stop"));
  await assert.rejects(listed, { message: "stop" });
  assert.equal(clock.pending, 0);
});

Deno.test("beforeAbort() is what the promise is, or a rejection with the signal's reason", async () => {
  assert.equal(await beforeAbort(Promise.resolve(7), signal), 7);
  await assert.rejects(beforeAbort(Promise.reject(new Error("no")), signal), { message: "no" });
  await assert.rejects(beforeAbort(new Promise(() => {}), AbortSignal.abort(new Error("stop"))), {
    message: "stop",
  });
});
