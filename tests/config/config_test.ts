import assert from "node:assert/strict";
import { type Config, ConfigError, readConfig } from "../../lib/config/config.ts";

const LOCAL = { NATS_URL: "nats://127.0.0.1:4222" };
const FLY = { FLY_APP_NAME: "flightlog", FLY_REGION: "fra", FLY_MACHINE_ID: "0e28", ACCESS_TOKEN: "fm2_a" };

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.faults;
  }
  return [];
}

Deno.test("readConfig() has the documented defaults when only a token is given", () => {
  assert.deepEqual(
    readConfig({ ACCESS_TOKEN: "fm2_a" }),
    {
      server: {
        scheme: "nats",
        hostname: "fdaa::3",
        port: 4223,
        path: "/",
        credentials: { user: "personal", password: "fm2_a" },
        redacted: "nats://[fdaa::3]:4223",
      },
      subject: "logs.>",
      queue: null,
      logDir: "./logs",
      retentionDays: 30,
      maxDiskPercent: 85,
      syncIntervalMs: 1000,
      sealAfterMs: 3_600_000,
      bufferLimitBytes: 33_554_432,
      canaryIntervalMs: null,
      stallAfterMs: null,
      excludeApps: ["fly-builder-*"],
      includeApps: [],
      excludeText: [],
      healFromFly: null,
      apiTokens: [],
      port: 8080,
      hostname: "127.0.0.1",
      metricsPort: 9091,
      maxConnections: null,
      peers: [],
      peerToken: null,
      org: "personal",
      onFly: false,
      app: null,
      region: null,
      machine: null,
      privateAddress: null,
    } satisfies Config,
  );
});

Deno.test("readConfig() has Fly's defaults when it runs on a Fly machine", () => {
  const config = readConfig(FLY);
  assert.equal(config.onFly, true);
  assert.equal(config.logDir, "/data/logs");
  assert.equal(config.hostname, "::");
  assert.equal(config.canaryIntervalMs, 60_000);
  assert.deepEqual([config.app, config.region, config.machine], ["flightlog", "fra", "0e28"]);
});

Deno.test("readConfig() reads every variable when all are given", () => {
  const config = readConfig({
    ORG: "acme",
    ACCESS_TOKEN: "secret",
    SUBJECT: "logs.*.fra.>",
    QUEUE: "shared",
    NATS_URL: "tls://nats.example",
    LOG_DIR: "/srv/logs",
    RETENTION_DAYS: "7",
    MAX_DISK_PERCENT: "off",
    SYNC_INTERVAL: "250ms",
    SEAL_AFTER: "2h",
    BUFFER_LIMIT: "10MB",
    STALL_AFTER: "5m",
    EXCLUDE_APPS: "noisy, test-*",
    INCLUDE_APPS: "web",
    EXCLUDE_TEXT: "GET /health,ping",
    HEAL_FROM_FLY: "on",
    FLY_API_URL: "http://127.0.0.1:4000/",
    FLY_MACHINES_API_URL: "https://machines.example/fly/",
    API_TOKEN: "one,two",
    PORT: "0",
    HOST: "0.0.0.0",
    METRICS_PORT: "off",
    MAX_CONNECTIONS: "300",
    PEERS: "http://flightlog.internal:8080, https://logs.example/,http://flightlog.internal:8080/",
    PEER_TOKEN: "three",
  });
  assert.deepEqual(config, {
    server: {
      scheme: "tls",
      hostname: "nats.example",
      port: 4222,
      path: "/",
      credentials: { user: "acme", password: "secret" },
      redacted: "tls://nats.example:4222",
    },
    subject: "logs.*.fra.>",
    queue: "shared",
    logDir: "/srv/logs",
    retentionDays: 7,
    maxDiskPercent: null,
    syncIntervalMs: 250,
    sealAfterMs: 7_200_000,
    bufferLimitBytes: 10_000_000,
    canaryIntervalMs: null,
    stallAfterMs: 300_000,
    excludeApps: ["noisy", "test-*"],
    includeApps: ["web"],
    excludeText: ["GET /health", "ping"],
    healFromFly: {
      org: "acme",
      token: "secret",
      logsUrl: "http://127.0.0.1:4000",
      machinesUrl: "https://machines.example/fly",
    },
    apiTokens: ["one", "two"],
    port: 0,
    hostname: "0.0.0.0",
    metricsPort: null,
    maxConnections: 300,
    peers: ["http://flightlog.internal:8080", "https://logs.example"],
    peerToken: "three",
    org: null,
    onFly: false,
    app: null,
    region: null,
    machine: null,
    privateAddress: null,
  });
});

Deno.test("readConfig() keeps a Fly token's commas when it takes the scheme off", () => {
  const passwords = [
    { ACCESS_TOKEN: "FlyV1 fm2_a,fm2_b" },
    { ACCESS_TOKEN: "Bearer abc\n" },
    { FLY_AUTH_TOKEN: "abc" },
    { ACCESS_TOKEN: "first", FLY_AUTH_TOKEN: "second" },
  ].map((env) => readConfig(env).server.credentials);
  assert.deepEqual(passwords, [
    { user: "personal", password: "fm2_a,fm2_b" },
    { user: "personal", password: "abc" },
    { user: "personal", password: "abc" },
    { user: "personal", password: "first" },
  ]);
});

Deno.test("readConfig() takes an empty variable for none", () => {
  assert.equal(readConfig({ ...LOCAL, SUBJECT: "", PORT: " " }).port, 8080);
});

Deno.test("readConfig() takes the credentials in NATS_URL before those beside it", () => {
  const beside = { ORG: "acme", ACCESS_TOKEN: "other" };
  const { server } = readConfig({ NATS_URL: "nats://us%40er:p%3Aw@[::1]", ...beside });
  assert.deepEqual(server.credentials, { user: "us@er", password: "p:w" });
  assert.equal(server.redacted, "nats://[::1]:4222");
  assert.deepEqual(readConfig({ NATS_URL: "nats://sesame@127.0.0.1", ...beside }).server.credentials, {
    token: "sesame",
  });
});

Deno.test("readConfig() asks without credentials when NATS_URL has none and none stand beside it", () => {
  assert.equal(readConfig(LOCAL).server.credentials, undefined);
  const user = { user: "acme", password: "" };
  assert.deepEqual(readConfig({ ...LOCAL, ORG: "acme" }).server.credentials, user);
});

Deno.test("readConfig() says how to make a token when Fly's stream is asked without one", () => {
  const [fault, ...others] = faultsOf({ ORG: "acme" });
  assert.match(fault!, /^ACCESS_TOKEN: is not set.*"fly tokens create readonly acme"/);
  assert.deepEqual(others, []);
});

Deno.test("readConfig() names every wrong variable at once, each on its own line", () => {
  const wrong = {
    NATS_URL: "http://127.0.0.1",
    SUBJECT: "logs.>.web",
    QUEUE: "two words",
    NETWORK: "::",
    RETENTION_DAYS: "-1",
    MAX_DISK_PERCENT: "101",
    SYNC_INTERVAL: "1",
    SEAL_AFTER: "1y",
    BUFFER_LIMIT: "1KiB",
    CANARY_INTERVAL: "often",
    STALL_AFTER: "never",
    EXCLUDE_APPS: ",",
    INCLUDE_APPS: ",",
    EXCLUDE_TEXT: ",",
    HEAL_FROM_FLY: "yes",
    FLY_API_URL: "api.fly.io",
    FLY_MACHINES_API_URL: "ftp://_api.internal",
    API_TOKEN: "with space",
    PORT: "65536",
    HOST: "not a host",
    METRICS_PORT: "-",
    PEERS: "flightlog.internal:8080",
    PEER_TOKEN: "with space",
  };
  const faults = faultsOf({ ...FLY, ...wrong });
  assert.deepEqual(faults.map((fault) => fault.split(":")[0]).sort(), Object.keys(wrong).sort());
  assert.match(
    faults.find((fault) => fault.startsWith("SYNC_INTERVAL"))!,
    /^SYNC_INTERVAL: "1" is not a duration/,
  );
});

for (const subject of ["logs..web", ".logs", "logs.", "lo gs", ">.logs", "logs\u0000"]) {
  Deno.test(`readConfig() refuses the subject ${JSON.stringify(subject)}`, () => {
    assert.match(faultsOf({ ...LOCAL, SUBJECT: subject }).join(), /^SUBJECT: /);
  });
}

for (
  const url of [
    "nats://a,nats://b",
    "nats://a,b",
    "nats://",
    "nats://host/path",
    "nats://host?x=1",
    "nats://%ff@host",
  ]
) {
  Deno.test(`readConfig() refuses NATS_URL ${url}`, () => {
    assert.match(faultsOf({ NATS_URL: url }).join(), /^NATS_URL: Cannot read the NATS address/);
  });
}

Deno.test("readConfig() shows no secret when secrets are what is wrong", () => {
  const text = faultsOf({
    NATS_URL: "ftp://user:geheim@host",
    API_TOKEN: "geheim\u0007",
    FLY_API_URL: "https://user:geheim@host",
    ACCESS_TOKEN: "geheim",
    PORT: "x",
  }).join("\n");
  assert.match(text, /NATS_URL[^]*FLY_API_URL[^]*API_TOKEN[^]*PORT/);
  assert.doesNotMatch(text, /geheim/);
});

Deno.test("readConfig() cuts a long value off when it shows it", () => {
  assert.ok(faultsOf({ ...LOCAL, PORT: "9".repeat(10_000) })[0]!.length < 200);
});

Deno.test("readConfig() refuses to listen beyond loopback off Fly when there is no token", () => {
  assert.match(faultsOf({ ...LOCAL, HOST: "0.0.0.0" }).join(), /^HOST: "0.0.0.0".*API_TOKEN must be set/);
  assert.deepEqual(faultsOf({ ...LOCAL, HOST: "0.0.0.0", API_TOKEN: "one" }), []);
  assert.equal(readConfig({ ...LOCAL, API_TOKEN: "one" }).hostname, "127.0.0.1");
  for (const host of ["localhost", "::1", "[::1]", "127.0.0.2"]) {
    assert.deepEqual(faultsOf({ ...LOCAL, HOST: host }), [], host);
  }
});

Deno.test("readConfig() refuses one port for two things, unless it is any free one", () => {
  assert.match(
    faultsOf({ ...LOCAL, PORT: "9091" }).join(),
    /^METRICS_PORT: "9091" is the port of the API too/,
  );
  const config = readConfig({ ...LOCAL, PORT: "0", METRICS_PORT: "0" });
  assert.deepEqual([config.port, config.metricsPort], [0, 0]);
});

Deno.test("readConfig() refuses a canary off Fly, and takes 0 and off for none", () => {
  assert.match(faultsOf({ ...LOCAL, CANARY_INTERVAL: "60s" }).join(), /^CANARY_INTERVAL: works on Fly only/);
  assert.equal(readConfig({ ...LOCAL, CANARY_INTERVAL: "0" }).canaryIntervalMs, null);
  assert.equal(readConfig({ ...FLY, CANARY_INTERVAL: "off" }).canaryIntervalMs, null);
  assert.equal(readConfig({ ...FLY, CANARY_INTERVAL: "5s" }).canaryIntervalMs, 5000);
});

Deno.test("readConfig() names what a Fly machine should have but has not", () => {
  const faults = faultsOf({ FLY_MACHINE_ID: "0e28", ACCESS_TOKEN: "a" });
  assert.deepEqual(faults.map((fault) => fault.split(":")[0]), ["FLY_APP_NAME", "FLY_REGION"]);
});

Deno.test("readConfig() excludes no app when EXCLUDE_APPS is off", () => {
  assert.deepEqual(readConfig({ ...LOCAL, EXCLUDE_APPS: "off" }).excludeApps, []);
});

Deno.test("readConfig() asks peers with the first token of its own unless PEER_TOKEN is another", () => {
  const own = { ...LOCAL, API_TOKEN: "one,two", PEERS: "http://peer:8080" };
  assert.equal(readConfig(own).peerToken, "one");
  assert.equal(readConfig({ ...own, PEER_TOKEN: "three" }).peerToken, "three");
});

for (
  const peers of [
    "peer",
    "peer:8080",
    "ftp://peer",
    "http://peer/path",
    "http://peer?x=1",
    "http://peer#x",
    "http://user:geheim@peer",
    Array.from({ length: 17 }, (_, n) => `http://peer-${n}`).join(),
  ]
) {
  Deno.test(`readConfig() refuses PEERS ${peers.slice(0, 40)}, and says what it should be`, () => {
    const faults = faultsOf({ ...LOCAL, PEERS: peers }).join();
    assert.match(faults, /^PEERS: the value is not .* such as http:\/\/flightlog.internal:8080/);
    assert.doesNotMatch(faults, /geheim/);
  });
}

Deno.test("readConfig() refuses PEER_TOKEN without PEERS", () => {
  assert.match(faultsOf({ ...LOCAL, PEER_TOKEN: "three" }).join(), /^PEER_TOKEN: is set, and PEERS is not/);
});

Deno.test("readConfig() knows the organisation unless NATS_URL leads to another server", () => {
  assert.equal(readConfig({ ...FLY, ORG: "acme" }).org, "acme");
  assert.equal(readConfig({ ...LOCAL, ORG: "acme" }).org, null);
});

Deno.test("readConfig() knows this machine's address in the private network", () => {
  assert.equal(readConfig({ ...FLY, FLY_PRIVATE_IP: "fdaa::5" }).privateAddress, "fdaa::5");
});

Deno.test("readConfig() heals from Fly on a Fly machine that has Fly's token and records all of Fly's stream", () => {
  assert.deepEqual(readConfig({ ...FLY, ORG: "acme" }).healFromFly, {
    org: "acme",
    token: "fm2_a",
    logsUrl: "https://api.fly.io",
    machinesUrl: "http://_api.internal:4280",
  });
  for (const beside of [LOCAL, { QUEUE: "shared" }, { HEAL_FROM_FLY: "off" }] as Record<string, string>[]) {
    assert.equal(readConfig({ ...FLY, ...beside }).healFromFly, null);
  }
});

Deno.test("readConfig() heals from Fly anywhere when HEAL_FROM_FLY is on", () => {
  const on = { ...LOCAL, HEAL_FROM_FLY: "on" };
  assert.deepEqual(readConfig({ ...on, FLY_AUTH_TOKEN: "FlyV1 fm2_b" }).healFromFly, {
    org: "personal",
    token: "fm2_b",
    logsUrl: "https://api.fly.io",
    machinesUrl: "https://api.machines.dev",
  });
  assert.match(faultsOf(on).join(), /^HEAL_FROM_FLY: "on" needs ACCESS_TOKEN.*fly tokens create readonly/);
});

Deno.test("readConfig() refuses a token with which Fly cannot be asked, without showing it", () => {
  const fault = faultsOf({ ...FLY, ACCESS_TOKEN: "ge heim" }).join();
  assert.match(fault, /^ACCESS_TOKEN: the value has characters.*or set HEAL_FROM_FLY to "off"/);
  assert.doesNotMatch(fault, /heim/);
  assert.deepEqual(faultsOf({ ...FLY, ACCESS_TOKEN: "ge heim", HEAL_FROM_FLY: "off" }), []);
});
