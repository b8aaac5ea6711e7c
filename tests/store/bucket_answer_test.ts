import assert from "node:assert/strict";
import { answerError, errorCode } from "../../lib/store/bucket_answer.ts";
import type { BucketFailure } from "../../lib/store/bucket_error.ts";

function answer(status: number, body = "", headers: Record<string, string> = {}) {
  return {
    what: 'Cannot read "a"',
    status,
    headers: new Headers(headers),
    body: new TextEncoder().encode(body),
    nowMs: Date.parse("2026-11-22T10:00:00Z"),
  };
}

function withCode(code: string): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>AKIDEXAMPLE signed this</Message></Error>`;
}

for (
  const [status, code, failure, isPassing] of [
    [404, "NoSuchKey", "missing", false],
    [403, "AccessDenied", "denied", false],
    [403, "InvalidAccessKeyId", "denied", false],
    [401, "", "denied", false],
    [412, "PreconditionFailed", "changed", false],
    [409, "ConditionalRequestConflict", "busy", true],
    [409, "BucketNotEmpty", "refused", false],
    [429, "", "busy", true],
    [503, "SlowDown", "busy", true],
    [503, "ServiceUnavailable", "down", true],
    [500, "InternalError", "down", true],
    [400, "BadDigest", "broken", true],
    [400, "XAmzContentSHA256Mismatch", "broken", true],
    [400, "RequestTimeout", "down", true],
    [400, "InvalidRequest", "refused", false],
    [301, "PermanentRedirect", "refused", false],
    [200, "InternalError", "down", true],
  ] as [number, string, BucketFailure, boolean][]
) {
  Deno.test(`An answer ${status} ${code} is "${failure}"`, () => {
    const error = answerError(answer(status, code === "" ? "" : withCode(code)));
    assert.deepEqual([error.failure, error.isPassing, error.code], [failure, isPassing, code || null]);
    assert.ok(
      error.message.startsWith(`Cannot read "a": the server answered ${status}${code && ` ${code}`}; `),
    );
    assert.ok(!error.message.includes("AKIDEXAMPLE"), "the text of an answer repeats keys");
  });
}

for (
  const [date, said] of [
    ["Sun, 22 Nov 2026 11:30:00 GMT", "5400 s behind"],
    ["Sun, 22 Nov 2026 09:30:00 GMT", "1800 s ahead of"],
  ] as const
) {
  Deno.test(`A clock that is ${said} the server's is told as such`, () => {
    const error = answerError(answer(403, withCode("RequestTimeTooSkewed"), { date }));
    assert.equal(
      error.message,
      'Cannot read "a": the server answered 403 RequestTimeTooSkewed; ' +
        `this machine's clock is ${said} the server's; set the clock of this machine right`,
    );
  });
}

Deno.test("errorCode() takes no text for a code that could be anything else", () => {
  const codeOf = (body: string) => errorCode(new TextEncoder().encode(body));
  assert.equal(codeOf(withCode("NoSuchKey")), "NoSuchKey");
  for (
    const body of ["", "no XML", "<Fault><Code>A</Code></Fault>", withCode("a b"), withCode("x".repeat(65))]
  ) {
    assert.equal(codeOf(body), null, body);
  }
});
