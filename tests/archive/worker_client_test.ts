import assert from "node:assert/strict";
import { WorkerClient } from "../../lib/archive/worker_client.ts";

const WORKER = new URL("./worker_client_worker.ts", import.meta.url);

type Task = number | "throw" | "die";

Deno.test("call() gives each call its own result, and the worker's message where it throws", async () => {
  const client = new WorkerClient<Task, number>(WORKER, "test worker");
  try {
    assert.deepEqual(await Promise.all([1, 2, 3].map((task) => client.call(task))), [2, 4, 6]);
    await assert.rejects(client.call("throw"), { message: "Cannot double: it is a word" });
    assert.equal(client.waiting, 0);
  } finally {
    client.terminate();
  }
});

Deno.test("call() fails when the worker dies, and the next call starts another", async () => {
  const client = new WorkerClient<Task, number>(WORKER, "test worker");
  try {
    const [, call] = await Promise.allSettled([client.call("die"), client.call(2)]);
    assert.match(
      String((call as PromiseRejectedResult).reason),
      /Cannot finish: the test worker failed.*dead/,
    );
    assert.equal(client.waiting, 0);
    assert.equal(await client.call(4), 8);
  } finally {
    client.terminate();
  }
});

Deno.test("terminate() fails what is under way; a later call works", async () => {
  const client = new WorkerClient<Task, number>(WORKER, "test worker");
  const call = client.call(1);
  client.terminate();
  await assert.rejects(call, { message: "Cannot finish: the test worker was ended" });
  assert.equal(await client.call(5), 10);
  client.terminate();
  client.terminate();
});

Deno.test("call() with what cannot travel rejects and is not waited for", async () => {
  const client = new WorkerClient<unknown, number>(WORKER, "test worker");
  await assert.rejects(client.call(() => {}), { name: "DataCloneError" });
  assert.equal(client.waiting, 0);
  client.terminate();
});
