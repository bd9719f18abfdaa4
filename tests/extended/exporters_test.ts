import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { ExportMetricsServiceRequestSchema } from "../../src/otlp/gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.ts";
import { figure } from "../support/figure.ts";
import { freePort } from "../support/process.ts";
import { type ReceivedRequest, type Receiver, startReceiver } from "../support/receiver.ts";
import { type RealResponse, realResponses, type Verdict } from "../support/responses.ts";
import { missing, namedUnless, tool } from "../support/tools.ts";
import { collectorYaml, startCollector } from "../support/collector.ts";

// The reactions of `send` to real responses (responses_test.ts) are compared with those of other exporters.
// Where we mean to differ, the response's file says so.

/** No exporter here goes on for longer. */
const RETRY_FOR_SECONDS = 5;

/** Verdict of `send` on it within RETRY_FOR_SECONDS. */
function ours({ send, retryAfter = 0 }: RealResponse): Verdict {
  if (send === "retried") return retryAfter > RETRY_FOR_SECONDS ? "refused" : "retried";
  return send.startsWith("accepted") || send === "partial" ? "accepted" : "refused";
}

/** From what came: a redirect may be followed with a GET, which repeats nothing. */
function verdict(success: boolean, requests: readonly ReceivedRequest[]): Verdict {
  const posts = requests.filter(({ method }) => method === "POST").length;
  return posts > 1 ? "retried" : success ? "accepted" : "refused";
}

async function assertVerdicts(
  exporter: "collector" | "python",
  found: ReadonlyMap<string, Verdict>,
): Promise<void> {
  const all = realResponses();
  assert.deepEqual(
    Object.fromEntries(found),
    Object.fromEntries(all.map((response) => [
      response.name,
      response.others[exporter] ?? ours(response),
    ])),
  );
  const named = all.filter((response) => response.others[exporter] === ours(response));
  assert.deepEqual(named.map(({ name }) => name), [], "these name a difference that is none");
  const differ = all.filter(({ others }) => others[exporter] !== undefined).length;
  await figure(`${all.length} responses: ${exporter} differs from send in ${differ}, on purpose`);
}

Deno.test({
  ...namedUnless(
    missing("PREDECESSOR_PYTHON"),
    "the exporter of the SDK for Python makes of each response what send does, but where its file says otherwise",
  ),
  async fn() {
    await using receivers = new AsyncDisposableStack();
    const served: (readonly [RealResponse, Receiver])[] = [];
    for (const response of realResponses()) {
      const receiver = receivers.use(await startReceiver());
      receiver.answer({ status: response.status, raw: response.bytes(receiver.url) });
      served.push([response, receiver]);
    }
    const child = new Deno.Command(tool("PREDECESSOR_PYTHON"), {
      args: [new URL("../support/clients/exporter.py", import.meta.url).pathname],
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = child.stdin.getWriter();
    const urls = served.map(([, { url }]) => `${url}/v1/metrics\n`).join("");
    await writer.write(new TextEncoder().encode(urls));
    await writer.close();
    const { stdout } = await child.output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assert.equal(lines.length, served.length);
    await assertVerdicts(
      "python",
      new Map(
        served.map(([{ name }, { requests }], i) => [name, verdict(lines[i] === "True", requests)]),
      ),
    );
  },
});

/** One histogram, named after a response, as OTLP/JSON. */
function histogram(name: string): string {
  const dataPoints = [{ count: 1, sum: 12.5, bucketCounts: [1], timeUnixNano: "1" }];
  const metrics = [{ name, histogram: { aggregationTemporality: 1, dataPoints } }];
  return JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
}

/** Undefined for a redirect that was followed with a GET. */
function nameOf({ content }: ReceivedRequest): string | undefined {
  const { resourceMetrics } = fromBinary(ExportMetricsServiceRequestSchema, content);
  return resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.name;
}

Deno.test({
  ...namedUnless(
    missing("OTELCOL"),
    "the Collector's exporter makes of each response what send does, but where its file says otherwise",
  ),
  async fn() {
    const all = realResponses();
    const once = new Set<string>();
    const decide = (request: ReceivedRequest) => {
      const response = all.find(({ name }) => name === nameOf(request));
      if (response === undefined || once.has(response.name)) return 200;
      once.add(response.name);
      return { status: response.status, raw: response.bytes(receiver.url) };
    };
    await using receiver = await startReceiver({
      answers: Array.from({ length: 1000 }, () => decide),
    });
    const port = freePort();
    const retries =
      `{initial_interval: 100ms, max_interval: 1s, max_elapsed_time: ${RETRY_FOR_SECONDS}s}`;
    const settings =
      `{metrics_endpoint: "${receiver.url}/v1/metrics", sending_queue: {enabled: false}, ` +
      `retry_on_failure: ${retries}}`;
    await using _ = await startCollector(collectorYaml(port, "otlp_http", settings), "OTELCOL");
    // Without a queue, the Collector answers with what became of the export.
    const found = await Promise.all(all.map(async ({ name }) => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/metrics`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: histogram(name),
      });
      await answer.body?.cancel();
      const requests = receiver.requests.filter((request) => nameOf(request) === name);
      return [name, verdict(answer.ok, requests)] as const;
    }));
    await assertVerdicts("collector", new Map(found));
  },
});
