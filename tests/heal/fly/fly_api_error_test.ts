import assert from "node:assert/strict";
import { FlyApiError } from "../../../lib/heal/fly/fly_api_error.ts";

Deno.test("FlyApiError has what the caller goes by", () => {
  const error = new FlyApiError("busy", "Cannot ask", 429);
  assert.deepEqual([error.name, error.message, error.failure, error.status], [
    "FlyApiError",
    "Cannot ask",
    "busy",
    429,
  ]);
  assert.equal(new FlyApiError("down", "Cannot ask").status, null);
});
