import assert from "node:assert/strict";
import { testCases } from "../support/cases.ts";
import { freePort } from "../support/process.ts";
import { bareEnvironment, commandLine } from "../support/program.ts";
import { missing, tool } from "../support/tools.ts";
import { collectorYaml } from "../support/collector.ts";

// A build: a script under `set -e` that starts the receiver, runs a client and waits for the receiver.

/** `$receiver` with the flags, in the background; `$url` is where it listens. Ends with the receiver's exit status. */
const SCRIPT = `
set -e
otlp-histogram receive --port 0 "$@" >receive.log &
receiver=$!
until grep -qs "Listening on" receive.log; do kill -0 $receiver 2>/dev/null || wait $receiver; sleep 0.1; done
url=$(sed -n 's/^Listening on //p' receive.log)
echo "the client begins"
client
wait $receiver
echo "the build goes on"
`;

type Client = "none" | "telemetrygen" | "Collector" | "JavaScript" | "Python";

interface Case {
  readonly name: string;
  readonly client: Client;
  /** How the client is called. */
  readonly given?: string;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly status: number;
  /** Lines of what the receiver printed, or what the script wrote to standard error. */
  readonly said: readonly RegExp[];
}

const CLIENTS: Readonly<Record<Client, string>> = {
  none: ":",
  telemetrygen: `"$TELEMETRYGEN" metrics --otlp-http --otlp-insecure \
    --otlp-endpoint "$(echo "$url" | sed 's|http://\\(.*\\)/v1/metrics|\\1|')" \
    --otlp-metric-name client.duration --metrics 1 $given >client.log 2>&1 || true`,
  JavaScript:
    `$DENO run --quiet --cached-only --allow-all "$CLIENTS/sdk.ts" "$url" $given 2>client.log || true`,
  Python: `"$PREDECESSOR_PYTHON" "$CLIENTS/sdk.py" "$url" $given 2>client.log || true`,
  // It forwards what this program sends to it.
  Collector: `
"$OTELCOL" --config collector.yaml --set "exporters::otlp_http::metrics_endpoint=$url" 2>collector.log &
collector=$!
until grep -qs "Everything is ready" collector.log || ! kill -0 $collector; do sleep 0.1; done 2>/dev/null
otlp-histogram --endpoint "http://127.0.0.1:$collector_port" --metric client.duration --value 12.5 >client.log
kill $collector`,
};

const VARIABLES: Readonly<Partial<Record<Client, string>>> = {
  telemetrygen: "TELEMETRYGEN",
  Collector: "OTELCOL",
  Python: "PREDECESSOR_PYTHON",
};

const ONE = ["--requests", "1", "--wait", "30"];
const GATE = ["--rules", "dynatrace", "--fail-on", "error", "--expect", "client.duration", ...ONE];
const PASSED = /^Received 1 request: .* 0 data points rejected(; 0 errors, \d+ warnings?)?$/m;

const CASES: readonly Case[] = [
  {
    name: "0 when all that is asked for holds",
    client: "telemetrygen",
    given: "--metric-type Histogram --aggregation-temporality delta",
    flags: GATE,
    status: 0,
    said: [PASSED],
  },
  {
    name: "1 for --fail-on error when there was an error",
    client: "telemetrygen",
    given: "--metric-type Histogram --aggregation-temporality cumulative",
    flags: ["--rules", "dynatrace", "--fail-on", "error", ...ONE],
    status: 1,
    said: [/^✗ --fail-on error: \d+ errors?$/m],
  },
  {
    name: "1 for --fail-on warning when there was a warning",
    client: "telemetrygen",
    given: "--metric-type ExponentialHistogram --aggregation-temporality delta",
    flags: ["--rules", "dynatrace", "--fail-on", "warning", ...ONE],
    status: 1,
    said: [/^✗ --fail-on warning: \d+ warnings?$/m],
  },
  {
    name: "0 for --fail-on error when there was a warning alone",
    client: "telemetrygen",
    given: "--metric-type ExponentialHistogram --aggregation-temporality delta",
    flags: GATE,
    status: 0,
    said: [/; 0 errors, \d+ warnings?$/m],
  },
  {
    name: "1 when an expected metric did not come",
    client: "telemetrygen",
    given: "--metric-type Gauge",
    flags: ["--expect", "client.duration", "--expect", "client.size", ...ONE],
    status: 1,
    said: [
      /^✗ --expect "client\.size": no metric has this name; these arrived: client\.duration$/m,
    ],
  },
  {
    name: "0 when a metric came with all that is expected of it",
    client: "telemetrygen",
    given: "--metric-type Histogram --aggregation-temporality delta",
    flags: [
      "--expect",
      "client.duration type=histogram temporality=delta count>=1 service.name=telemetrygen",
      ...ONE,
    ],
    status: 0,
    said: [/^✓ --expect "client\.duration type=.*": met by request 1, count \d+$/m],
  },
  {
    name: "1 when a metric came with another temporality and without an attribute",
    client: "telemetrygen",
    given: "--metric-type Histogram --aggregation-temporality delta",
    flags: ["--expect", "client.duration{http.route} temporality=cumulative", ...ONE],
    status: 1,
    said: [
      /": http\.route is missing on 1 of 1 data point; temporality is delta, expected cumulative$/m,
    ],
  },
  {
    name: "1 for --fail-on when no metrics arrived",
    client: "none",
    flags: ["--fail-on", "error", "--wait", "0.2"],
    status: 1,
    said: [/^✗ --fail-on error: no metrics arrived\. Check that the program exports them /m],
  },
  {
    name: "1 when --wait was over before --requests came",
    client: "none",
    flags: ["--requests", "2", "--wait", "0.2"],
    status: 1,
    said: [/^✗ --wait was over before --requests came: 2 requests short$/m],
  },
  {
    name: "0 when --wait was over and nothing was asked for",
    client: "none",
    flags: ["--wait", "0.2"],
    status: 0,
    said: [/^Received 0 requests: /m],
  },
  {
    name: "2 for settings that make no sense",
    client: "none",
    flags: ["--save-mb", "1"],
    status: 2,
    said: [/^ERROR: --save-mb limits the file of --save: add --save FILE, or remove it$/m],
  },
  {
    name: "1 with annotations in GitHub Actions",
    client: "telemetrygen",
    given: "--metric-type Histogram --aggregation-temporality cumulative",
    flags: GATE,
    env: { GITHUB_ACTIONS: "true" },
    status: 1,
    said: [
      /^::error title=\S+::client\.duration: /m,
      /^::error title=otlp-histogram receive::--expect "client\.duration": /m,
    ],
  },
  ...(["JavaScript", "Python"] as const).flatMap((client): Case[] => {
    const proto = client === "JavaScript" ? "proto " : "";
    return [
      {
        name: `0 for deltas of the ${client} SDK`,
        client,
        given: `${proto}delta`,
        flags: [...GATE, "--expect", "client.requests"],
        status: 0,
        said: [PASSED],
      },
      {
        name: `1 for cumulative metrics of the ${client} SDK`,
        client,
        given: `${proto}cumulative`,
        flags: GATE,
        status: 1,
        said: [/^✗ --fail-on error: \d+ errors?$/m],
      },
    ];
  }),
  {
    name: "0 for OTLP/JSON of the JavaScript SDK under --rules otlp",
    client: "JavaScript",
    given: "json cumulative",
    flags: ["--fail-on", "warning", "--expect", "client.duration", ...ONE],
    status: 0,
    said: [PASSED, /2 data points, 1 measurement/],
  },
  {
    name: "1 for OTLP/JSON under --rules dynatrace",
    client: "JavaScript",
    given: "json delta",
    flags: ["--rules", "dynatrace", "--fail-on", "error", ...ONE],
    status: 1,
    said: [/ 415 rejected: /, /^✗ --fail-on error: 1 error$/m],
  },
  {
    name: "0 for what a Collector forwards",
    client: "Collector",
    flags: GATE,
    status: 0,
    said: [PASSED],
  },
];

testCases(CASES.map((it) => {
  const variable = VARIABLES[it.client];
  return {
    name: `a script that waits for receive ends with ${it.name}`,
    ignore: variable && missing(variable),
    run: () => runScript(it, variable),
  };
}));

async function runScript(
  { client, given = "", flags, env = {}, status, said }: Case,
  variable: string | undefined,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "otlp-histogram-test-" });
  try {
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", `client() {\n${CLIENTS[client]}\n}\n${SCRIPT}`, "bash", ...flags],
      cwd: directory,
      clearEnv: true,
      env: {
        ...bareEnvironment(),
        PATH: `${directory}:${Deno.env.get("PATH") ?? ""}`,
        ...variable !== undefined && { [variable]: tool(variable) },
        DENO: Deno.execPath(),
        CLIENTS: new URL("../support/clients", import.meta.url).pathname,
        given,
        collector_port: String(await prepare(directory)),
        ...env,
      },
      signal: AbortSignal.timeout(60_000),
    }).output();
    const log = await Deno.readTextFile(`${directory}/receive.log`);
    const text = [log, ...[stdout, stderr].map((it) => new TextDecoder().decode(it))].join("\n");
    assert.equal(code, status, text);
    // A receiver that could not start ends the script before the client.
    assert.equal(text.includes("the client begins"), status !== 2);
    assert.equal(text.includes("the build goes on"), status === 0);
    for (const line of said) assert.match(text, line);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Puts the program and a Collector's configuration into the folder; resolves to the Collector's port. */
async function prepare(directory: string): Promise<number> {
  const program = commandLine().map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(`${directory}/otlp-histogram`, `#!/bin/sh\nexec ${program} "$@"\n`, {
    mode: 0o755,
  });
  const port = freePort();
  const config = collectorYaml(port, "otlp_http", "{compression: gzip}");
  await Deno.writeTextFile(`${directory}/collector.yaml`, config);
  return port;
}
