import assert from "node:assert/strict";
import { RETRIES_LIMIT, RetryBudget, SUCCESSES_PER_RETRY } from "../../lib/store/retry_budget.ts";

Deno.test("RetryBudget allows so many retries, and another one after some successes", () => {
  const budget = new RetryBudget();
  for (let retry = 0; retry < RETRIES_LIMIT; retry++) assert.ok(budget.take(), `retry ${retry}`);
  assert.ok(!budget.take());
  for (let success = 1; success < SUCCESSES_PER_RETRY; success++) budget.succeed();
  assert.ok(!budget.take());
  budget.succeed();
  assert.ok(budget.take());
  assert.ok(!budget.take());
});

Deno.test("RetryBudget does not grow beyond its limit while all is well", () => {
  const budget = new RetryBudget();
  for (let success = 0; success < 1000; success++) budget.succeed();
  for (let retry = 0; retry < RETRIES_LIMIT; retry++) budget.take();
  assert.ok(!budget.take());
});
