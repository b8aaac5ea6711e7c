import assert from "node:assert/strict";
import { DayTasks } from "../../../lib/archive/day/day_tasks.ts";

Deno.test("DayTasks.run() runs one task after another, also after one that failed", async () => {
  const tasks = new DayTasks();
  const gate = Promise.withResolvers<void>();
  const steps: string[] = [];
  const first = tasks.run(async () => {
    steps.push("first begins");
    await gate.promise;
    steps.push("first fails");
    throw new Error("Cannot write: full");
  });
  const second = tasks.run(() => {
    steps.push("second");
    return Promise.resolve(2);
  });
  gate.resolve();
  await assert.rejects(first, { message: "Cannot write: full" });
  assert.equal(await second, 2);
  assert.deepEqual(steps, ["first begins", "first fails", "second"]);
});

Deno.test("DayTasks.ended() waits for the task under way, and does not fail with it", async () => {
  const tasks = new DayTasks();
  let isOver = false;
  const failing = tasks.run(async () => {
    await Promise.resolve();
    isOver = true;
    throw new Error("no");
  });
  tasks.close();
  await Promise.all([assert.rejects(failing), tasks.ended()]);
  assert.equal(isOver, true);
  assert.equal(tasks.closed, true);
});
