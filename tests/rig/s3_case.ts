/**
 * Promises a test that needs an S3 server one that is real, and an empty bucket of its own. Where the server's programs are
 * missing the test is ignored, under a name that says what to install.
 *
 * @module
 */

import { findS3Programs } from "./s3_programs.ts";
import { S3Server } from "./s3_server.ts";

const found = await findS3Programs();

/** What a test is given. */
export interface S3Case {
  /** The server, which all tests of the file share. */
  server: S3Server;
  /** The name of a bucket that is this test's alone. */
  bucket: string;
}

let starting: Promise<S3Server> | undefined;

if ("programs" in found) {
  // Started with the first test that needs it, outside of what the test must have cleaned up at its end.
  Deno.test.beforeAll(async () => {
    starting = S3Server.start(found.programs);
    await starting;
  });
  Deno.test.afterAll(async () => {
    await (await starting)?.[Symbol.asyncDispose]();
  });
}

/** Adds a test. All tests of a file have one server, each has a bucket. */
export function s3Test(name: string, run: (given: S3Case) => Promise<void>): void {
  const missing = "missing" in found ? found.missing : null;
  Deno.test({
    name: missing === null ? name : `${name} (${missing})`,
    ignore: missing !== null,
    async fn() {
      const server = await starting!;
      await run({ server, bucket: await server.makeBucket() });
    },
  });
}
