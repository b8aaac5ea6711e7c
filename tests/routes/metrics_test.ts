import assert from "node:assert/strict";
import { silentLogger } from "../../lib/logger.ts";
import { createMetricsApp } from "../../routes/metrics.ts";

function createRig(options: { ready?: boolean; fails?: boolean } = {}) {
  const { ready = true, fails = false } = options;
  return createMetricsApp({
    metrics: {
      exposition: () =>
        fails
          ? Promise.reject(new Error("a secret reason"))
          : Promise.resolve({ text: "flightlog_recording 1\n", contentType: "text/plain; version=0.0.4" }),
    },
    recorder: { readiness: () => ({ ready, reasons: ready ? [] : ["There is no session."] }) },
    logger: silentLogger,
  });
}

async function ask(app: ReturnType<typeof createRig>, path: string, method = "GET"): Promise<Response> {
  return await app.fetch(new Request(`http://[fdaa::1]:9091${path}`, { method }));
}

Deno.test("GET /metrics on the metrics port answers without a token, in Prometheus' own type", async () => {
  const response = await ask(createRig(), "/metrics");
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("Content-Type"), "text/plain; version=0.0.4");
  assert.equal(response.headers.get("Cache-Control"), "no-store");
  assert.equal(await response.text(), "flightlog_recording 1\n");
});

Deno.test("GET /ready on the metrics port says whether lines are recorded", async () => {
  assert.equal((await ask(createRig(), "/ready")).status, 200);
  const response = await ask(createRig({ ready: false }), "/ready");
  assert.equal(response.status, 503);
  assert.deepEqual((await response.json()).reasons, ["There is no session."]);
});

Deno.test("The metrics port answers nothing of what is recorded", async () => {
  for (const path of ["/", "/logs", "/logs/today", "/status", "/tail"]) {
    assert.equal((await ask(createRig(), path)).status, 404);
  }
});

Deno.test("The metrics port answers other methods with 405 and Allow", async () => {
  const response = await ask(createRig(), "/metrics", "POST");
  assert.equal(response.status, 405);
  assert.equal(response.headers.get("Allow"), "GET, HEAD");
});

Deno.test("GET /metrics that fails is a problem that does not say why", async () => {
  const response = await ask(createRig({ fails: true }), "/metrics");
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secret/);
});
