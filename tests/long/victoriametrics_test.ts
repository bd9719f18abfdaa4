import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { decodeRequest } from "../../src/otlp/decode.ts";
import type { KeyValue } from "../../src/otlp/gen/opentelemetry/proto/common/v1/common_pb.ts";
import { inDirectory } from "../support/directory.ts";
import { freePort, Process } from "../support/process.ts";
import { runProgram } from "../support/program.ts";
import { type ReceivedRequest, type Receiver, startReceiver } from "../support/receiver.ts";
import { missing, namedUnless, tool } from "../support/tools.ts";

// The programs of compose.yaml, on free ports: the web shop sends to a Collector, which sends on to
// VictoriaMetrics. The stored samples are compared with the requests that were sent.

const ROOT = new URL("../../", import.meta.url);
const COMPOSE = await Deno.readTextFile(new URL("compose.yaml", ROOT));
const SENDS = 3;

/** The `command` of a service in compose.yaml. */
function commandOf(service: string): readonly string[] {
  const [, block = ""] = new RegExp(`^  ${service}:\n((?:    .*\n)+)`, "m").exec(COMPOSE) ?? [];
  const [, inline, list = ""] = /^ {4}command:(?: \[(.*)\]|\n((?: {6}- .*\n)+))/m.exec(block) ??
    [];
  return inline?.split(", ") ?? list.trim().split("\n").map((line) => line.replace(/^\s*- /, ""));
}

/** The command with other values for what only the containers have. */
function withValues(command: readonly string[], values: Readonly<Record<string, string>>) {
  return command.map((argument) => {
    const name = argument.replace(/=.*/, "");
    return values[name] === undefined ? argument : `${name}=${values[name]}`;
  });
}

async function startVictoriaMetrics(directory: string) {
  const at = `127.0.0.1:${freePort()}`;
  const process = new Process(tool("VICTORIAMETRICS"), [
    ...withValues(commandOf("victoriametrics"), { "--storageDataPath": directory }),
    `--httpListenAddr=${at}`,
  ]);
  await process.logged(/started server at/);
  const url = `http://${at}`;
  const post = async (path: string, fields: Readonly<Record<string, string>>) => {
    const answer = await fetch(url + path, { method: "POST", body: new URLSearchParams(fields) });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return text;
  };
  return {
    url,
    process,
    /** The values of a query by the label `le`; without one there is a single value. */
    async query(query: string): Promise<ReadonlyMap<string, number>> {
      const time = String(Date.now() / 1000 + 1);
      const text = await post("/api/v1/query", {
        query,
        time,
        latency_offset: "1ms",
        nocache: "1",
      });
      const { data }: { data: { result: { metric: { le?: string }; value: [number, string] }[] } } =
        JSON.parse(text);
      return new Map(data.result.map(({ metric, value }) => [metric.le ?? "", Number(value[1])]));
    },
    /** Every series with its samples in the order of their times. */
    async stored(): Promise<readonly Stored[]> {
      await fetch(`${url}/internal/force_flush`).then((answer) => answer.body?.cancel());
      // Without an end it would be the last full second.
      const end = String(Date.now() / 1000 + 60);
      const lines = await post("/api/v1/export", { "match[]": '{__name__!=""}', start: "0", end });
      return lines.trim().split("\n").filter((line) => line !== "").map((line): Stored => {
        const { metric, values, timestamps }: {
          metric: Record<string, string>;
          values: number[];
          timestamps: number[];
        } = JSON.parse(line);
        const { __name__: name = "", le, ...labels } = metric;
        const order = timestamps.map((time, i) => [time, values[i] ?? NaN] as const)
          .sort(([a], [b]) => a - b);
        return { name, le, labels, values: order.map(([, value]) => value) };
      });
    },
  };
}

interface Stored {
  readonly name: string;
  readonly le: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

async function startCollector(store: string) {
  const listen = `127.0.0.1:${freePort()}`;
  const file = fileURLToPath(new URL("examples/compose/collector.yaml", ROOT));
  const process = new Process(tool("OTELCOL_CONTRIB"), ["--config", file], {
    LISTEN: listen,
    STORE: store,
  });
  await process.logged(/Everything is ready/);
  return { url: `http://${listen}`, process };
}

/** Stands between the program and what it sends to, and keeps what went through. */
async function startBetween(url: string): Promise<Receiver> {
  const pass = async ({ target, headers, body }: ReceivedRequest) => {
    const passed = new Headers(headers);
    passed.delete("host");
    const answer = await fetch(url + target, {
      method: "POST",
      headers: passed,
      body: new Uint8Array(body),
    });
    const type = answer.headers.get("content-type");
    return {
      status: answer.status,
      headers: type === null ? {} : { "content-type": type },
      body: new Uint8Array(await answer.arrayBuffer()),
    };
  };
  return await startReceiver({ answers: Array.from({ length: 2 * SENDS }, () => pass) });
}

/** The web shop of compose.yaml, for a few sends; resolves to how many measurements were delivered. */
async function runWebShop(endpoint: string): Promise<number> {
  const { status, stdout, stderr } = await runProgram({
    args: [
      ...withValues(commandOf("web-shop"), {
        "--interval": "0.2",
        "--endpoint": endpoint,
      }),
      ...["--count", "2000", "--seed", "compose", "--iterations", String(SENDS)],
      ...["--output", "json"],
    ],
  });
  assert.equal(status, 0, stderr + stdout);
  const { delivered, recorded } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  assert.equal(delivered, recorded);
  assert.equal(delivered, 2000 * SENDS);
  return delivered;
}

/** Sums of the requests by series: `NAME_count{labels}`, `NAME_sum{…}`, `NAME_bucket{le,…}` (cumulative). */
function sentBy(requests: readonly ReceivedRequest[]): ReadonlyMap<string, number> {
  const sent = new Map<string, number>();
  const add = (key: string, value: number) => sent.set(key, (sent.get(key) ?? 0) + value);
  for (const { content } of requests) {
    for (const { resource, scopeMetrics } of decodeRequest(content).resourceMetrics) {
      const metrics = scopeMetrics.flatMap(({ scope, metrics }) =>
        metrics.map(({ name, data }) => ({ name, data, scope }))
      );
      for (const { name, data, scope } of metrics) {
        assert.ok(data.case === "histogram" || data.case === "exponentialHistogram");
        for (const point of data.value.dataPoints) {
          const labels = {
            ...labelsOf([...resource?.attributes ?? [], ...point.attributes]),
            "scope.name": scope?.name ?? "",
            "scope.version": scope?.version ?? "",
          };
          add(keyOf(`${name}_count`, labels), Number(point.count));
          add(keyOf(`${name}_sum`, labels), point.sum ?? NaN);
          // VictoriaMetrics has ranges of its own for exponential ones.
          if (!("explicitBounds" in point)) continue;
          let below = 0;
          point.bucketCounts.forEach((count, i) => {
            below += Number(count);
            const bound = point.explicitBounds[i];
            add(
              keyOf(`${name}_bucket`, labels, bound === undefined ? "+Inf" : String(bound)),
              below,
            );
          });
        }
      }
    }
  }
  return sent;
}

function labelsOf(attributes: readonly KeyValue[]): Readonly<Record<string, string>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(value?.value.value)]));
}

function keyOf(name: string, labels: Readonly<Record<string, string>>, le = ""): string {
  return JSON.stringify([name, le, Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1)]);
}

/** Requires that the stored samples equal those sent, series by series; `total`: of the samples of one. */
function assertStored(
  stored: readonly Stored[],
  sent: ReadonlyMap<string, number>,
  total: (values: readonly number[]) => number,
): void {
  const found = new Map(
    stored.filter(({ labels }) => labels["vmrange"] === undefined)
      .map(({ name, le, labels, values }) => [keyOf(name, labels, le), total(values)] as const),
  );
  assert.deepEqual([...found.keys()].sort(), [...sent.keys()].sort());
  for (const [key, value] of sent) {
    const actual = found.get(key) ?? NaN;
    assert.ok(
      Math.abs(actual - value) <= 1e-9 * Math.abs(value),
      `${key}: ${actual}, not ${value}`,
    );
  }
}

const reason = missing("VICTORIAMETRICS") ?? missing("OTELCOL_CONTRIB");

Deno.test({
  ...namedUnless(
    reason,
    "compose.yaml: what the web shop sends is what VictoriaMetrics stores behind a Collector",
  ),
  async fn() {
    await inDirectory(async (directory) => {
      const store = await startVictoriaMetrics(directory);
      await using _store = store.process;
      const collector = await startCollector(store.url);
      await using _collector = collector.process;
      await using between = await startBetween(collector.url);
      const delivered = await runWebShop(between.url);
      // Its end: what waits in its queue has been sent on.
      await collector.process[Symbol.asyncDispose]();

      const stored = await store.stored();
      const sent = sentBy(between.requests);
      // A cumulative series: the last sample is the whole.
      assertStored(stored, sent, (values) => values.at(-1) ?? NaN);
      const counts = await store.query('sum(last_over_time({__name__=~".+_count"}[1h]))');
      assert.deepEqual([...counts], [["", delivered]]);

      // The query that compose.yaml's comment tells to ask.
      const [, heatMap = ""] = /^# {3}(sum\(.*)$/m.exec(COMPOSE) ?? [];
      const buckets = await store.query(heatMap);
      assert.equal(buckets.size, 12, heatMap);
      for (const [le, value] of buckets) {
        const below = [...sent].filter(([key]) =>
          key.startsWith(JSON.stringify(["http.server.request.duration_bucket", le]).slice(0, -1))
        ).reduce((sum, [, count]) => sum + count, 0);
        assert.ok(value > 0 && value <= below, `le ${le}: ${value} of ${below}`);
      }
    });
  },
});

Deno.test({
  ...namedUnless(reason, "send to VictoriaMetrics alone: every delta is stored as it is"),
  async fn() {
    await inDirectory(async (directory) => {
      const store = await startVictoriaMetrics(directory);
      await using _ = store.process;
      await using between = await startBetween(store.url);
      const delivered = await runWebShop(`${between.url}/opentelemetry`);
      assertStored(
        await store.stored(),
        sentBy(between.requests),
        (values) => values.reduce((sum, value) => sum + value, 0),
      );
      const counts = await store.query('sum(sum_over_time({__name__=~".+_count"}[1h]))');
      assert.deepEqual([...counts], [["", delivered]]);
    });
  },
});
