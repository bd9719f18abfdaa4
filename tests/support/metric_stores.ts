import { freePort, Process } from "./process.ts";
import { tool } from "./tools.ts";
import { collectorYaml, startCollector } from "./collector.ts";

/** Server that runs until it is disposed. */
export interface Store extends AsyncDisposable {
  readonly url: string;
}

/** Starts VictoriaMetrics with its data in a directory; `relabeling` is YAML that changes every series. */
export async function startVictoriaMetrics(
  directory: string,
  { relabeling, flags = [] }: {
    readonly relabeling?: string;
    readonly flags?: readonly string[];
  } = {},
): Promise<Store> {
  const at = `127.0.0.1:${freePort()}`;
  const relabelConfig = `${directory}/relabel.yml`;
  if (relabeling !== undefined) await Deno.writeTextFile(relabelConfig, relabeling);
  const process = new Process(tool("VICTORIAMETRICS"), [
    `--storageDataPath=${directory}/victoriametrics`,
    `--httpListenAddr=${at}`,
    ...relabeling === undefined ? [] : [`--relabelConfig=${relabelConfig}`],
    ...flags,
  ]);
  await process.logged(/started server at/);
  return store(at, process);
}

/** Starts Prometheus with its OTLP receiver, with its data in a directory. */
export async function startPrometheus(
  directory: string,
  ...features: readonly string[]
): Promise<Store> {
  const at = `127.0.0.1:${freePort()}`;
  await Deno.writeTextFile(
    `${directory}/prometheus.yml`,
    "global: {}\nstorage: {tsdb: {out_of_order_time_window: 30m}}\n",
  );
  const process = new Process(tool("PROMETHEUS"), [
    `--config.file=${directory}/prometheus.yml`,
    `--storage.tsdb.path=${directory}/prometheus`,
    `--web.listen-address=${at}`,
    "--web.enable-otlp-receiver",
    ...features.map((feature) => `--enable-feature=${feature}`),
  ]);
  await process.logged(/Server is ready to receive web requests/);
  return store(at, process);
}

/** Starts a Collector that passes metrics on through processors, written as YAML by name; `program` names the Collector. */
export async function startCollectorTo(
  endpoint: string,
  processors: Readonly<Record<string, string>>,
  program: "OTELCOL_CONTRIB" | "OTELCOL_FILTER" = "OTELCOL_CONTRIB",
): Promise<Store> {
  const port = freePort();
  const config = collectorYaml(port, "otlp_http", `{metrics_endpoint: "${endpoint}"}`, processors);
  return store(`127.0.0.1:${port}`, await startCollector(config, program));
}

function store(at: string, process: Process): Store {
  return {
    url: `http://${at}`,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
