import assert from "node:assert/strict";
import { chooseConnections, CONNECTIONS_LIMIT, countFreeFiles } from "../../lib/machine/open_files.ts";

Deno.test("chooseConnections() leaves recording and readers their files", () => {
  assert.equal(chooseConnections({ asked: null, freeFiles: 1000, readers: 64 }), 292);
  assert.equal(chooseConnections({ asked: 100, freeFiles: 1000, readers: 64 }), 100);
  assert.equal(chooseConnections({ asked: null, freeFiles: 10_000, readers: 64 }), CONNECTIONS_LIMIT);
});

Deno.test("chooseConnections() says what to do when there are too few files", () => {
  assert.throws(() => chooseConnections({ asked: 400, freeFiles: 1000, readers: 64 }), {
    message: "Cannot allow 400 connections (MAX_CONNECTIONS): only 1000 more files can be opened; " +
      'ask for 292 or fewer, or raise the limit, as with "ulimit -n 8192"',
  });
  assert.throws(() => chooseConnections({ asked: null, freeFiles: 200, readers: 64 }), {
    message: "Cannot allow any connection: only 200 more files can be opened; " +
      'raise the limit, as with "ulimit -n 8192"',
  });
});

Deno.test("countFreeFiles() stops where it is told to, and keeps nothing open", () => {
  assert.equal(countFreeFiles(".", 5), 5);
});
