import assert from "node:assert/strict";
import { ADDRESSES_LIMIT, peerAddresses } from "../../../lib/heal/peers/peer_addresses.ts";

const NAME = "http://flightlog.internal:8080";

/** What becomes of `peer` where its name has these addresses; `asked` tells which names were looked up. */
async function addressesOf(
  peer: string,
  { A = [], AAAA = [] }: { A?: string[]; AAAA?: string[] } = {},
  own: string[] = [],
): Promise<{ addresses: string[]; asked: string[] }> {
  const asked: string[] = [];
  const addresses = await peerAddresses(peer, {
    own,
    signal: new AbortController().signal,
    resolve(name, type) {
      asked.push(`${name} ${type}`);
      const found = type === "A" ? A : AAAA;
      return found.length > 0 ? Promise.resolve(found) : Promise.reject(new Deno.errors.NotFound("none"));
    },
  });
  return { addresses, asked };
}

Deno.test("peerAddresses() means each address of a name, of either kind, but for this machine's", async () => {
  const { addresses, asked } = await addressesOf(NAME, { AAAA: ["fdaa::2", "fdaa::1"], A: ["10.0.0.3"] }, [
    "fdaa:0:0::1",
  ]);
  assert.deepEqual(addresses, ["http://10.0.0.3:8080", "http://[fdaa::2]:8080"]);
  assert.deepEqual(asked, ["flightlog.internal AAAA", "flightlog.internal A"]);
});

Deno.test("peerAddresses() leaves the port out where the name has none", async () => {
  const { addresses } = await addressesOf("http://flightlog.internal", { AAAA: ["fdaa::1", "fdaa::2"] });
  assert.deepEqual(addresses, ["http://[fdaa::1]", "http://[fdaa::2]"]);
});

Deno.test("peerAddresses() is empty where the only address is this machine's", async () => {
  assert.deepEqual((await addressesOf(NAME, { AAAA: ["fdaa::1"] }, ["fdaa::1"])).addresses, []);
});

Deno.test("peerAddresses() keeps a name that has one address, or that the resolver does not know", async () => {
  assert.deepEqual((await addressesOf(NAME, { A: ["10.0.0.3"] }, ["fdaa::1"])).addresses, [NAME]);
  assert.deepEqual((await addressesOf(NAME)).addresses, [NAME]);
});

for (
  const peer of [
    "http://[fdaa::1]:8080",
    "http://10.0.0.3",
    "http://localhost:8080",
    "http://two.localhost:8080",
    "https://logs.example",
  ]
) {
  Deno.test(`peerAddresses() uses ${peer} as it is`, async () => {
    const { addresses, asked } = await addressesOf(peer, { A: ["10.0.0.1", "10.0.0.2"] }, [
      "fdaa::1",
      "10.0.0.3",
    ]);
    assert.deepEqual([addresses, asked], [[peer], []]);
  });
}

Deno.test("peerAddresses() takes no more addresses than its limit", async () => {
  const AAAA = Array.from({ length: ADDRESSES_LIMIT + 9 }, (_, n) => `fdaa::${(n + 16).toString(16)}`);
  assert.equal((await addressesOf(NAME, { AAAA })).addresses.length, ADDRESSES_LIMIT);
});

Deno.test("peerAddresses() ends with the signal's reason", async () => {
  const controller = new AbortController();
  const resolve = () => {
    controller.abort(new Error("stop"));
    return Promise.reject(new Error("aborted"));
  };
  await assert.rejects(peerAddresses(NAME, { own: [], resolve, signal: controller.signal }), {
    message: "stop",
  });
});
