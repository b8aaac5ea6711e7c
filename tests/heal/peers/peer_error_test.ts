import assert from "node:assert/strict";
import { PeerError } from "../../../lib/heal/peers/peer_error.ts";

Deno.test("PeerError carries what its catcher goes by", () => {
  const error = new PeerError("busy", "Cannot ask");
  assert.deepEqual([error.name, error.failure, error.message], ["PeerError", "busy", "Cannot ask"]);
});
