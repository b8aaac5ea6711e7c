import assert from "node:assert/strict";
import { readStoreConfig } from "../../lib/store/store_config.ts";

/** As `fly storage create` sets them. */
const FLY = {
  BUCKET_NAME: "flightlog-store",
  AWS_ENDPOINT_URL_S3: "https://fly.storage.tigris.dev",
  AWS_ACCESS_KEY_ID: "tid_example",
  AWS_SECRET_ACCESS_KEY: "tsec_example",
  AWS_REGION: "auto",
};

const NEEDED = "BUCKET_NAME, AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION";

Deno.test("readStoreConfig() reads what fly storage create sets, and has defaults for the rest", () => {
  assert.deepEqual(readStoreConfig(FLY), {
    store: {
      endpoint: "https://fly.storage.tigris.dev",
      bucket: "flightlog-store",
      accessKeyId: "tid_example",
      secretAccessKey: "tsec_example",
      region: "auto",
      addressing: null,
      intervalMs: 60_000,
      retentionDays: 365,
      localDays: null,
    },
    faults: [],
  });
});

Deno.test("readStoreConfig() reads what is set besides", () => {
  const { store, faults } = readStoreConfig({
    ...FLY,
    AWS_ENDPOINT_URL_S3: " http://minio:9000/ ",
    BUCKET_ADDRESSING: "path",
    STORE_INTERVAL: "5m",
    STORE_RETENTION_DAYS: "0",
    LOCAL_DAYS: "7",
  });
  assert.deepEqual(faults, []);
  assert.equal(store?.endpoint, "http://minio:9000");
  assert.deepEqual([store?.addressing, store?.intervalMs, store?.retentionDays, store?.localDays], [
    "path",
    300_000,
    null,
    7,
  ]);
  assert.equal(readStoreConfig({ ...FLY, LOCAL_DAYS: "all" }).store?.localDays, null);
});

Deno.test("readStoreConfig() knows of no bucket where none is named, also where other programs have keys", () => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = FLY;
  for (const env of [{}, { AWS_REGION }, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION }]) {
    assert.deepEqual(readStoreConfig({ ...env, BUCKET_NAME: " " }), { store: null, faults: [] });
  }
});

Deno.test("readStoreConfig() names all that a bucket lacks", () => {
  assert.deepEqual(readStoreConfig({ BUCKET_NAME: "logs", AWS_REGION: "auto" }), {
    store: null,
    faults: ["AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map((name) =>
      `${name}: is not set, though BUCKET_NAME is; "fly storage create" sets ${NEEDED}, all of which a bucket needs`
    ),
  });
  assert.deepEqual(readStoreConfig({ ...FLY, BUCKET_NAME: undefined }).faults, [
    `BUCKET_NAME: is not set, though AWS_ENDPOINT_URL_S3 is; "fly storage create" sets ${NEEDED}, ` +
    "all of which a bucket needs",
  ]);
});

Deno.test("readStoreConfig() says what makes no sense without a bucket", () => {
  const names = ["BUCKET_ADDRESSING", "STORE_INTERVAL", "STORE_RETENTION_DAYS", "LOCAL_DAYS"];
  assert.deepEqual(readStoreConfig(Object.fromEntries(names.map((name) => [name, "1"]))), {
    store: null,
    faults: names.map((name) =>
      `${name}: is set, and BUCKET_NAME is not; name the bucket that it is about, or take it out`
    ),
  });
});

for (
  const [name, value, fault] of [
    [
      "BUCKET_NAME",
      "My_Bucket",
      '"My_Bucket" is not the name of a bucket: 3 to 63 lower-case letters, digits, hyphens and dots',
    ],
    ["AWS_REGION", "Frankfurt!", '"Frankfurt!" is not a region, such as auto or eu-central-1'],
    [
      "BUCKET_ADDRESSING",
      "dns",
      '"dns" is not "path" or "host", where the bucket\'s name stands in addresses',
    ],
    ["STORE_INTERVAL", "1", '"1" is not a duration between 1s and 1h, such as 60s or 5m'],
    ["STORE_INTERVAL", "2h", '"2h" is not a duration between 1s and 1h, such as 60s or 5m'],
    ["STORE_RETENTION_DAYS", "off", '"off" is not a whole number from 1 to 36500, or 0 for ever'],
    ["STORE_RETENTION_DAYS", "36501", '"36501" is not a whole number from 1 to 36500, or 0 for ever'],
    ["LOCAL_DAYS", "0", '"0" is not "all" or a whole number from 1 to 36500'],
  ] as const
) {
  Deno.test(`readStoreConfig() says what ${name} should be instead of "${value}"`, () => {
    assert.deepEqual(readStoreConfig({ ...FLY, [name]: value }), {
      store: null,
      faults: [`${name}: ${fault}`],
    });
  });
}

Deno.test("readStoreConfig() names all faults at once, and shows no secret", () => {
  const { store, faults } = readStoreConfig({
    ...FLY,
    AWS_ENDPOINT_URL_S3: "https://key:secret@fly.storage.tigris.dev",
    AWS_ACCESS_KEY_ID: "secret key",
    AWS_SECRET_ACCESS_KEY: "secret\tkey",
    LOCAL_DAYS: "some",
  });
  assert.equal(store, null);
  assert.deepEqual(faults, [
    "AWS_ENDPOINT_URL_S3: the value is not an http or https URL of nothing but a host and a port, " +
    "such as https://fly.storage.tigris.dev",
    "AWS_ACCESS_KEY_ID: the value is not a key: visible ASCII characters",
    "AWS_SECRET_ACCESS_KEY: the value is not a key: visible ASCII characters",
    'LOCAL_DAYS: "some" is not "all" or a whole number from 1 to 36500',
  ]);
});
