import assert from "node:assert/strict";
import { s3Test } from "./s3_case.ts";

s3Test(
  "S3Server gives each test an empty bucket, which strangers cannot read",
  async ({ server, bucket }) => {
    const other = await server.makeBucket();
    assert.notEqual(other, bucket);
    const response = await fetch(`${server.url}/${bucket}`);
    assert.equal(response.status, 403);
    assert.match(await response.text(), /AccessDenied/);
  },
);
