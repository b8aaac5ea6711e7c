import assert from "node:assert/strict";
import { FlightlogProcess } from "../rig/flightlog_process.ts";
import { numberedLine } from "../rig/fly_lines.ts";
import { NatsServer } from "../rig/nats_server.ts";
import { Publisher } from "../rig/publisher.ts";

function* lines(from: number, end: number) {
  for (let number = from; number < end; number++) {
    yield numberedLine(number, { timestamp: new Date().toISOString() });
  }
}

/** Reads events until the line with a number has come, or until the stream ends; returns all of its text. */
async function readEvents(url: string, lastId: string, until: number): Promise<string> {
  const headers = { Accept: "text/event-stream", ...(lastId === "" ? {} : { "Last-Event-ID": lastId }) };
  const response = await fetch(`${url}/tail?since=1h`, { headers });
  assert.equal(response.status, 200);
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes(`"line=${until}"`) && text.endsWith("\n\n")) break;
  }
  return text;
}

function numbersIn(text: string): number[] {
  return [...text.matchAll(/"message":"line=(\d+)"/g)].map(([, number]) => Number(number));
}

Deno.test("GET /tail ends with the program, in time, and goes on with the next one where it stood", async () => {
  await using nats = await NatsServer.start();
  await using publisher = await Publisher.connect({ port: nats.port });
  const logDirectory = await Deno.makeTempDir({ prefix: "flightlog-follow-" });
  try {
    const env = { NATS_URL: nats.url };
    let text: string;
    {
      await using flightlog = await FlightlogProcess.start({ env, logDirectory });
      await flightlog.untilLog("recording");
      await publisher.publishAll(lines(0, 10));
      const reading = readEvents(flightlog.url, "", Infinity);
      await readEvents(flightlog.url, "", 9);
      await publisher.publishAll(lines(10, 500));
      await readEvents(flightlog.url, "", 499);
      assert.equal((await flightlog.stop()).code, 0);
      assert.ok(!flightlog.log.lines.some((line) => line.includes("answers under way")));
      text = await reading;
    }
    assert.deepEqual(numbersIn(text), Array.from({ length: 500 }, (_, i) => i));
    const lastId = [...text.matchAll(/^id: (.*)$/gm)].at(-1)![1]!;
    await using flightlog = await FlightlogProcess.start({ env, logDirectory });
    await flightlog.untilLog("recording");
    await publisher.publishAll(lines(500, 510));
    const resumed = await readEvents(flightlog.url, lastId, 509);
    assert.deepEqual(numbersIn(resumed), Array.from({ length: 10 }, (_, i) => 500 + i));
    assert.match(
      resumed,
      /^event: gap\ndata: \{.*"cause":"stop","state":"lost","healed":null,"reason":null\}$/m,
    );
  } finally {
    await Deno.remove(logDirectory, { recursive: true });
  }
});
