import assert from "node:assert/strict";
import { decodeRequest } from "../../src/otlp/decode.ts";
import { createAuthority } from "../support/certificates.ts";
import { decode } from "../support/decode.ts";
import { startDynatrace } from "../support/fake_dynatrace.ts";
import { figure } from "../support/figure.ts";
import { TOKEN } from "../support/fixture.ts";
import { rendered, resource } from "../support/kubernetes.ts";
import { becomes, playPod, type Pod, type PodChanges } from "../support/pod.ts";
import {
  buildImage,
  BUSYBOX_IMAGE,
  busyboxStandIn,
  noContainers,
  podman,
  PUBLISHED,
  runImage,
  standIn,
} from "../support/podman.ts";
import { freePort } from "../support/process.ts";
import { startProxy } from "../support/proxy.ts";
import { type ReceivedRequest, startReceiver } from "../support/receiver.ts";
import { missing, tool } from "../support/tools.ts";

// Tests of the base, every overlay and every component, as real pods of the image that the Dockerfile makes, against
// receivers on this machine.

const OTHER_TOKEN = TOKEN.replace("PUBLIC", "SECOND");
const SENDER = "histogram-sender";

const reason = noContainers ?? missing("KUSTOMIZE") ?? missing("OTELCOL_CONTRIB");
if (reason !== undefined) {
  // Not a skip: it is a stage of its own.
  console.log(`pods: no tests, ${reason}`);
} else {
  const image = await buildImage();
  Deno.test.afterAll(() => image.remove());
  await busyboxStandIn();
  const collector = "docker.io/otel/opentelemetry-collector-contrib:test";
  await standIn([collector], tool("OTELCOL_CONTRIB"), await runImage());
  const images = {
    [PUBLISHED]: image.name,
    "busybox:": BUSYBOX_IMAGE,
    "otel/": collector,
  };

  /** Runs the pod of an overlay's workload. */
  const play = async (
    target: string,
    [kind, name]: readonly [string, string],
    { components = [], ...changes }: Omit<PodChanges, "images"> & {
      readonly components?: readonly string[];
    },
  ): Promise<Pod> => {
    const resources = await rendered(target, components);
    return await playPod(resources, resource(resources, kind, name), {
      images,
      ...changes,
      secret: { DT_API_TOKEN: TOKEN, ...changes.secret },
    });
  };
  const DEPLOYMENT = ["Deployment", "otlp-histogram-sender"] as const;

  Deno.test("the base keeps its spool across a restart of its container, within 128 MB", async () => {
    let well = false;
    await using receiver = await startReceiver({ answers: always(() => well ? 200 : 503) });
    await using pod = await play("base", DEPLOYMENT, {
      config: { DT_ENDPOINT: `${receiver.url}/api/v2/otlp`, INTERVAL: "0.1" },
    });
    await receiver.waitForRequests(30);
    await pod.becomes("/livez", 200);
    await pod.becomes("/readyz", 503);
    const memory = await pod.memory(SENDER);
    assert.equal(memory.limit, 128 * 1024 * 1024);
    assert.ok(memory.resident < 100e6, mb(memory.resident));
    await pod.restart(SENDER);
    await pod.becomes("/livez", 200);
    well = true;
    await pod.becomes("/readyz", 200);
    await pod.becomes("/metrics", 200, /^otlp_histogram_pending_measurements 0$/m);
    const seconds = await pod.stop();
    assert.ok(seconds < 10, `${seconds} s`);
    assert.equal(await pod.inspect(SENDER, ".State.OOMKilled"), "false");
    assert.equal(await pod.inspect(SENDER, ".State.ExitCode"), "0");
    const logs = await pod.logs(SENDER);
    assert.equal(logs.match(/Shutdown complete\./g)?.length, 2, logs);
    assert.equal(accepted(receiver.requests), recorded(logs));
    await figure(
      `a pod that cannot deliver: at most ${
        mb(memory.resident)
      } resident, of which the kernel charged ` +
        `it ${mb(memory.peak)} (pages of the executable count where they were read first); limit ` +
        `${mb(memory.limit)}; stopped in ${seconds.toFixed(1)} s`,
    );
  });

  Deno.test("the base uses a rotated token for the next send and loses nothing", async () => {
    let expected = TOKEN;
    await using receiver = await startReceiver({
      answers: always(({ headers }) =>
        headers.get("authorization") === `Api-Token ${expected}` ? 200 : 401
      ),
    });
    await using pod = await play("base", DEPLOYMENT, {
      config: { DT_ENDPOINT: `${receiver.url}/api/v2/otlp`, INTERVAL: "0.2" },
    });
    await receiver.waitForRequests(3);
    assert.ok(accepted(receiver.requests) >= 10);
    expected = OTHER_TOKEN;
    await receiver.waitForRequests(receiver.requests.length + 2);
    await pod.becomes("/readyz", 503);
    await pod.writeSecret("otlp-histogram-secret", await rendered("base"), {
      DT_API_TOKEN: OTHER_TOKEN,
    });
    await pod.becomes("/readyz", 200);
    await pod.stop();
    const logs = await pod.logs(SENDER);
    assert.equal(accepted(receiver.requests), recorded(logs), logs);
    assert.ok(!(logs.includes(TOKEN) || logs.includes(OTHER_TOKEN)));
  });

  Deno.test("the base ends within its grace period while the receiver does not answer", async () => {
    await using receiver = await startReceiver({ answers: always(() => "hang") });
    await using pod = await play("base", DEPLOYMENT, {
      config: { DT_ENDPOINT: `${receiver.url}/api/v2/otlp` },
    });
    await receiver.waitForRequests(1);
    const seconds = await pod.stop();
    assert.ok(seconds < 10, `${seconds} s`);
    const logs = await pod.logs(SENDER);
    assert.match(logs, /5 unsent in the spool\.\nShutdown complete\./);
    assert.match(logs, /5 measurements not delivered, kept in/);
    assert.equal(await pod.inspect(SENDER, ".State.ExitCode"), "1");
    await figure(`a pod whose receiver does not answer: stopped in ${seconds.toFixed(1)} s`);
  });

  Deno.test("the base cannot write outside of its volumes, and sends all the same", async () => {
    await using receiver = await startReceiver();
    await using pod = await play("base", DEPLOYMENT, {
      config: { DT_ENDPOINT: `${receiver.url}/api/v2/otlp` },
      env: { OTLP_HISTOGRAM_SPOOL: "/elsewhere" },
    });
    await receiver.waitForRequests(1);
    assert.match(
      await pod.logs(SENDER),
      /Cannot use the spool "\/elsewhere" \(Read-only file system/,
    );
    assert.equal(await pod.inspect(SENDER, ".HostConfig.ReadonlyRootfs"), "true");
    assert.equal(await pod.inspect(SENDER, ".Config.User"), "65532:65532");
  });

  Deno.test("the base as it stands ends with a message that names the setting", async () => {
    await using pod = await play("base", DEPLOYMENT, {});
    assert.match(await pod.logged(SENDER, /ERROR/), /ERROR: Invalid DT_ENDPOINT/);
  });

  for (const [status, code] of [[200, 0], [401, 1]] as const) {
    Deno.test(`the Job of check ends with ${code} when the receiver answers ${status}`, async () => {
      await using receiver = await startReceiver({ answers: always(() => status) });
      await using pod = await play("overlays/check", ["Job", "otlp-histogram-check"], {
        config: { DT_ENDPOINT: `${receiver.url}/api/v2/otlp` },
      });
      assert.equal(await pod.ended("check"), code, await pod.logs("check"));
      assert.equal(accepted(receiver.requests), code === 0 ? 1 : 0);
    });
  }

  Deno.test("the CronJob of schedule sends once", async () => {
    await using receiver = await startReceiver();
    await using pod = await play("overlays/schedule", ["CronJob", "otlp-histogram-schedule"], {
      config: { DT_ENDPOINT: `${receiver.url}/api/v2/otlp` },
    });
    assert.equal(await pod.ended("send"), 0, await pod.logs("send"));
    assert.equal(accepted(receiver.requests), 5);
  });

  for (const [what, loses, code] of [["shows", false, 0], ["has lost", true, 1]] as const) {
    Deno.test(`the CronJob of verify ends with ${code} when the backend ${what} the histogram`, async () => {
      await using environment = startDynatrace({
        loses,
        visibleAfter: 1,
        v2: { authorization: `Api-Token ${OTHER_TOKEN}` },
      });
      await using pod = await play("overlays/verify", ["CronJob", "otlp-histogram-verify"], {
        config: { DT_ENDPOINT: `${environment.url}/e/abc12345/api/v2/otlp` },
        secret: { DT_QUERY_TOKEN: OTHER_TOKEN },
        args: (args) => args.map((it) => it === "300" && loses ? "1" : it),
      });
      assert.equal(await pod.ended("verify"), code, await pod.logs("verify"));
      assert.equal(environment.exports[0]?.authorization, `Api-Token ${TOKEN}`);
    });
  }

  Deno.test("the eight shards of load together send exactly the series and counts of one", async () => {
    const run = async (shards: number) => {
      await using receiver = await startReceiver();
      const pods = await Promise.all(
        Array.from(
          { length: shards },
          (_, shard) =>
            play("overlays/load", ["Job", "otlp-histogram-load"], {
              config: { DT_ENDPOINT: `${receiver.url}/api/v2/otlp` },
              env: { JOB_COMPLETION_INDEX: String(shard) },
              args: (args) => [
                ...changed(args, {
                  "--interval": "1",
                  "--duration": "4",
                  "--rate": "1000",
                  "--shards": String(shards),
                }),
                "--seed",
                "7",
              ],
            }),
        ),
      );
      try {
        for (const pod of pods) {
          assert.equal(await pod.ended("load"), 0, await pod.logs("load"));
        }
      } finally {
        for (const pod of pods) await pod[Symbol.asyncDispose]();
      }
      return countsBySeries(receiver.requests);
    };
    const one = await run(1);
    assert.ok(one.size > 20);
    assert.deepEqual(await run(8), one);
  });

  Deno.test("the sidecar of follow sends each line once, across a restart of its container", async () => {
    await using receiver = await startReceiver();
    await using pod = await play("overlays/follow", ["Deployment", "application-with-log"], {
      config: { DT_ENDPOINT: `${receiver.url}/api/v2/otlp` },
      args: (args) => args.map((it) => it === "--interval=10" ? "--interval=0.5" : it),
    });
    await receiver.waitForRequests(2);
    await pod.restart("histogram-follower");
    await receiver.waitForRequests(receiver.requests.length + 2);
    await podman("stop", "-t", "0", pod.container("application"));
    await pod.becomes("/livez", 200);
    const log = await Deno.readTextFile(`${await pod.directory("log")}/requests.log`);
    const lines = log.trimEnd().split("\n").length;
    while (accepted(receiver.requests) < lines) {
      await receiver.waitForRequests(receiver.requests.length + 1);
    }
    await pod.stop();
    assert.equal(accepted(receiver.requests), lines);
    const [{ attributes } = { attributes: {} }] = points(receiver.requests);
    assert.deepEqual(attributes, { "http.response.status_code": "200" });
  });

  for (const trust of ["custom-ca", "self-signed"]) {
    Deno.test(`the Collector of collector sends with proxy and ${trust}`, async () => {
      const authority = await createAuthority();
      const { certificate, key } = await authority.server(["dynatrace.example"]);
      await using receiver = await startReceiver({ tls: { certificate, key } });
      await using proxy = startProxy({ to: receiver.port });
      const [otlp, health] = [freePort(), freePort()];
      const changes = {
        components: ["proxy", trust],
        config: {
          DT_ENDPOINT: "https://dynatrace.example/e/abc12345/api/v2/otlp",
          HTTPS_PROXY: proxy.url,
          "ca.pem": authority.certificate,
        },
      };
      const resources = await rendered("overlays/collector", changes.components);
      const { data = {} } = resource(resources, "ConfigMap", "otel-collector-config");
      const configuration = (data["collector.yaml"] ?? "")
        .replace("0.0.0.0:4318", `0.0.0.0:${otlp}`)
        .replace("0.0.0.0:13133", `0.0.0.0:${health}`);
      assert.notEqual(configuration, data["collector.yaml"]);
      await using collector = await play("overlays/collector", ["Deployment", "otel-collector"], {
        ...changes,
        config: { ...changes.config, "collector.yaml": configuration },
      });
      await becomes(`http://127.0.0.1:${health}/`, 200);
      await using sender = await play("overlays/collector", DEPLOYMENT, {
        ...changes,
        // Nothing knows the name of a Service here.
        args: (args) => args.map((it) => it.replace("otel-collector:4318", `127.0.0.1:${otlp}`)),
      });
      await receiver.waitForRequests(1, 60_000).catch(async (thrown) => {
        const logs = [await sender.logs(SENDER), await collector.logs("collector")];
        throw new Error(`${thrown}\n${logs.join("\n")}`);
      });
      await sender.stop();
      await collector.stop();
      assert.equal(receiver.requests[0]?.headers.get("authorization"), `Api-Token ${TOKEN}`);
      assert.equal(receiver.requests[0]?.target, "/e/abc12345/api/v2/otlp/v1/metrics");
      assert.equal(accepted(receiver.requests), recorded(await sender.logs(SENDER)));
      assert.deepEqual([...new Set(proxy.requests.map(({ target }) => target))], [
        "dynatrace.example:443",
      ]);
    });
  }

  for (
    const [components, code] of [
      [["custom-ca", "proxy"], 0],
      [["proxy", "self-signed"], 0],
      [["proxy"], 1],
    ] satisfies readonly [readonly string[], number][]
  ) {
    Deno.test(`check with ${components.join(" and ")} ends with ${code} at a receiver of a custom CA`, async () => {
      const authority = await createAuthority();
      const { certificate, key } = await authority.server(["dynatrace.example"]);
      await using receiver = await startReceiver({ tls: { certificate, key } });
      await using proxy = startProxy({ to: receiver.port });
      await using pod = await play("overlays/check", ["Job", "otlp-histogram-check"], {
        components,
        config: {
          DT_ENDPOINT: "https://dynatrace.example/e/abc12345/api/v2/otlp",
          HTTPS_PROXY: proxy.url,
          "ca.pem": authority.certificate,
        },
      });
      const ended = await pod.ended("check");
      const logs = await pod.logs("check");
      if (ended === 2 && components.includes("self-signed")) {
        // The stand-in for the base image may have an older Deno, whose executables verify every certificate.
        assert.match(logs, /INSECURE_SSL=true\) cannot work here: .* made with Deno 2\.[0-8]\./);
        return;
      }
      assert.equal(ended, code, logs);
      assert.equal(accepted(receiver.requests), code === 0 ? 1 : 0);
      assert.ok(proxy.requests.every(({ target }) => target === "dynatrace.example:443"));
    });
  }
}

/** The same answer to every request. */
function always(answer: (request: ReceivedRequest) => number | "hang") {
  return Array.from({ length: 10_000 }, () => answer);
}

/** The measurements that the receiver has accepted, each once. */
function accepted(requests: readonly ReceivedRequest[]): number {
  return points(requests).reduce((sum, { count }) => sum + count, 0);
}

function points(requests: readonly ReceivedRequest[]) {
  return contents(requests).flatMap((content) => decode(content).metrics)
    .flatMap((metric) => metric.points);
}

function contents(requests: readonly ReceivedRequest[]): readonly Uint8Array[] {
  const bodies = new Map(
    requests.filter(({ answered, content }) => answered === 200 && content.length > 0)
      .map(({ content }) => [content.toHex(), content]),
  );
  return [...bodies.values()];
}

function countsBySeries(requests: readonly ReceivedRequest[]): ReadonlyMap<string, number> {
  const metrics = contents(requests).flatMap((content) => decodeRequest(content).resourceMetrics)
    .flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics);
  const counts = new Map<string, number>();
  for (const { name, data } of metrics) {
    assert.ok(data.case === "histogram" || data.case === "exponentialHistogram");
    for (const { attributes, count } of data.value.dataPoints) {
      const values = attributes.map(({ key, value }) => `${key}=${value?.value.value}`).sort();
      const series = `${name} ${values.join(" ")}`;
      counts.set(series, (counts.get(series) ?? 0) + Number(count));
    }
  }
  return new Map([...counts].sort());
}

/** The measurements of a loop of samples, by what it has printed. */
function recorded(logs: string): number {
  const iterations = logs.match(/Iteration \d+: Recording measurements/g)?.length ?? 0;
  assert.ok(iterations > 0, logs);
  return iterations * 5;
}

/** The arguments with other values of these flags; fails when there is no such flag. */
function changed(args: readonly string[], values: Readonly<Record<string, string>>) {
  for (const flag of Object.keys(values)) assert.ok(args.includes(flag), flag);
  return args.map((argument, i) => values[args[i - 1] ?? ""] ?? argument);
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
