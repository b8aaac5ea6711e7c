import assert from "node:assert/strict";
import { readServerError, SERVER_TEXT_LIMIT } from "../../../lib/source/nats/session_end.ts";

for (
  const [text, kind] of [
    ["Authorization Violation", "refused"],
    ["Authentication Timeout", "refused"],
    ["User Authentication Revoked", "refused"],
    ["Account Authentication Expired", "refused"],
    ['Permissions Violation for Subscription to "logs.>" using queue "q"', "denied"],
    ["maximum subscriptions exceeded", "denied"],
    ["Invalid Subject", "denied"],
    ["Slow Consumer", "disconnect"],
    ["Stale Connection", "disconnect"],
    ["maximum connections exceeded", "disconnect"],
    ["Server Shutdown", "disconnect"],
    ["Unknown Protocol Operation", "protocol"],
    ["Parser Error", "protocol"],
  ] as const
) {
  Deno.test(`readServerError() gives ${kind} when the server says '${text}'`, () => {
    assert.deepEqual(readServerError(`-ERR '${text}'`), [kind, `The server says ${JSON.stringify(text)}`]);
  });
}

Deno.test("readServerError() repeats only so much of what the server says, and no control characters", () => {
  const [, message] = readServerError(`-ERR '\u001b[31m${"x".repeat(10_000)}'`);
  assert.equal(message, `The server says "\\u001b[31m${"x".repeat(SERVER_TEXT_LIMIT - 5)}"`);
});
